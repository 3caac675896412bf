"""How the errors of two sets of predictions compare: pure functions over arrays, which gates ask.

What is compared are squared errors, sample by sample: the bend that is hard for one is hard for the other, and pairing
takes that out. A ratio below 1 says that the candidate errs less; ratios of root mean squares are the roots of these.
"Not worse than 2 %" is `at_most <= 1.02`, and where that cannot be told, `at_most` is None.

Interval and p value are drawn over the same blocks (`train.evaluation.blocks`).

Shapes: S samples, A controls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.evaluation.bootstrap import MIN_BLOCKS, TWO_SIDED, block_sums, bounds
from train.evaluation.signflip import sign_flip

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

LEVEL = 0.05
"""A difference is told by a p below it."""
ONE_SIDED = 0.95
TOO_FEW, SAME, UNTOLD, BETTER, WORSE = "too few", "the same", "no difference told", "better", "worse"


@dataclass(frozen=True)
class Ratio:
    """Squared errors of a candidate over those of a baseline, on the same `n` samples in `blocks` blocks.

    Attributes:
        candidate, baseline: mean squared errors, in the control's unit squared; None without a sample.
        value: their ratio. low, high: its 95 % interval. at_most: it lies below this with a confidence of 95 %.
        p: of no difference, two-sided. All None where there are too few blocks, or nothing to divide by.
    """

    n: int
    blocks: int
    candidate: float | None
    baseline: float | None
    value: float | None
    low: float | None
    high: float | None
    at_most: float | None
    p: float | None


def compare(
    candidate: Floats, baseline: Floats, label: Floats, block: Index, weight: Floats | None = None
) -> tuple[Ratio, ...]:
    """For each control, how the squared errors of two sets of predictions compare.

    Args:
        candidate, baseline, label: (S, A); a pair counts where none of the three is NaN.
        block: (S,) of each sample, see `train.evaluation.blocks.find_blocks`.
        weight: (S,) importance, 0 leaves a sample out; equal unless told.
    """
    weight = np.ones(len(label)) if weight is None else weight
    first, second = (candidate - label) ** 2, (baseline - label) ** 2
    return tuple(_ratio(first[:, place], second[:, place], block, weight) for place in range(label.shape[1]))


def verdict(ratio: Ratio, p: float | None) -> str:
    """What a ratio says of the candidate, given its p (corrected where there are several).

    A difference is told where both p and the interval tell it: with few blocks that all lean one way p can be small
    while the size is open.
    """
    if ratio.n and ratio.candidate == ratio.baseline:
        return SAME
    if ratio.blocks < MIN_BLOCKS:
        return TOO_FEW
    if p is None or p >= LEVEL or ratio.low is None or ratio.high is None:
        return UNTOLD
    return BETTER if ratio.high < 1.0 else WORSE if ratio.low > 1.0 else UNTOLD


def _ratio(first: Floats, second: Floats, block: Index, weight: Floats) -> Ratio:
    known = ~(np.isnan(first) | np.isnan(second)) & (weight > 0)
    w, own = weight[known], block[known]
    tops, bottoms = block_sums(w * first[known], own), block_sums(w * second[known], own)
    n, top, bottom = int(known.sum()), float(tops.sum()), float(bottoms.sum())
    first_mean, second_mean = (top / float(w.sum()), bottom / float(w.sum())) if n else (None, None)
    value = top / bottom if bottom > 0 else None
    if n and np.array_equal(tops, bottoms):
        # Nothing differs, so nothing varies either.
        low = high = at_most = value
    else:
        low, high, at_most = bounds(tops, bottoms, (*TWO_SIDED, ONE_SIDED))
    return Ratio(n, len(tops), first_mean, second_mean, value, low, high, at_most, sign_flip(tops - bottoms))
