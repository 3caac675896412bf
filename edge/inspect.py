"""What is in a drive: cameras, signals with their own rates, gaps, who was engaged when, what was lost.

Signals are gone through once, block by block. The rate of one longer than a block is the median of its blocks' medians.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from edge.drive import Drive
from edge.video.camera import Camera
from trigger.disengagement import engagement_changes
from trigger.plausible import findings
from trigger.signals import signals_named
from trigger.telemetry import Recorded, Times, Values

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
        signals=tuple(_signals(telemetry)),
        engaged_s=_engaged_spans(drive),
        lost=drive.lost,
        notes=(*drive.notes, *doubts),
    )


def _camera(name: str, camera: Camera) -> CameraSummary:
    codec = str(getattr(camera, "codec", "images"))
    clock = _Ticks()
    clock.add(camera.frame_times())
    return CameraSummary(name, *camera.size, codec, clock.told())


def _signals(telemetry: Recorded) -> Iterator[SignalSummary]:
    found: dict[str, _Samples] = {}
    for block in telemetry.blocks():
        for name in block:
            found.setdefault(name, _Samples()).add(*block.samples(name))
    for signal in signals_named(found):
        seen = found[signal.name]
        yield SignalSummary(signal.name, signal.unit, seen.low, seen.high, seen.clock.told())


@dataclass
class _Ticks:
    """Times that come in pieces: how they are spaced."""

    count: int = 0
    last_ns: int = 0
    medians_s: list[float] = field(default_factory=list)
    longest_s: float = 0.0
    pauses_s: list[float] = field(default_factory=list)
    """All steps longer than GAP_S; which of them are gaps is known when the usual step is."""

    def add(self, t_ns: Times) -> None:
        before = np.array([self.last_ns] if self.count else [], np.int64)
        step_s = np.diff(np.concatenate([before, t_ns])) / 1e9
        if step_s.size:
            self.medians_s.append(float(np.median(step_s)))
            self.longest_s = max(self.longest_s, float(step_s.max()))
            self.pauses_s += step_s[step_s > GAP_S].tolist()
        if t_ns.size:
            self.count, self.last_ns = self.count + t_ns.size, int(t_ns[-1])

    def told(self) -> Clock:
        if not self.medians_s:
            return Clock(self.count, None, 0.0, 0)
        usual_s = float(np.median(self.medians_s))
        gaps = sum(pause > GAP_STEPS * usual_s for pause in self.pauses_s)
        return Clock(self.count, round(1.0 / usual_s, 2), round(self.longest_s, 3), gaps)


@dataclass
class _Samples:
    """A signal that comes in pieces: its range and its clock."""

    low: float = np.inf
    high: float = -np.inf
    clock: _Ticks = field(default_factory=_Ticks)

    def add(self, t_ns: Times, values: Values) -> None:
        self.low = float(values.min(initial=self.low))
        self.high = float(values.max(initial=self.high))
        self.clock.add(t_ns)


def _engaged_spans(drive: Drive) -> tuple[tuple[float, float], ...]:
    changes = [*engagement_changes(drive.telemetry), (drive.span_ns[1], False)]
    spans = []
    for (start, engaged), (end, _) in pairwise(changes):
        if engaged:
            spans.append((round((start - drive.t0_ns) / 1e9, 3), round((end - drive.t0_ns) / 1e9, 3)))
    return tuple(spans)
