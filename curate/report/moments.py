"""Moments: unbroken runs of a version's seconds in which something happened, and how many kinds of them are unseen.

A moment is what seconds of one drive show that follow each other without a gap and belong to events; its kind is the
set of the kinds of these events. The draws of the baseline are no events.

**Good-Turing** (Good 1953): of n moments, those whose kind was seen once only, n1 / n of them, estimate the
probability that the next moment is of a kind that was never seen. It says nothing of which, and nothing of kinds that
no trigger looks for. Its interval is Esty's (1983), for n of some dozens or more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import pyarrow as pa

from edge.trial.wilson import Z
from trigger.baseline import KIND as BASELINE


@dataclass(frozen=True)
class Unseen:
    """Of `moments` moments, `once` were of a kind of their own and `twice` of kinds that were seen twice."""

    moments: int
    kinds: int
    once: int
    twice: int

    @property
    def mass(self) -> float:
        """Probability that the next moment is of a kind not seen yet; 1 where nothing was seen."""
        return self.once / self.moments if self.moments else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, within 0 to 1."""
        if not self.moments:
            return 0.0, 1.0
        variance = (self.once * (1 - self.mass) + 2 * self.twice) / self.moments**2
        half = Z * sqrt(variance)
        return max(0.0, self.mass - half), min(1.0, self.mass + half)


def moments(rows: pa.Table) -> list[frozenset[str]]:
    """The kind of every moment, in order of drive and time."""
    ordered = rows.select(["drive_id", "start_ns", "end_ns", "events"]).sort_by(
        [("drive_id", "ascending"), ("start_ns", "ascending")]
    )
    return list(_runs(zip(*(ordered.column(name).to_pylist() for name in ordered.schema.names), strict=True)))


def _runs(seconds: Iterable[tuple[str, int, int, list[str]]]) -> Iterator[frozenset[str]]:
    kinds: set[str] = set()
    before: tuple[str, int] | None = None
    for drive_id, start_ns, end_ns, events in seconds:
        told = set(events) - {BASELINE}
        if kinds and not (told and before == (drive_id, start_ns)):
            yield frozenset(kinds)
            kinds = set()
        kinds |= told
        before = (drive_id, end_ns)
    if kinds:
        yield frozenset(kinds)


def unseen(found: Sequence[frozenset[str]]) -> Unseen:
    times = Counter(Counter(found).values())
    return Unseen(len(found), times.total(), times[1], times[2])
