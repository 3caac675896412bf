"""Filters for what is felt: a fixed grid of 10 ms, finite impulse responses, and times corrected for their delay.

Samples come when they come; a filter wants them evenly spaced. The grid lies on whole multiples of its step, each
point is interpolated between its two neighbouring samples alone, and each output is the same sum in the same order
however a recording is chopped. A filter is causal and symmetric, so it is late by half its length: an output bears
the time it speaks of, not the time it was known.
"""

from __future__ import annotations

import numpy as np

from trigger.telemetry import Times, Values

STEP_NS = 10_000_000


def mean_taps(over_s: float) -> Values:
    """Weights of a Hann-shaped mean over `over_s`, (K,) with K odd, sum 1; latest sample first."""
    taps = np.hanning(_odd(over_s) + 2)[1:-1]
    return np.asarray(taps / taps.sum(), np.float64)


def slope_taps(over_s: float) -> Values:
    """Weights of the least-squares slope over `over_s` on the grid, (K,) with K odd, in 1/s; latest sample first."""
    half = _odd(over_s) // 2
    offset_s = np.arange(half, -half - 1, -1) * (STEP_NS / 1e9)
    return np.asarray(offset_s / (offset_s**2).sum(), np.float64)


def filtered(t_ns: Times, values: Values, max_gap_s: float, *filters: Values) -> tuple[Times, Values]:
    """Samples (N,) at t_ns (N,) int64 ns, put on the grid and sent through each filter in turn.

    Args:
        max_gap_s: samples further apart are not joined: nothing is known in between, and one wild sample after a pause
            would be drawn out over it.

    Returns:
        (M,) int64 ns, multiples of `STEP_NS`, and (M,) float64: only where all of the filters' length is known.
    """
    grid_ns, out = on_grid(t_ns, values, max_gap_s)
    for taps in filters:
        grid_ns, out = _through(grid_ns, out, taps)
    return grid_ns, out


def _odd(over_s: float) -> int:
    return round(over_s * 1e9 / STEP_NS / 2) * 2 + 1


def on_grid(t_ns: Times, values: Values, max_gap_s: float) -> tuple[Times, Values]:
    """Samples (N,) as points of the grid, from each sample on to before the next: (M,) int64 ns, (M,)."""
    if t_ns.size < 2:
        return t_ns[:0], values[:0]
    first = -(-t_ns // STEP_NS)
    step_ns = np.diff(t_ns)
    count = np.where(step_ns <= round(max_gap_s * 1e9), np.diff(first), 0)
    left = np.repeat(np.arange(count.size), count)
    before = np.cumsum(count) - count
    grid_ns = ((first[:-1] - before)[left] + np.arange(left.size)) * STEP_NS
    share = (grid_ns - t_ns[left]) / step_ns[left]
    return grid_ns, values[left] * (1.0 - share) + values[left + 1] * share


def _through(grid_ns: Times, values: Values, taps: Values) -> tuple[Times, Values]:
    out = grid_ns.size - taps.size + 1
    if out <= 0:
        return grid_ns[:0], values[:0]
    total = np.zeros(out)
    for back, tap in enumerate(taps.tolist()):
        begin = taps.size - 1 - back
        total += tap * values[begin : begin + out]
    half = taps.size // 2
    whole = grid_ns[taps.size - 1 :] - grid_ns[:out] == (taps.size - 1) * STEP_NS
    return grid_ns[half : half + out][whole], total[whole]
