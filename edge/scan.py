"""Scan a drive: the built-in triggers, the baseline, and what is known of every second's chance to be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.budget import DEFAULT_BASELINE
from edge.camera import LONGEST_NS
from edge.drive import Drive
from edge.errors import DriveError
from trigger.baseline import KIND as BASELINE
from trigger.baseline import SECOND_NS, baseline_events, inclusion_by_baseline
from trigger.detect import detect
from trigger.event import Event


@dataclass(frozen=True)
class Scan:
    """What one drive holds.

    Attributes:
        events: in order of time, the baseline's draws among them.
        absent: kind of trigger to the signals it would have needed.
        baseline: probability with which each second was drawn.
    """

    drive: Drive
    events: tuple[Event, ...]
    absent: Mapping[str, str]
    baseline: float


def scan(drive: Drive, baseline: float = DEFAULT_BASELINE) -> Scan:
    """Find a drive's events and draw its baseline.

    Raises:
        DriveError: a clip (its seconds were drawn already: drawing again would count them twice), or a drive whose
            clock makes it longer than a week, which one wrong time stamp does.
    """
    if drive.cut is not None:
        raise DriveError(f"{drive.source} is a clip of {drive.cut.parent}", "a whole drive", "name the drive itself")
    start_ns, end_ns = drive.span_ns
    longest_ns = max(end_ns, drive.t0_ns) - min(start_ns, drive.t0_ns)
    if longest_ns > LONGEST_NS:
        days = longest_ns / 8.64e13
        raise DriveError(f"{drive.source} spans {days:.0f} days", "one drive", "mend or drop the wrong times")
    found = detect(drive.telemetry, drive.vehicle)
    drawn = baseline_events(drive.id, drive.t0_ns, drive.seconds, baseline)
    events = tuple(sorted([*found.events, *drawn], key=lambda e: (e.t_ns, e.kind)))
    return Scan(drive, events, found.absent, baseline)


def whole_seconds(drive: Drive, window_ns: tuple[int, int]) -> tuple[int, int]:
    """A window as [first, end) seconds of the drive's grid, widened outward and clamped to the drive."""
    first = (window_ns[0] - drive.t0_ns) // SECOND_NS
    end = -((drive.t0_ns - window_ns[1]) // SECOND_NS)
    return max(0, first), min(drive.seconds, end)


def inclusion(found: Scan) -> NDArray[np.float64]:
    """Probability that at least one clip covers each second of the drive, (seconds,) float64.

    Triggers follow from the signals, so what they cover is certain; for the rest it is the baseline's draw.
    """
    chance = inclusion_by_baseline(found.drive.seconds, found.baseline)
    for event in found.events:
        if event.kind != BASELINE:
            first, end = whole_seconds(found.drive, event.window_ns)
            chance[first:end] = 1.0
    return chance
