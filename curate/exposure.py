"""How often each kind of event happens per mile driven, estimated from the seconds that arrived.

- Miles: the sum of speed / inclusion probability over the seconds (Horvitz and Thompson 1952), unbiased for all that
  was driven, arrived or not. Where a device's miles are known, such as from its odometer, its drives are scaled to
  them, and one that sent nothing counts too: a known total is better than an estimated one.
- Events: one each, in the second it begins in, over the probability that an event clip covers that second.
- The interval is that of the ratio of the two, clustered by drive, as the seconds of a drive resemble each other; by
  device from `FEWEST_DEVICES` on. It speaks of driving like this, of which these drives are a sample, and so holds the
  luck of the draw and that of the road.
- Seconds without a speed, and synthetic ones, count neither miles nor events.

Not covered: kinds of campaigns that keep only a share of their events, whose own chance a second does not tell (they
come out too rare); cars that were never heard from; what else a drive's clips were lost for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from curate.seconds import Second
from curate.shares import NOBODY

METRES_A_MILE = 1609.344
FEWEST_DEVICES = 20
"""With fewer clusters than this the spread between them is not known well enough."""
NO_CHANCE = 1e-6
"""An event probability below this is the rounding of a subtraction: the inclusion probability stands in for it."""

SMALLEST, LARGEST_REACH = 1e-9, 500.0
"""So that nothing divides by 0 or overflows where an interval says nothing anyway."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rate:
    """How often a kind happens.

    Attributes:
        known: events that arrived. events: in all that was driven, estimated.
        miles: driven, estimated or known.
        low, high: 95 % interval of `a_mile`.
    """

    known: int
    events: float
    miles: float
    low: float
    high: float

    @property
    def a_mile(self) -> float:
        return self.events / self.miles


def rates(seconds: Sequence[Second], driven: Mapping[str, float] | None = None) -> dict[str, Rate]:
    """Of every kind that begins in any of the seconds; none where no second has a speed.

    Args:
        driven: miles of the devices whose miles are known.
    """
    counted = [second for second in seconds if math.isfinite(second.speed_mps) and not second.synthetic]
    clusters = _clusters(counted)
    miles = _miles(counted, clusters, driven or {})
    if not miles.sum() > 0.0:
        return {}
    found = {}
    for kind in sorted({kind for second in counted for kind in second.onsets}):
        weights = np.array([1.0 / chance_of_events(s) if kind in s.onsets else 0.0 for s in counted])
        events = np.asarray(np.bincount(clusters, weights, miles.size), np.float64)
        low, high = rate_interval(events, miles)
        found[kind] = Rate(int((weights > 0).sum()), float(events.sum()), float(miles.sum()), low, high)
    return found


def chance_of_events(second: Second) -> float:
    """Probability that an event of this second is known."""
    chance = second.event_probability
    return chance if chance > NO_CHANCE else second.inclusion_probability


def miles_of(second: Second) -> float:
    """Miles driven that the second stands for; NaN where it has no speed."""
    return abs(second.speed_mps) / METRES_A_MILE / second.inclusion_probability


def rate_interval(events: Floats, miles: Floats, heaviest: float = 1.0, level: float = 0.95) -> tuple[float, float]:
    """Interval of (sum of events) / (sum of miles), both estimated, whose clusters are a sample of such clusters.

    Jackknife variance of the ratio (each cluster's residual over 1 - its share of the miles), on the logarithm, with
    Student's t of as many clusters as the miles are effectively spread over, less 1. Of the ways tried on simulated
    fleets this covers best; docs/weights.md says what it covers, and where it does not.

    Args:
        events, miles: (C,) estimated totals of each cluster, one without events included.
        heaviest: what one event would count for, had it arrived: with none known the upper end is the exact one,
            -ln(0.025) events of that weight.

    Returns:
        low, high; 0 and infinity where a single cluster, or none that varies, says nothing.
    """
    whole, total = float(miles.sum()), float(events.sum())
    tail, share = (1.0 - level) / 2, miles / whole
    if total == 0.0:
        return 0.0, -math.log(tail) * heaviest / whole
    residuals = (events - share * total) / np.maximum(1.0 - share, SMALLEST)
    error = math.sqrt(float((residuals**2).sum())) / total
    if share.max() > 1.0 - SMALLEST or error < SMALLEST:
        return 0.0, math.inf
    reach = error * _student(1.0 - tail, max(1.0, 1.0 / float((share**2).sum()) - 1.0))
    factor = math.exp(min(reach, LARGEST_REACH))
    return total / whole / factor, total / whole * factor


def _student(probability: float, freedom: float) -> float:
    """Quantile of Student's t by Abramowitz and Stegun 26.7.5; at 0.975 it is 11 % low for 1, 0.7 % for 2 degrees."""
    x = NormalDist().inv_cdf(probability)
    terms = (
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160,
    )
    return x + sum(term / freedom ** (power + 1) for power, term in enumerate(terms))


def _clusters(seconds: Sequence[Second]) -> NDArray[np.intp]:
    """Number of the cluster of each second, (N,)."""
    devices = {second.device for second in seconds} - {NOBODY}
    names = [s.driver if len(devices) >= FEWEST_DEVICES else s.drive_id for s in seconds]
    return np.unique(names, return_inverse=True)[1] if names else np.empty(0, np.intp)


def _miles(seconds: Sequence[Second], clusters: NDArray[np.intp], driven: Mapping[str, float]) -> Floats:
    """Miles of each cluster; devices that drove and sent nothing are further clusters."""
    own = np.array([miles_of(second) for second in seconds])
    heard = np.array([second.device for second in seconds])
    silent = []
    for device, known in sorted(driven.items()):
        theirs = heard == device
        estimated = float(own[theirs].sum())
        if estimated > 0.0:
            own[theirs] *= known / estimated
        else:
            silent.append(known)
    return np.concatenate([np.bincount(clusters, own), silent])
