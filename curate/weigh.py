"""What a second is worth in training: event kind x rarity x whether there is anything to learn from it.

Every factor is a column of the dataset, so that a weight can always say why. Sampling by inverse density of the
controls is the strong simple recipe of CoVLA (Arai et al. 2024); square roots and caps keep a handful of odd
seconds from filling every batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.seconds import Second
from trigger.baseline import KIND as BASELINE

Factors = NDArray[np.float64]
SMALLEST_DENSITY = 1e-9
"""Of seconds further from every known one than a kernel reaches."""
SMALLEST_SPREAD = 1e-6
"""A signal that varies less than this, in its own unit, does not vary: deg of steering or m/s of speed."""


@dataclass(frozen=True)
class Recipe:
    """How weights are made.

    Attributes:
        kind_power: a kind's factor is (seconds / seconds of that kind) ** kind_power.
        rarity_power: a second's factor is (median density / its density) ** rarity_power.
        cap: no factor, and no product of kind and rarity, is above this; no rarity is below its inverse.
        neighbour: bandwidth of the density, as a share of the spread (interquartile range / 1.349).
    """

    kind_power: float = 0.5
    rarity_power: float = 0.5
    cap: float = 5.0
    neighbour: float = 0.25


DEFAULT = Recipe()


@dataclass(frozen=True)
class Weights:
    """Factors and what they make, each (N,) float64; the product is not yet scaled to a mean of 1."""

    kind: Factors
    rarity: Factors
    label: Factors
    cap: float

    @property
    def product(self) -> Factors:
        """min(kind * rarity, cap) * label: one rare second in a rare event must not fill every batch."""
        return np.minimum(self.kind * self.rarity, self.cap) * self.label


def weigh(seconds: Sequence[Second], reference: Sequence[bool] | None = None, recipe: Recipe = DEFAULT) -> Weights:
    """Weigh every second against those that may be trained on.

    Args:
        reference: (N,) whether a second belongs to the training split; what is rare is judged by these alone, so that
            the exam's labels do not reach the training's weights. All where None, or where none is marked.
    """
    label = np.array([second.human_share for second in seconds])
    known = np.ones(len(seconds), bool) if reference is None or not any(reference) else np.array(reference, bool)
    return Weights(kind_factors(seconds, known, recipe), rarity_factors(seconds, known, recipe), label, recipe.cap)


def kind_factors(seconds: Sequence[Second], known: NDArray[np.bool_], recipe: Recipe = DEFAULT) -> Factors:
    """Rarer kinds weigh more; a second of several kinds takes the greatest. Baseline and none count 1."""
    train = [second for second, is_known in zip(seconds, known, strict=True) if is_known]
    counts = Counter(kind for second in train for kind in second.events if kind != BASELINE)
    kinds = {kind for second in seconds for kind in second.events if kind != BASELINE}
    factor = {kind: (len(train) / max(1, counts[kind])) ** recipe.kind_power for kind in kinds}
    each = [max((factor.get(kind, 1.0) for kind in second.events), default=1.0) for second in seconds]
    return np.minimum(np.array(each, np.float64), recipe.cap)


def rarity_factors(seconds: Sequence[Second], known: NDArray[np.bool_], recipe: Recipe = DEFAULT) -> Factors:
    """Inverse density of (mean steering, change of speed), Gaussian kernel; 1 where neither is recorded."""
    features = [
        _scaled(np.array([getattr(second, name) for second in seconds]), known) for name in ("steering", "speed_change")
    ]
    present = [feature for feature in features if feature is not None]
    if not present:
        return np.ones(len(seconds))
    points = np.stack(present, axis=1) / recipe.neighbour
    density = np.maximum(_density(points, points[known]), SMALLEST_DENSITY)
    usual = float(np.median(density[known]))
    return np.clip((usual / density) ** recipe.rarity_power, 1 / recipe.cap, recipe.cap)


def _scaled(values: Factors, known: NDArray[np.bool_]) -> Factors | None:
    """In units of the known values' spread; a missing value counts as ordinary (the median)."""
    present = values[known & np.isfinite(values)]
    if present.size < 2:
        return None
    low, middle, high = np.percentile(present, [25, 50, 75])
    spread = (high - low) / 1.349 or float(present.std())
    if spread < SMALLEST_SPREAD:
        return None
    return np.asarray(np.where(np.isfinite(values), (values - middle) / spread, 0.0), np.float64)


def _density(points: Factors, reference: Factors, block: int = 1024) -> Factors:
    """Mean Gaussian kernel to the reference; (N, D), (M, D) -> (N,), in blocks so that memory stays small."""
    rows = []
    for at in range(0, len(points), block):
        square = ((points[at : at + block, None, :] - reference[None, :, :]) ** 2).sum(axis=2)
        rows.append(np.exp(-0.5 * square).mean(axis=1))
    return np.concatenate(rows)


def effective_size(weights: Factors) -> float:
    """Kish's effective sample size: (sum w)^2 / sum w^2; 0 for no weight at all."""
    square = float((weights**2).sum())
    return float(weights.sum()) ** 2 / square if square else 0.0
