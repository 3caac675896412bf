"""What is in a drive: cameras, signals with their own rates, gaps, who was engaged when, what was lost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from edge.camera import Camera
from edge.drive import Drive
from trigger.disengagement import engagement_changes
from trigger.plausible import findings
from trigger.signals import SIGNALS
from trigger.telemetry import Telemetry, Times

GAP_S = 1.0
GAP_STEPS = 3.0
"""A pause longer than this, in s, and than this many of the signal's own steps, is a gap."""


@dataclass(frozen=True)
class Clock:
    """How a signal or camera was sampled: count, median rate in Hz, longest pause in s, number of gaps."""

    count: int
    rate_hz: float | None
    longest_pause_s: float
    gaps: int


@dataclass(frozen=True)
class CameraSummary:
    name: str
    width: int
    height: int
    codec: str
    clock: Clock


@dataclass(frozen=True)
class SignalSummary:
    name: str
    unit: str
    low: float
    high: float
    clock: Clock


@dataclass(frozen=True)
class Summary:
    """`engaged_s`: spans [start, end) in s from the drive's second 0; empty where engagement is not recorded."""

    drive: str
    recorder: str
    source: str
    seconds: int
    engagement: str
    consent: bool | None
    cameras: tuple[CameraSummary, ...]
    signals: tuple[SignalSummary, ...]
    engaged_s: tuple[tuple[float, float], ...]
    lost: tuple[str, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def inspect(drive: Drive) -> Summary:
    telemetry = drive.telemetry
    doubts = [line for line in findings(telemetry) if line not in drive.notes]
    return Summary(
        drive=drive.id,
        recorder=drive.recorder,
        source=str(drive.source),
        seconds=drive.seconds,
        engagement=drive.engagement,
        consent=drive.consent,
        cameras=tuple(_camera(name, camera) for name, camera in drive.cameras.items()),
        signals=tuple(_signal(telemetry, name) for name in SIGNALS if name in telemetry),
        engaged_s=_engaged_spans(drive),
        lost=drive.lost,
        notes=(*drive.notes, *doubts),
    )


def _camera(name: str, camera: Camera) -> CameraSummary:
    codec = str(getattr(camera, "codec", "images"))
    return CameraSummary(name, *camera.size, codec, _clock(camera.frame_times()))


def _signal(telemetry: Telemetry, name: str) -> SignalSummary:
    t_ns, values = telemetry.samples(name)
    return SignalSummary(name, SIGNALS[name].unit, float(values.min()), float(values.max()), _clock(t_ns))


def _clock(t_ns: Times) -> Clock:
    step_s = np.diff(t_ns) / 1e9
    if not step_s.size:
        return Clock(int(t_ns.size), None, 0.0, 0)
    usual_s = float(np.median(step_s))
    gaps = step_s > max(GAP_S, GAP_STEPS * usual_s)
    return Clock(int(t_ns.size), round(1.0 / usual_s, 2), round(float(step_s.max()), 3), int(gaps.sum()))


def _engaged_spans(drive: Drive) -> tuple[tuple[float, float], ...]:
    changes = [*engagement_changes(drive.telemetry), (drive.span_ns[1], False)]
    spans = []
    for (start, engaged), (end, _) in pairwise(changes):
        if engaged:
            spans.append((round((start - drive.t0_ns) / 1e9, 3), round((end - drive.t0_ns) / 1e9, 3)))
    return tuple(spans)
