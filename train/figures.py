"""Errors of predictions against labels: pure functions over arrays.

NaN in either is a pair that does not exist; figures of no pair are None, never 0.

Shapes: S samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """Errors over `n` samples, in the control's unit; `r` is Pearson's correlation.

    `rmse_rad` is given for steering in degrees, so that it can be compared with published figures.
    """

    n: int
    rmse: float | None
    mae: float | None
    r: float | None
    rmse_rad: float | None = None


def figures(predicted: Floats, label: Floats, unit: str = "", weight: Floats | None = None) -> Figures:
    """Compare two (S,) arrays.

    Args:
        unit: of both; "deg" adds `rmse_rad`.
        weight: (S,), importance of each sample; equal unless told.
    """
    pairs = ~(np.isnan(predicted) | np.isnan(label))
    n = int(pairs.sum())
    if n == 0:
        return Figures(0, None, None, None)
    w = np.ones(n) if weight is None else weight[pairs]
    w = w / w.sum()
    x, y = predicted[pairs], label[pairs]
    rmse = float(np.sqrt((w * (x - y) ** 2).sum()))
    return Figures(
        n=n,
        rmse=rmse,
        mae=float((w * np.abs(x - y)).sum()),
        r=_correlation(x, y, w),
        rmse_rad=float(np.deg2rad(rmse)) if unit == "deg" else None,
    )


def _correlation(x: Floats, y: Floats, w: Floats) -> float | None:
    x, y = x - (w * x).sum(), y - (w * y).sum()
    spread = float(np.sqrt((w * x**2).sum() * (w * y**2).sum()))
    # A constant prediction has no correlation with anything; rounding leaves it a spread near zero.
    return float((w * x * y).sum() / spread) if spread > 1e-9 * max(1.0, float(np.abs(y).max())) else None
