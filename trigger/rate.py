"""The rate of change of a signal, from a straight line through its latest samples.

Neighbouring samples are never differenced: receive times are batched, and on a real car that gives
accelerations of -274 m/s^2. The line goes through every sample back to the first that is at least `over_s` old,
three or more, so the answer at a time depends on those samples alone and is the same however a recording is chopped.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trigger.telemetry import Times, Values

MIN_SAMPLES = 3
MAX_STRETCH = 3.0
"""A line that would span more than this many times `over_s` is none: samples too sparse, or a gap."""
CHUNK = 8_192
"""Samples summed in one go: what stays in a processor's cache."""


def rate(t_ns: Times, values: Values, over_s: float) -> Values:
    """Slope of the least-squares line through the samples of at least the last `over_s` seconds.

    Args:
        t_ns: (N,) int64 ns, strictly increasing. values: (N,) in any unit.
        over_s: shortest span of the line in seconds; where samples are sparse it stretches to three of them.

    Returns:
        (N,) unit per second; NaN where that takes more than `MAX_STRETCH * over_s`, or the recording is younger.
    """
    n, window_ns = t_ns.size, round(over_s * 1e9)
    slope = np.full(n, np.nan)
    if n < MIN_SAMPLES:
        return slope
    first = np.searchsorted(t_ns, t_ns - window_ns, side="right") - 1
    first = np.minimum(first, np.arange(n) - (MIN_SAMPLES - 1))
    known = int(np.searchsorted(first, 0))
    for begin in range(known, n, CHUNK):
        rows = slice(begin, min(begin + CHUNK, n))
        slope[rows] = _slopes(t_ns, values, first[rows], rows)
    slope[known:][t_ns[known:] - t_ns[first[known:]] > MAX_STRETCH * window_ns] = np.nan
    return slope


def _slopes(t_ns: Times, values: Values, first: NDArray[np.int64], rows: slice) -> Values:
    """Slope of the line through the samples from `first` (K,) on to each of `rows`, K of them; NaN where it is none."""
    index = np.arange(rows.start, rows.stop)
    count = index - first + 1
    everywhere = int(count.min())
    now_ns, now = t_ns[rows], values[rows]
    s_t, s_v, s_tt, s_tv = (np.zeros(count.size) for _ in range(4))
    for back in range(1, int(count.max())):
        if back < everywhere:
            at: slice | NDArray[np.int64] = slice(rows.start - back, rows.stop - back)
        else:
            at = np.where(back < count, index - back, index)  # a line that has all its samples: 0 is added
        t_s = (t_ns[at] - now_ns) / 1e9
        v = values[at] - now
        s_t += t_s
        s_v += v
        s_tt += t_s * t_s
        s_tv += t_s * v
    spread = count * s_tt - s_t * s_t
    slope = np.full(count.size, np.nan)
    np.divide(count * s_tv - s_t * s_v, spread, out=slope, where=spread > 0)
    return slope


def trailing_mean(t_ns: Times, values: Values, over_s: float) -> Values:
    """Mean of the samples of the last `over_s` seconds, the present one included; (N,) in the values' unit.

    NaN in the first `over_s` of a recording and after a pause longer than that and 0.5 s: a mean over less would let
    one wild sample through.
    """
    n = t_ns.size
    first = np.searchsorted(t_ns, t_ns - round(over_s * 1e9))
    count = np.arange(n) - first + 1
    total = np.zeros(n)
    for back in range(int(count.max(initial=0))):
        row = np.flatnonzero(count > back)
        total[row] += values[row - back]
    mean = np.asarray(total / np.maximum(count, 1), np.float64)
    pause = np.diff(t_ns, prepend=t_ns[:1]) > max(500_000_000, round(over_s * 1e9))
    began = t_ns[np.maximum.accumulate(np.where(pause, np.arange(n), 0))] if n else t_ns
    mean[t_ns - began < round(over_s * 1e9)] = np.nan
    return mean
