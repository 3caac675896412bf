"""Stretches in which a measure stays beyond a threshold: hysteresis, hold time, refractory time; sample by sample.

A stretch begins at the first sample at or above `on` and goes on until one below `off`. It counts once it has lasted
`hold_s`. A gap in the samples, or a NaN, ends it. One that begins within `refractory_s` of the last counted one's end
goes on with that, up to `longest_s` after its onset; what goes on beyond is a further one. So an event, its peak
included, lies within the context that a clip carries, and every decision rests on the samples up to that moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trigger.telemetry import Times, Values

CHUNK = 16_384
"""Samples looked at in one go: what stays in a processor's cache."""


@dataclass(frozen=True)
class Limits:
    """When a measure speaks.

    Attributes:
        on: threshold in the measure's unit, above 0.
        off: fraction of `on`, up to 1, below which a stretch ends; 0.83 is the 17 % hysteresis of Digital Matter's
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


class Excursions:
    """The stretches of a measure whose samples come in pieces; how they are chopped changes nothing.

    `push` and `finish` give the stretches that can change no more. `present` is the one that counts and may go on.
    """

    def __init__(self, limits: Limits) -> None:
        self.present: Stretch | None = None
        self._limits, self._off = limits, limits.on * limits.off
        self._hold_ns, self._gap_ns = round(limits.hold_s * 1e9), round(limits.max_gap_s * 1e9)
        self._silent_ns, self._longest_ns = round(limits.refractory_s * 1e9), round(limits.longest_s * 1e9)
        self._last_ns: int | None = None
        self._start_ns: int | None = None  # of what is beyond the threshold now
        self._peak = -np.inf
        self._counts = False
        self._ended: list[Stretch] = []

    def push(self, t_ns: Times, measure: Values) -> list[Stretch]:
        """Take samples, t_ns (N,) int64 increasing and later than all before, measure (N,)."""
        if not t_ns.size:
            return []
        paused = self._last_ns is not None and t_ns[0] - self._last_ns > self._gap_ns
        if paused or not measure[0] >= self._off:
            self._stop()
        alive = _at_least(self._off, measure)
        if alive.size:
            self._runs(t_ns, measure, alive)
        self._last_ns = int(t_ns[-1])
        waiting = self._start_ns is None or self._counts
        if self.present and waiting and self._last_ns - self.present.end_ns >= self._silent_ns:
            self._end_present()
        return self._take()

    def finish(self) -> list[Stretch]:
        """No sample will follow."""
        self._stop()
        self._end_present()
        return self._take()

    def _take(self) -> list[Stretch]:
        taken, self._ended = self._ended, []
        return taken

    def _runs(self, t_ns: Times, measure: Values, alive: NDArray[np.intp]) -> None:
        """Each run of samples that live on after an onset, or after the run the last piece ended with."""
        parted = (np.diff(alive) > 1) | (np.diff(t_ns[alive]) > self._gap_ns)
        ends = alive[np.append(parted, True)] + 1
        done = 0
        if self._start_ns is not None:
            done = int(ends[0])
            self._go_on(t_ns[:done], measure[:done], ended=done < t_ns.size)
        onsets = alive[measure[alive] >= self._limits.on]
        onsets = onsets[onsets.searchsorted(done) :]
        end, first_of_run = np.unique(ends[ends.searchsorted(onsets, side="right")], return_index=True)
        first = onsets[first_of_run]
        may_count = (t_ns[end - 1] - t_ns[first] >= self._hold_ns) | (end == t_ns.size)
        for begin, stop in zip(first[may_count].tolist(), end[may_count].tolist(), strict=True):
            self._begin(int(t_ns[begin]))
            self._go_on(t_ns[begin:stop], measure[begin:stop], ended=stop < t_ns.size)

    def _begin(self, t_ns: int) -> None:
        self._start_ns, self._peak, self._counts = t_ns, -np.inf, False

    def _stop(self) -> None:
        self._start_ns = None

    def _go_on(self, t_ns: Times, measure: Values, ended: bool) -> None:
        """More samples of the present run."""
        while t_ns.size:
            used = self._count_on(t_ns, measure) if self._counts else self._hold(t_ns, measure)
            t_ns, measure = t_ns[used:], measure[used:]
        if ended:
            self._stop()

    def _hold(self, t_ns: Times, measure: Values) -> int:
        """Samples up to the one that makes the run count."""
        assert self._start_ns is not None
        used = int(t_ns.searchsorted(self._start_ns + self._hold_ns)) + 1
        self._peak = max(self._peak, float(measure[:used].max()))
        if used <= t_ns.size:
            self._count(int(t_ns[used - 1]))
        return used

    def _count(self, t_ns: int) -> None:
        assert self._start_ns is not None
        self._counts = True
        last = self.present
        soon = last is not None and self._start_ns - last.end_ns < self._silent_ns
        if last and soon and t_ns - last.start_ns <= self._longest_ns:
            self.present = Stretch(last.start_ns, t_ns, max(last.peak, self._peak))
        else:
            self._end_present()
            self.present = Stretch(self._start_ns, t_ns, self._peak)

    def _count_on(self, t_ns: Times, measure: Values) -> int:
        """Samples up to the end of the longest stretch that can be; the next one begins another."""
        assert self.present is not None
        used = int(t_ns.searchsorted(self.present.start_ns + self._longest_ns, side="right"))
        if used:
            peak = max(self.present.peak, float(measure[:used].max()))
            self.present = Stretch(self.present.start_ns, int(t_ns[used - 1]), peak)
        if used < t_ns.size:
            self._begin(int(t_ns[used]))
        return used

    def _end_present(self) -> None:
        if self.present:
            self._ended.append(self.present)
        self.present = None


def _at_least(limit: float, measure: Values) -> NDArray[np.intp]:
    """Where a measure (N,) is at or above a limit: rarely, so most chunks are passed over by their maximum."""
    found = [np.empty(0, np.intp)]
    for begin in range(0, measure.size, CHUNK):
        chunk = measure[begin : begin + CHUNK]
        if np.fmax.reduce(chunk) >= limit:
            found.append(begin + np.flatnonzero(chunk >= limit))
    return np.concatenate(found)


def excursions(t_ns: Times, measure: Values, limits: Limits) -> list[Stretch]:
    """All stretches of `measure` (N,), samples at t_ns (N,) int64 ns, in order of time."""
    found = Excursions(limits)
    return [*found.push(t_ns, measure), *found.finish()]
