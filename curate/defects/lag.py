"""By how much one clock runs before another, told from two signals that rise and fall together.

The model is seen(t) = g * told(t + lag + drift * t) + what else shows in it, t from the middle on: a coarse search for
the greatest correlation, then Gauss-Newton steps. Neighbouring residuals are alike, and larger where it turns more, so
errors are told by the jackknife over tenths of the clip (Quenouille 1956): the residuals' covariance told half of them.

Shapes: N samples of what is seen, M of what is told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trigger.telemetry import Times, Values

SEARCH_S, SEARCH_STEP_S = 0.6, 0.04
DRIFT_STEP = 0.02
STEPS = 8
LEAST_SAMPLES = 30
BLOCKS = 10
SMALLEST_GAIN = 1e-12


@dataclass(frozen=True)
class Lag:
    """`lag_s`: so much later is told what is seen; it grows by `drift` (s/s) through the clip. Each with its standard
    error. `correlation` of the two at that lag, less what else shows in them."""

    lag_s: float
    lag_error_s: float
    drift: float
    drift_error: float
    correlation: float


def lag_of(seen_ns: Times, seen: Values, told_ns: Times, told: Values, beside: Values) -> Lag | None:
    """None where one of them does not change, or too few samples remain inside the span of `told`.

    Args:
        seen: (N,) at seen_ns (N,) int64 ns. told: (M,) at told_ns (M,) int64 ns; interpolated.
        beside: (N, K) what else shows in `seen`, and must not pass for a lag.
    """
    used = (seen_ns >= told_ns[0]) & (seen_ns <= told_ns[-1])
    if used.sum() < LEAST_SAMPLES or np.ptp(seen[used]) == 0 or np.ptp(told) == 0:
        return None
    middle = int(seen_ns[0]) + int(seen_ns[-1] - seen_ns[0]) // 2
    seen_s, told_s, seen = (seen_ns[used] - middle) / 1e9, (told_ns - middle) / 1e9, seen[used]
    others = np.column_stack([np.ones(seen.size), seen_s, seen_s**2, beside[used]])
    lag, drift = _coarse(seen_s, seen, told_s, told), 0.0
    for _ in range(STEPS):
        design = np.column_stack([_of_told(seen_s, told_s, told, lag, drift), others])
        solved, *_ = np.linalg.lstsq(design, _without_outliers(seen, design), rcond=None)
        if abs(solved[0]) < SMALLEST_GAIN:
            return None
        lag += float(np.clip(solved[1] / solved[0], -SEARCH_STEP_S, SEARCH_STEP_S))
        drift += float(np.clip(solved[2] / solved[0], -DRIFT_STEP, DRIFT_STEP))
    return _with_errors(seen, design, lag, drift)


def correlation(seen: Values, told: Values) -> float:
    """Pearson's r; 0 where one of them does not change."""
    a, b = seen - seen.mean(), told - told.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 else 0.0


def _coarse(seen_s: Values, seen: Values, told_s: Values, told: Values) -> float:
    lags = np.arange(-SEARCH_S, SEARCH_S + SEARCH_STEP_S / 2, SEARCH_STEP_S)
    alike = [abs(correlation(seen, np.interp(seen_s + lag, told_s, told))) for lag in lags]
    return float(lags[int(np.argmax(alike))])


def _of_told(seen_s: Values, told_s: Values, told: Values, lag: float, drift: float) -> Values:
    """(N, 3): what is told, its slope, and its slope times the time."""
    at, half = seen_s + lag + drift * seen_s, SEARCH_STEP_S / 2
    slope = (np.interp(at + half, told_s, told) - np.interp(at - half, told_s, told)) / (2 * half)
    return np.column_stack([np.interp(at, told_s, told), slope, slope * seen_s])


def _without_outliers(seen: Values, design: Values) -> Values:
    """What a passing lorry does to the picture must not decide: residuals beyond 3 robust deviations are cut off."""
    solved, *_ = np.linalg.lstsq(design, seen, rcond=None)
    fitted = design @ solved
    rest = seen - fitted
    bound = 3 * 1.4826 * float(np.median(np.abs(rest - np.median(rest)))) + 1e-12
    return np.asarray(fitted + np.clip(rest, -bound, bound), np.float64)


def _with_errors(seen: Values, design: Values, lag: float, drift: float) -> Lag | None:
    """Leave out each tenth of the clip in turn, and see how far the answer moves."""
    kept = _without_outliers(seen, design)
    blocks = np.array_split(np.arange(seen.size), BLOCKS)
    squares = np.stack([design[b].T @ design[b] for b in blocks])
    products = np.stack([design[b].T @ kept[b] for b in blocks])
    try:
        without = np.linalg.solve(squares.sum(axis=0) - squares, (products.sum(axis=0) - products)[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        return None
    steps = without[:, 1:3] / without[:, :1]
    error = np.sqrt((BLOCKS - 1) / BLOCKS * ((steps - steps.mean(axis=0)) ** 2).sum(axis=0))
    alike = correlation(_without(design[:, 3:], kept), _without(design[:, 3:], design[:, 0]))
    return Lag(lag, float(error[0]), drift, float(error[1]), alike)


def _without(others: Values, values: Values) -> Values:
    """(N,) values less what others (N, K) explain of them."""
    solved, *_ = np.linalg.lstsq(others, values, rcond=None)
    return np.asarray(values - others @ solved, np.float64)
