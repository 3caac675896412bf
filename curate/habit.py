"""How unusual a second is for whoever drove it: what is hard for a gentle driver is an ordinary day for another.

A driver's habit is the median, and the median absolute deviation, of the greatest longitudinal and lateral acceleration
in a second, over what is known of that driver, each second counted 1 / inclusion probability, so that the habit is of
all that was driven and not of what was uploaded. A second is as unusual as the more unusual of the two: robust z,
(value - median) / (1.4826 * deviation), 0 where it is below the median. Drivers of whom little is known have no habit,
and nothing they do is unusual.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from curate.seconds import Second

ENOUGH_SECONDS = 60
SMALLEST_DEVIATION_MPS2 = 0.1
"""Sensors tell no less apart: a car that stands all day is not startled by its own engine."""
ORDINARY_Z = 3.0
"""Of a normal distribution, one in 370 is further out on either side."""

Floats = NDArray[np.float64]
Known = NDArray[np.bool_]


def unusual(seconds: Sequence[Second], known: Known) -> Floats:
    """Robust z of every second, (N,) float64, at least 0.

    Args:
        known: (N,) the seconds that habits are learned from.
    """
    felt = np.array([(s.manner.longitudinal_mps2, s.manner.lateral_mps2) for s in seconds], np.float64).reshape(-1, 2)
    weight = np.array([1.0 / second.inclusion_probability for second in seconds])
    drivers, whose = np.unique([second.driver for second in seconds], return_inverse=True)
    z = np.zeros(felt.shape)
    order = np.argsort(whose, kind="stable")
    for theirs in np.split(order, np.searchsorted(whose[order], np.arange(1, drivers.size))):
        for axis in (0, 1):
            learned = theirs[known[theirs] & np.isfinite(felt[theirs, axis])]
            if learned.size >= ENOUGH_SECONDS:
                z[theirs, axis] = _robust_z(felt[theirs, axis], felt[learned, axis], weight[learned])
    return np.asarray(np.nan_to_num(z).max(axis=1, initial=0.0), np.float64)


def driver_factors(z: Floats, most: float) -> Floats:
    """1 up to `ORDINARY_Z`, then the square root of how many times that; at most `most`."""
    return np.clip(np.sqrt(z / ORDINARY_Z), 1.0, most)


def _robust_z(values: Floats, learned: Floats, weight: Floats) -> Floats:
    middle = weighted_median(learned, weight)
    deviation = 1.4826 * weighted_median(np.abs(learned - middle), weight)
    return (values - middle) / max(deviation, SMALLEST_DEVIATION_MPS2)


def weighted_median(values: Floats, weight: Floats) -> float:
    """The least value that half of the weight does not exceed; (N,), (N,) positive."""
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(share, share[-1] / 2)])
