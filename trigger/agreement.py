"""Do two signals that say the same thing agree? Straight-line statistics that are gathered block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trigger.telemetry import Values


@dataclass(frozen=True)
class Agreement:
    """Pairs (x, y): their number and sums. `+` joins those of two pieces of a recording."""

    n: int = 0
    sums: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)

    @staticmethod
    def of(x: Values, y: Values) -> Agreement:
        """Of x and y (N,); pairs with a NaN are left out."""
        both = ~(np.isnan(x) | np.isnan(y))
        x, y = x[both], y[both]
        products = (x, y, x * x, y * y, x * y)
        return Agreement(int(x.size), tuple(float(p.sum()) for p in products))  # type: ignore[arg-type]

    def __add__(self, other: Agreement) -> Agreement:
        sums = tuple(a + b for a, b in zip(self.sums, other.sums, strict=True))
        return Agreement(self.n + other.n, sums)  # type: ignore[arg-type]

    @property
    def correlation(self) -> float:
        """Pearson's r; 0 where one of them does not change."""
        x, y, xx, yy, xy = self.sums
        spread = (self.n * xx - x * x) * (self.n * yy - y * y)
        return float((self.n * xy - x * y) / np.sqrt(spread)) if spread > 0 else 0.0

    @property
    def ratio(self) -> float:
        """Size of y for one x: the root of their mean squares, which noise in either biases least; 0 without pairs."""
        _, _, xx, yy, _ = self.sums
        return float(np.sqrt(yy / xx)) if xx > 0 else 0.0
