"""Run every built-in trigger over one drive's telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trigger import disengagement
from trigger.builtin import TRIGGERS, Trigger
from trigger.event import Event, Evidence
from trigger.excursion import excursions
from trigger.measures import SignalAbsentError
from trigger.telemetry import Telemetry
from trigger.vehicle import VehicleProfile


@dataclass(frozen=True)
class Detection:
    """Events in order of time, and the triggers that could not run: kind to the signals they would need."""

    events: tuple[Event, ...]
    absent: Mapping[str, str]


def detect(telemetry: Telemetry, vehicle: VehicleProfile) -> Detection:
    """Find all events that follow from the signals; the baseline, which does not, is added by the caller."""
    events: list[Event] = []
    absent: dict[str, str] = {}
    try:
        events += disengagement.disengagements(telemetry, vehicle)
    except SignalAbsentError as error:
        absent[disengagement.KIND] = error.needs
    for trigger in TRIGGERS:
        try:
            events += _events(trigger, telemetry, vehicle)
        except SignalAbsentError as error:
            absent[trigger.kind] = error.needs
    return Detection(tuple(sorted(events, key=lambda e: (e.t_ns, e.kind))), absent)


def _events(trigger: Trigger, telemetry: Telemetry, vehicle: VehicleProfile) -> list[Event]:
    measured = trigger.measure(telemetry, vehicle)
    before_ns, after_ns = round(trigger.window.before_s * 1e9), round(trigger.window.after_s * 1e9)
    return [
        Event(
            kind=trigger.kind,
            t_ns=stretch.start_ns,
            end_ns=stretch.end_ns,
            window_ns=(stretch.start_ns - before_ns, stretch.end_ns + after_ns),
            severity=stretch.peak / trigger.limits.on,
            evidence=Evidence(measured.signal, stretch.peak, trigger.limits.on),
        )
        for stretch in excursions(measured.t_ns, measured.values, trigger.limits)
    ]
