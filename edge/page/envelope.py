"""A long signal as few points that look the same: of each bin of time its lowest and its highest sample.

Rules:
- Every point is a sample of the signal, at its own time: nothing is averaged, so no peak is lost or invented.
- A pause in the samples breaks the line, unless it lies inside one bin, where it cannot be seen.
- What is short already is left as it is.

Shapes: N samples, B bins, M points.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.inspect import GAP_S, GAP_STEPS
from trigger.telemetry import Times, Values

Window = tuple[int, int]
"""[start, end) in int ns."""


def bin_edges(span_ns: Window, windows_ns: Sequence[Window], bins: int) -> Times:
    """Edges of `bins` equal bins over the span, and of as many again shared out inside the windows: (B,) int64 ns.

    So a long recording keeps its outline, and what is looked at closely keeps its detail.
    """
    start_ns, end_ns = span_ns
    outline = start_ns + np.linspace(0, end_ns - start_ns, bins + 1).astype(np.int64)
    inside = [part for part in merged(windows_ns) if part[0] < end_ns and part[1] > start_ns]
    if not inside:
        return np.unique(outline)
    starts, ends = np.clip(np.array(inside, np.int64), start_ns, end_ns).T
    before = np.append(0, np.cumsum(ends - starts))
    along = np.linspace(0, before[-1], bins + 1).astype(np.int64)
    window = np.minimum(np.searchsorted(before, along, side="right") - 1, starts.size - 1)
    return np.unique(np.concatenate([outline, starts[window] + along - before[window]]))


def envelope(t_ns: Times, values: Values, edges_ns: Times) -> tuple[Times, Values]:
    """The points of the line, (M,) int64 ns and (M,) float64; a NaN breaks it. M is about 2 B, never above 5 B + 2.

    Args:
        t_ns: (N,) int64 ns, increasing. values: (N,) float64 without NaN.
    """
    if not t_ns.size:
        return t_ns, values
    bins = np.searchsorted(edges_ns, t_ns, side="right")
    breaks = np.flatnonzero(pauses(t_ns) & (np.diff(bins) > 0))
    kept = np.arange(t_ns.size)
    if t_ns.size > 2 * edges_ns.size:
        first = np.flatnonzero(np.diff(bins, prepend=-1))
        extremes = [_first_at(values, first, reduce) for reduce in (np.minimum, np.maximum)]
        kept = np.unique(np.concatenate([*extremes, breaks, breaks + 1, [0, t_ns.size - 1]]))
    ended = np.searchsorted(kept, breaks) + 1
    return np.insert(t_ns[kept], ended, t_ns[breaks]), np.insert(values[kept], ended, np.nan)


def pauses(t_ns: Times) -> NDArray[np.bool_]:
    """Whether the recording pauses after each sample but the last, (N - 1,): see `edge.inspect`."""
    step_ns = np.diff(t_ns)
    usual_ns = float(np.median(step_ns)) if step_ns.size else 0.0
    return np.asarray(step_ns > max(GAP_S * 1e9, GAP_STEPS * usual_ns))


def unbroken(t_ns: Times) -> list[Window]:
    """Stretches without a pause, each from its first to its last sample."""
    if not t_ns.size:
        return []
    at = np.flatnonzero(pauses(t_ns))
    return list(zip(t_ns[[0, *(at + 1)]].tolist(), t_ns[[*at, -1]].tolist(), strict=True))


def merged(stretches: Sequence[Window]) -> list[Window]:
    """Stretches in order of time, those that touch or overlap joined."""
    joined: list[Window] = []
    for start_ns, end_ns in sorted(stretches):
        if joined and start_ns <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end_ns)
        else:
            joined.append((start_ns, end_ns))
    return joined


def _first_at(values: Values, first: NDArray[np.int64], reduce: np.ufunc) -> NDArray[np.int64]:
    """Index of the first sample in each bin that has the bin's extreme value."""
    best = reduce.reduceat(values, first)
    bins = np.repeat(np.arange(first.size), np.diff(first, append=values.size))
    hits = np.flatnonzero(values == best[bins])
    return np.asarray(hits[np.diff(bins[hits], prepend=-1) > 0])
