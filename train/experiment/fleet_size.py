"""How many cars it takes to have met a kind of event so often within a day, from the rate that a few cars measured.

Kinds begin as a Poisson process over miles whose rate is known from k events in m miles. What a fleet meets in a day is
simulated: a rate from its posterior (Gamma(k + 1/2, m), Jeffreys' prior), then a count, many times for each size of
fleet. Every car drives `MILES_A_DAY`, and cars are alike; where they differ, or events come in heaps, it takes more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MILES_A_DAY = 30.0
"""About what a driver in the United States does (AAA Foundation, American Driving Survey)."""
SIZES = np.unique(np.round(np.logspace(0, 6, 61)).astype(np.int64))
"""Cars, from one to a million."""
DRAWS = 2000


@dataclass(frozen=True)
class Met:
    """What fleets of `SIZES` meet of a kind in a day.

    Attributes:
        middle, low, high: (F,) median of the draws, and the ends of 90 % of them.
        cars: number wanted to the smallest of those fleets that meets it so often in 19 days of 20; None where a
            million cars do not.
    """

    a_mile: float
    middle: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    cars: Mapping[int, int | None]


def met(seen: int, miles: float, wanted: tuple[int, ...] = (10, 100), seed: int = 0) -> Met:
    """Simulate. Raises ValueError where no mile was driven."""
    if not miles > 0:
        raise ValueError(f"{seen} events in {miles} miles")
    chance = np.random.Generator(np.random.PCG64(seed))
    rate = chance.gamma(seen + 0.5, 1.0 / miles, DRAWS)
    counts = chance.poisson(rate[:, None] * MILES_A_DAY * SIZES)
    low, middle, high = np.percentile(counts, [5, 50, 95], axis=0)
    cars = {
        number: next((int(size) for size, count in zip(SIZES, low, strict=True) if count >= number), None)
        for number in wanted
    }
    return Met(seen / miles, middle, low, high, cars)
