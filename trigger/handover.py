"""Spans of one state of a system, debounced, from samples that come in pieces.

On a real car the steering request drops out for 10 to 60 ms while the system stays engaged. So a drop-out shorter than
`OFF_S` between two engaged spans is joined to them, and what is engaged for less than that between two that are not is
a flicker and joined likewise. A pause in the samples ends what was known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trigger.telemetry import Times

ENGAGED_S = 1.0
"""A system that was engaged for less was never really so."""
OFF_S = 0.5
MAX_GAP_S = 2.0
REMEMBERED_S = 10.0
GAP_NS, OFF_NS, ENGAGED_NS, REMEMBERED_NS = (round(s * 1e9) for s in (MAX_GAP_S, OFF_S, ENGAGED_S, REMEMBERED_S))


@dataclass(frozen=True)
class Span:
    """First and last sample (int ns) of one state."""

    start_ns: int
    end_ns: int
    on: bool


class Spans:
    """Finds where a state that lasted ends for good.

    `push` gives the spans of "off" that follow one of "on", each once, as soon as it has lasted `OFF_S`.
    """

    def __init__(self) -> None:
        self._settled: list[Span] = []
        self._run: Span | None = None  # samples of one state up to now
        self._told_ns = -(1 << 62)

    def push(self, t_ns: Times, on: NDArray[np.bool_]) -> list[Span]:
        """Take samples, t_ns (N,) int64 increasing and later than all before, on (N,)."""
        if not t_ns.size:
            return []
        self._forget()
        found = []
        pause = np.diff(t_ns) > GAP_NS
        first = np.flatnonzero(np.append(True, (on[1:] != on[:-1]) | pause))
        for begin, end in zip(first.tolist(), [*first[1:].tolist(), t_ns.size], strict=True):
            found += self._take(Span(int(t_ns[begin]), int(t_ns[end - 1]), bool(on[begin])))
        return found

    def last_of(self, off: Span) -> int:
        """Last sample, int ns, of a span that was given within the last `REMEMBERED_S`."""
        spans = _with(self._settled, self._run, short=False) if self._run else self._settled
        return max(span.end_ns for span in spans if span.start_ns == off.start_ns)

    def _forget(self) -> None:
        if self._run:
            since = self._run.end_ns - REMEMBERED_NS
            self._settled = [s for s in self._settled[:-1] if s.end_ns >= since] + self._settled[-1:]

    def _take(self, new: Span) -> list[Span]:
        """A run of one state that begins or goes on."""
        found, run = [], self._run
        if run and new.start_ns - run.end_ns > GAP_NS:
            self._settled = _with(self._settled, run, short=False)
        elif run and new.on == run.on:
            new = replace(run, end_ns=new.end_ns)
        elif run:
            found = self._ended(run, new.start_ns)
            self._settled = _with(self._settled, run, short=new.start_ns - run.start_ns < OFF_NS)
        self._run = new
        return found + self._ended(new, new.end_ns)

    def _ended(self, run: Span, until_ns: int) -> list[Span]:
        """The run, if it ends for good what was on before it; once."""
        before = self._settled[-1] if self._settled else None
        if before is None or not before.on or before.end_ns - before.start_ns < ENGAGED_NS:
            return []
        follows = run.start_ns - before.end_ns <= GAP_NS
        if run.on or not follows or until_ns - run.start_ns < OFF_NS or run.start_ns <= self._told_ns:
            return []
        self._told_ns = run.start_ns
        return [run]


def _with(spans: list[Span], run: Span, short: bool) -> list[Span]:
    """The spans and a run that follows them: one of its own, or part of the last."""
    last = spans[-1] if spans else None
    if last and run.start_ns - last.end_ns <= GAP_NS and (short or last.on == run.on):
        return [*spans[:-1], replace(last, end_ns=run.end_ns)]
    return [*spans, run]
