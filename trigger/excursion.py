"""Stretches in which a measure stays beyond a threshold: hysteresis, hold time, refractory time.

A stretch begins at the first sample at or above `on` and ends before the first below `off`. It counts once it
has lasted `hold_s`. A gap in the samples, or a NaN, ends it. A stretch that begins within `refractory_s` of
the last counted one's end belongs to that one, as long as both together last no longer than `longest_s`; what goes
on beyond that is a further one. So an event, its peak included, lies within the context that a clip carries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trigger.telemetry import Times, Values


@dataclass(frozen=True)
class Limits:
    """When a measure speaks.

    Attributes:
        on: threshold in the measure's unit.
        off: fraction of `on` below which a stretch ends; 0.83 is the 17 % hysteresis of Digital Matter's
            harsh-event recipe, as is `hold_s` = 0.1.
        hold_s: how long it must last. refractory_s: silence after one. max_gap_s: longest pause between
            samples that does not end it. longest_s: longest one stretch can be.
        source: where the threshold comes from.
    """

    on: float
    source: str
    off: float = 0.83
    hold_s: float = 0.1
    refractory_s: float = 2.0
    max_gap_s: float = 0.5
    longest_s: float = 20.0


@dataclass(frozen=True)
class Stretch:
    """Onset and last sample (int ns) of one excursion, and its greatest value."""

    start_ns: int
    end_ns: int
    peak: float


def excursions(t_ns: Times, measure: Values, limits: Limits) -> list[Stretch]:
    """All stretches of `measure` (N,), samples at t_ns (N,) int64 ns, in order of time."""
    found: list[Stretch] = []
    pieces = (piece for run in _runs(t_ns, measure, limits) for piece in _pieces(t_ns, run, limits))
    for first, last in pieces:
        if t_ns[last] - t_ns[first] < round(limits.hold_s * 1e9):
            continue
        peak = float(measure[first : last + 1].max())
        stretch = Stretch(int(t_ns[first]), int(t_ns[last]), peak)
        soon = bool(found) and stretch.start_ns - found[-1].end_ns < limits.refractory_s * 1e9
        if soon and stretch.end_ns - found[-1].start_ns <= limits.longest_s * 1e9:
            stretch = Stretch(found[-1].start_ns, stretch.end_ns, max(found[-1].peak, peak))
            found.pop()
        found.append(stretch)
    return found


def _pieces(t_ns: Times, run: tuple[int, int], limits: Limits) -> list[tuple[int, int]]:
    """A run as it is, or in pieces of at most `longest_s`."""
    first, last = run
    pieces = []
    while t_ns[last] - t_ns[first] > limits.longest_s * 1e9:
        end = int(np.searchsorted(t_ns, t_ns[first] + round(limits.longest_s * 1e9), side="right")) - 1
        end = max(first, end)
        pieces.append((first, end))
        first = end + 1
    return [*pieces, (first, last)]


def _runs(t_ns: Times, measure: Values, limits: Limits) -> list[tuple[int, int]]:
    """Index of the first and last sample of each stretch, hold time not yet asked for."""
    n = t_ns.size
    if n == 0:
        return []
    gap = np.diff(t_ns, prepend=t_ns[0]) > round(limits.max_gap_s * 1e9)
    above = measure >= limits.on
    alive = measure >= limits.on * limits.off
    starts_block = np.flatnonzero(gap | ~alive)
    onsets = np.flatnonzero(above)
    if onsets.size == 0:
        return []
    # Each onset belongs to the block of living samples that began at the last break; its first onset opens it.
    block = np.searchsorted(starts_block, onsets, side="right")
    opens = onsets[np.append(True, block[1:] != block[:-1])]
    ends = np.append(starts_block, n)[np.searchsorted(starts_block, opens, side="right")] - 1
    return list(zip(opens.tolist(), ends.tolist(), strict=True))
