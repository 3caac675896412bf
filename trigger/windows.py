"""Trailing windows: for every sample of a clock, what the last seconds held.

Rules:
- A signal is taken as a step: a sample is in force until the next one, but for no longer than `MAX_AGE_S`. So the
  window of a time t is [t - s, t]: the samples in it, and the one in force at its start.
- A window is covered where something is in force all through it.
- Spans are joined two by two, counted back from each sample. So a value depends on the samples of its window alone,
  to the last bit, however a recording is chopped, and costs O(log K) for a window of K samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from trigger.telemetry import MAX_AGE_S, Times, Values

MAX_AGE_NS = round(MAX_AGE_S * 1e9)


class Window:
    """The windows of `s` seconds that end at each of t_ns (N,) int64 ns, strictly increasing.

    Attributes:
        covered: (N,) bool.
    """

    def __init__(self, t_ns: Times, s: float) -> None:
        self.t_ns, self.s = t_ns, s
        begin_ns = t_ns - round(s * 1e9)
        first = np.searchsorted(t_ns, begin_ns, side="right") - 1
        fresh = first >= 0
        fresh[fresh] = begin_ns[fresh] - t_ns[first[fresh]] <= MAX_AGE_NS
        first += ~fresh
        pauses = np.cumsum(np.diff(t_ns, prepend=t_ns[:1]) > MAX_AGE_NS)
        self.covered = fresh & (pauses == pauses[first])
        self._first = first
        self._count = np.arange(t_ns.size) - first + 1
        level = np.frexp(self._count.astype(np.float64))[1] - 1
        self._levels = [np.flatnonzero(level == k) for k in range(int(level.max(initial=-1)) + 1)]

    @property
    def nbytes(self) -> int:
        return 4 * self.t_ns.nbytes

    def greatest(self, values: Values) -> Values:
        """Maximum of the samples (N,) in each window, whether covered or not; NaN if one of them is."""
        return self._extreme(np.maximum, values)

    def least(self, values: Values) -> Values:
        """Minimum of the samples (N,) in each window, whether covered or not; NaN if one of them is."""
        return self._extreme(np.minimum, values)

    def mean(self, values: Values) -> Values:
        """Mean of the samples (N,) in each window, whether covered or not; NaN if one of them is."""
        total = np.zeros(values.size)
        end = np.arange(values.size)
        for k, sums in enumerate(_spans(np.add, values, len(self._levels))):
            rows = np.flatnonzero(self._count >> k & 1)
            total[rows] += sums[end[rows]]
            end[rows] -= 1 << k
        return total / self._count

    def _extreme(self, join: Callable[[Values, Values], Values], values: Values) -> Values:
        """Each window is covered by two spans of one power of two, which may overlap."""
        result = np.empty(values.size)
        for k, spans in enumerate(_spans(join, values, len(self._levels))):
            rows = self._levels[k]
            result[rows] = join(spans[rows], spans[self._first[rows] + (1 << k) - 1])
        return result


def _spans(join: Callable[[Values, Values], Values], values: Values, levels: int) -> Iterator[Values]:
    """For k = 0, 1, ...: the 2^k samples that end at each, joined; what would begin before the first is not told."""
    spans = np.array(values)
    for k in range(levels):
        yield spans
        spans[1 << k :] = join(spans[1 << k :], spans[: -(1 << k)])
