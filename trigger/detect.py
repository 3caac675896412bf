"""Run triggers over one drive's telemetry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trigger.builtin import TRIGGERS, Trigger
from trigger.engine import Engine, in_order
from trigger.event import Event
from trigger.telemetry import Recorded
from trigger.vehicle import VehicleProfile


@dataclass(frozen=True)
class Detection:
    """Events in order of time, and the triggers that could not run: kind to the signals they would need."""

    events: tuple[Event, ...]
    absent: Mapping[str, str]


def detect(telemetry: Recorded, vehicle: VehicleProfile, triggers: Sequence[Trigger] = TRIGGERS) -> Detection:
    """Find all events that follow from the signals; the baseline, which does not, is added by the caller."""
    names = frozenset(telemetry)  # a tuple would make room for as many names as there are rows
    engine = Engine(names, vehicle, triggers)
    events = [event for block in telemetry.blocks() for event in engine.push(block).ended]
    return Detection(in_order([*events, *engine.finish().ended]), engine.absent)
