"""Miles between disengagements, with the interval that so few events allow.

k disengagements in m miles: the exact interval of the expected count is [chi2(a/2, 2k)/2, chi2(1 - a/2, 2k + 2)/2]
(Garwood 1936), its lower end 0 for k = 0; so the miles between them lie in [m / upper, m / lower], unbounded above for
k = 0.

Of two: given both counts, the share of one is binomial (Przyborowski and Wilenski 1940), and Clopper and Pearson's
limits of the share give those of the ratio.

All of it holds for one policy on one exam, with disengagements that come independently of one another: how trainings
and places differ is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from scipy.stats import beta, binomtest, chi2

METRES_PER_MILE = 1609.344


@dataclass(frozen=True)
class Miles:
    """`count` disengagements in `miles`."""

    count: int
    miles: float

    @property
    def between(self) -> float | None:
        """Miles between disengagements; None where there was none."""
        return self.miles / self.count if self.count else None

    def interval(self, confidence: float = 0.95) -> tuple[float, float | None]:
        """(low, high) of the miles between disengagements; None: unbounded."""
        tail = (1.0 - confidence) / 2
        upper = float(chi2.ppf(1.0 - tail, 2 * self.count + 2)) / 2
        lower = float(chi2.ppf(tail, 2 * self.count)) / 2 if self.count else 0.0
        return self.miles / upper, self.miles / lower if lower > 0 else None

    def __add__(self, other: Miles) -> Miles:
        return Miles(self.count + other.count, self.miles + other.miles)

    def __str__(self) -> str:
        low, high = self.interval()
        told = "none in" if self.between is None else f"{self.between:.3g} in"
        return f"{told} {self.miles:.1f} ({low:.3g} to {'any' if high is None else format(high, '.3g')})"

    def to_json(self) -> dict[str, Any]:
        low, high = self.interval()
        return {
            "disengagements": self.count,
            "miles": round(self.miles, 3),
            "miles_between": self.between,
            "interval_95": [low, high],
        }


def ratio_interval(new: Miles, old: Miles, confidence: float = 0.95) -> tuple[float, float | None]:
    """Two-sided interval of the ratio of miles between disengagements, new to old; None: unbounded."""
    tail = (1.0 - confidence) / 2
    return lower_limit(new, old, tail), None if not new.count else 1.0 / max(lower_limit(old, new, tail), 1e-12)


def lower_limit(new: Miles, old: Miles, tail: float) -> float:
    """One-sided lower limit of the ratio of miles between disengagements, new to old."""
    if not old.count or not old.miles or not new.miles:
        return 0.0
    share = float(beta.ppf(tail, old.count, new.count + 1))
    return share / (1.0 - share) * new.miles / old.miles


def chance_alike(new: Miles, old: Miles, alternative: Literal["two-sided", "greater"] = "two-sided") -> float:
    """How likely counts so far apart are, or further, were both as good; "greater": with as many of the new one."""
    total, exposed = new.count + old.count, new.miles + old.miles
    if not total or not exposed:
        return 1.0
    return float(binomtest(new.count, total, new.miles / exposed, alternative).pvalue)
