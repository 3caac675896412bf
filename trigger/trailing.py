"""The greatest of the samples in the last seconds, at every sample."""

from __future__ import annotations

import numpy as np

from trigger.telemetry import Times, Values


def greatest(t_ns: Times, values: Values, over_s: float) -> Values:
    """Maximum of the samples in [t - over_s, t], NaN if one of them is; (N,) in the values' unit.

    Windows hold differing numbers of samples, so each is covered by two spans of one power of two: O(N log K).
    """
    n = t_ns.size
    index = np.arange(n)
    first = np.searchsorted(t_ns, t_ns - round(over_s * 1e9))
    level = np.frexp((index - first + 1).astype(np.float64))[1] - 1
    result = np.empty(n)
    spans = np.array(values, np.float64)  # spans[i] = maximum of values[i : i + 2**k]
    for k in range(int(level.max(initial=-1)) + 1):
        rows = np.flatnonzero(level == k)
        result[rows] = np.maximum(spans[first[rows]], spans[rows - (1 << k) + 1])
        spans = np.maximum(spans[: -(1 << k)], spans[1 << k :])
    return result
