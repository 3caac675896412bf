"""How many miles until so many more examples of a kind arrive, if driving and choosing go on as they did.

Events are a Poisson process over miles of unknown rate, of which k arrived in m miles. The miles D until N more are a
gamma variable over the rate, as the m miles until the k-th were, so D / (D + m) has the beta distribution B(N, k),
whatever the rate: an exact prediction interval, that knows how little a few events tell of their rate. For whole
numbers its distribution is a binomial tail (the negative binomial's way of waiting): D <= d exactly when, of
N + k - 1 coin tosses that show heads with probability d / (d + m), at least N do.

It is not for clustered events, which come in heaps: with those the wait varies more.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, log1p

import numpy as np

HALVINGS = 50


@dataclass(frozen=True)
class Wait:
    """Miles until `wanted` more examples: as likely less as more than `middle`; 95 % between `low` and `high`."""

    wanted: int
    low: float
    middle: float
    high: float


def miles_until(wanted: int, seen: int, miles: float) -> Wait:
    """Where nothing was seen yet, the wait has no bound. Raises ValueError where `wanted` or `miles` is not above 0."""
    if wanted < 1 or not miles > 0:
        raise ValueError(f"{wanted} examples after {miles} miles")
    if seen == 0:
        return Wait(wanted, 0.0, inf, inf)
    shares = [_quantile(q, wanted, seen) for q in (0.025, 0.5, 0.975)]
    return Wait(wanted, *(miles * share / (1 - share) for share in shares))


def _quantile(chance: float, wanted: int, seen: int) -> float:
    """Of the beta distribution B(wanted, seen), by halving; the tail is summed over the side that has fewer terms."""
    tosses = wanted + seen - 1
    heads = np.arange(wanted) if wanted <= seen else np.arange(wanted, tosses + 1)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, tosses + 1)))])
    log_ways = log_factorial[tosses] - log_factorial[heads] - log_factorial[tosses - heads]
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        p = (low + high) / 2
        share = float(np.exp(log_ways + heads * log(p) + (tosses - heads) * log1p(-p)).sum())
        if (1.0 - share if wanted <= seen else share) < chance:
            low = p
        else:
            high = p
    return (low + high) / 2
