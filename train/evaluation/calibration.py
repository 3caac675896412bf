"""Whether a policy is as sure as it may be: how often the human's control lies inside the interval it states.

A policy states a mean and a standard deviation, read as a normal distribution. Of labels inside its central interval
of 80 %, four fifths should be found; fewer and it is too sure, more and it doubts too much. The calibration error is
the mean distance of the found share from the stated one over `LEVELS` (after Kuleshov et al. 2018, "Accurate
Uncertainties for Deep Learning Using Calibrated Regression", with central intervals): 0 is perfect, 0.5 the worst.

Calibrated is not the same as useful: a policy that always states the spread of the labels is calibrated too. So the
mean stated deviation stands beside it.

Shapes: S samples, L levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from train.evaluation.bootstrap import Estimate, Index, estimate

Floats = NDArray[np.float64]

TOLD = (0.5, 0.8, 0.95)
"""Levels given with their intervals."""
LEVELS = tuple(step / 20 for step in range(1, 20))


@dataclass(frozen=True)
class Calibration:
    """Of one control at one step.

    Attributes:
        covered: share of labels inside the stated intervals of `TOLD`. curve: the same for each of `LEVELS`.
        error: mean distance of `curve` from `LEVELS`, 0 to 0.5. std: mean stated deviation, in the control's unit.
    """

    n: int
    covered: tuple[Estimate, ...]
    curve: tuple[float, ...]
    error: float | None
    std: float | None


def calibration(label: Floats, mean: Floats, std: Floats, weight: Floats, block: Index) -> Calibration:
    """Of (S,) labels, NaN where there is none, and what was stated; `block` (S,) as in `train.evaluation.blocks`."""
    known = ~np.isnan(label) & (weight > 0)
    off, weight, block = np.abs(label - mean)[known] / std[known], weight[known], block[known]
    if not off.size:
        return Calibration(0, tuple(estimate(off, off, block) for _ in TOLD), (), None, None)
    curve = tuple(float(np.average(_inside(off, level), weights=weight)) for level in LEVELS)
    return Calibration(
        n=int(off.size),
        covered=tuple(estimate(weight * _inside(off, level), weight, block).mapped(_share) for level in TOLD),
        curve=curve,
        error=_distance(curve),
        std=float(np.average(std[known], weights=weight)),
    )


def _inside(off: Floats, level: float) -> Floats:
    return (off <= NormalDist().inv_cdf((1.0 + level) / 2.0)).astype(np.float64)


def _distance(curve: Sequence[float]) -> float:
    return float(np.mean(np.abs(np.array(curve) - np.array(LEVELS))))


def _share(value: float) -> float:
    return min(value, 1.0)
