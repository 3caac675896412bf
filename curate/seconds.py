"""The rows of a dataset, before weights: every whole second of every admitted clip in which something was seen.

A second is what was drawn on the car, so it is what is counted here. One that two clips hold counts once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.clip import open_clip
from edge.drive import Drive, open_drive
from trigger.baseline import SECOND_NS
from trigger.builtin import window_of
from trigger.event import Event
from trigger.signals import STEERING_SIGNALS, ControlSource
from trigger.telemetry import Telemetry

FRAME_STEP_S = 0.05
"""Spacing at which a second's signals are looked at, in s."""


@dataclass(frozen=True)
class Second:
    """One second of a clip.

    Attributes:
        number, of: which second of the drive's grid, and how many the drive has.
        events: kinds of the events whose focus it lies in. severity: the greatest of theirs.
        human_share: share of the second in which a human moved at least one control that is recorded.
        steering, speed_change: mean steering (in its own unit) and change of speed [m/s] over the second,
            NaN where not recorded: what rarity is judged by.
    """

    clip_id: str
    drive_id: str
    number: int
    of: int
    start_ns: int
    events: tuple[str, ...]
    severity: float
    inclusion_probability: float
    human_share: float
    steering: float
    speed_change: float

    @property
    def end_ns(self) -> int:
        return self.start_ns + SECOND_NS


def seconds_of(folders: list[Path]) -> tuple[list[Second], int]:
    """All seconds of the clips, sorted by drive and time, and how many were dropped as told twice."""
    kept: dict[tuple[str, int], Second] = {}
    told = 0
    for folder in sorted(folders):
        for second in _of_clip(folder):
            told += 1
            kept.setdefault((second.drive_id, second.number), second)
    return [kept[key] for key in sorted(kept)], told - len(kept)


def _of_clip(folder: Path) -> Iterator[Second]:
    clip, drive = open_clip(folder), open_drive(folder)
    start_ns, end_ns = clip.cut.window_ns
    seen = _seconds_with_frames(drive)
    for number in range((start_ns - drive.t0_ns) // SECOND_NS, (end_ns - drive.t0_ns) // SECOND_NS):
        if number not in seen:
            continue
        at_ns = drive.t0_ns + number * SECOND_NS
        touching = [e for e in clip.cut.events if _in_focus(e, at_ns)]
        yield Second(
            clip_id=clip.id,
            drive_id=clip.cut.parent,
            number=number,
            of=clip.cut.parent_seconds,
            start_ns=at_ns,
            events=tuple(sorted({e.kind for e in touching})),
            severity=max((e.severity for e in touching), default=0.0),
            inclusion_probability=clip.offer.probability(number),
            **_signals(drive.telemetry, at_ns),
        )


def _seconds_with_frames(drive: Drive) -> set[int]:
    times = [camera.frame_times() for camera in drive.cameras.values()]
    return set(np.unique((np.concatenate(times) - drive.t0_ns) // SECOND_NS).tolist()) if times else set()


def _in_focus(event: Event, start_ns: int) -> bool:
    """Does the second share a moment with the part of the event that is the event itself?"""
    window = window_of(event.kind)
    low = event.t_ns - round(window.focus_before_s * 1e9)
    high = event.t_ns + max(round(window.focus_after_s * 1e9), 1)
    return low < start_ns + SECOND_NS and start_ns < high


def _signals(telemetry: Telemetry, start_ns: int) -> dict[str, float]:
    grid = start_ns + np.arange(0, SECOND_NS, round(FRAME_STEP_S * 1e9))
    human = np.zeros(grid.size, bool)
    for axis in ("control_source_steering", "control_source_speed"):
        human |= telemetry.at(axis, grid, 1e9) == ControlSource.HUMAN
    steering = next((name for name in STEERING_SIGNALS if name in telemetry), None)
    angles = telemetry.at(steering, grid, 1.0) if steering else np.full(1, np.nan)
    speed = telemetry.at("speed_mps", grid[[0, -1]], 1.0)
    return {
        "human_share": float(human.mean()),
        "steering": float(np.nanmean(angles)) if np.isfinite(angles).any() else float("nan"),
        "speed_change": float(speed[1] - speed[0]),
    }
