"""A share of a few: what k of n says, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

FEWEST = 5
"""A share of fewer says nothing worth printing."""
Z = 1.959964
"""97.5 % quantile of the standard normal distribution."""


@dataclass(frozen=True)
class Share:
    """k of n."""

    k: int
    n: int

    @property
    def measurable(self) -> bool:
        return self.n >= FEWEST

    @property
    def interval(self) -> tuple[float, float]:
        """95 % score interval (Wilson 1927); 0 to 1 where n is 0."""
        if self.n == 0:
            return 0.0, 1.0
        p, spread = self.k / self.n, Z * Z / self.n
        middle = (p + spread / 2) / (1 + spread)
        half = Z / (1 + spread) * sqrt(p * (1 - p) / self.n + spread / (4 * self.n))
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        if not self.measurable:
            return f"not measurable ({self.k} of {self.n})"
        low, high = self.interval
        return f"{self.k} of {self.n} = {self.k / self.n:.2f} ({low:.2f} to {high:.2f})"
