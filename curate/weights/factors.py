"""A weight and the factors it is made of, each a column of the dataset, so that a weight can always say why.

    weight = min(kind * rarity * surprise * driver, cap) * duplicate * quality * label * by_inclusion

The four that make a second rare are capped together: one rare second of a rare kind must not fill every batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Factors = NDArray[np.float64]

CAPPED = ("kind", "rarity", "surprise", "driver")
FACTORS = ("kind", "rarity", "duplicate", "quality", "surprise", "driver", "label")
"""What each says:
    kind        how rare the kind of event is; 1 where nothing happened
    rarity      how rare its controls, its picture and its severity are
    duplicate   below 1 where other clips show the same
    quality     how well whoever drove drives
    surprise    how wrong a policy was
    driver      how unusual it is for whoever drove
    label       share of the second in which a human moved a control: nobody may learn from the rest
"""


@dataclass(frozen=True)
class Weights:
    """Factors and what they make.

    Attributes:
        factors: every name of `FACTORS` to (N,) float64.
        cap: the product of the `CAPPED` ones is never above it.
        by_inclusion: (N,) 1 / inclusion probability where the recipe asks for it, else 1.
    """

    factors: Mapping[str, Factors]
    cap: float
    by_inclusion: Factors

    @staticmethod
    def of(seconds: int, cap: float = np.inf, by_inclusion: Factors | None = None, **factors: Factors) -> Weights:
        """Of so many seconds; factors that are not named are 1."""
        whole = {name: factors.pop(name, np.ones(seconds)) for name in FACTORS}
        assert not factors, f"no factors: {sorted(factors)}"
        return Weights(whole, cap, np.ones(seconds) if by_inclusion is None else by_inclusion)

    @property
    def product(self) -> Factors:
        """(N,) float64, not yet scaled to a mean of 1."""
        rare = np.prod([self.factors[name] for name in CAPPED], axis=0)
        others = np.prod([self.factors[name] for name in FACTORS if name not in CAPPED], axis=0)
        return np.asarray(np.minimum(rare, self.cap) * others * self.by_inclusion, np.float64)


def effective_size(weights: Factors) -> float:
    """Kish's effective sample size: (sum w)^2 / sum w^2; 0 for no weight at all."""
    square = float((weights**2).sum())
    return float(weights.sum()) ** 2 / square if square else 0.0


def largest_weight(weights: Factors) -> float:
    """Share of the total that the heaviest second holds; 0 for no weight at all."""
    total = float(weights.sum())
    return float(weights.max(initial=0.0)) / total if total else 0.0
