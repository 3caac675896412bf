"""Intervals for a ratio of two sums over samples that come in blocks.

A mean squared error is such a ratio (weighted squares over weights), and so are the share of labels inside a stated
interval and the errors of one policy over those of another.

Blocks are drawn with replacement, `RESAMPLES` times with a fixed seed. The interval is taken on the logarithm, where a
ratio is nearly symmetric: as many bootstrap standard errors to either side as Student's t says for one block less than
there are (Efron and Tibshirani 1993, chapters 12 and 13; the standard error times sqrt(B / (B - 1)), which resampling
makes too small). Simulated, with errors that are alike within a block, a 95 % interval held the truth 90 to 93 times of
100 from 5 to 40 blocks, and 87 to 89 times where some blocks are far harder than others; expanded percentiles held it
86 to 93 and 75 to 88 times, the studentised bootstrap 92 to 94 and 86 to 91, but with 5 blocks its intervals reach over
factors of a thousand.

Below `MIN_BLOCKS` blocks there is a value and no interval.

Shapes: S samples, B blocks, R resamples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

RESAMPLES = 2000
SEED = 20160925
MIN_BLOCKS = 5
TWO_SIDED = (0.025, 0.975)


@dataclass(frozen=True)
class Estimate:
    """A figure over `n` samples in `blocks` blocks, with its 95 % interval; None where it does not exist."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    blocks: int

    @property
    def too_few(self) -> bool:
        return self.blocks < MIN_BLOCKS

    def mapped(self, rising: Callable[[float], float]) -> Estimate:
        """The same of a rising function of the figure."""
        value, low, high = (None if x is None else rising(x) for x in (self.value, self.low, self.high))
        return Estimate(value, low, high, self.n, self.blocks)


def estimate(top: Floats, bottom: Floats, block: Index) -> Estimate:
    """sum(top) / sum(bottom) with its interval.

    Args:
        top, bottom: (S,) not negative; a sample that is NaN in either, or 0 in both, does not count.
        block: (S,) of each sample, as in `Blocks.of`.
    """
    known = ~(np.isnan(top) | np.isnan(bottom)) & ((top > 0) | (bottom > 0))
    tops, bottoms = block_sums(top[known], block[known]), block_sums(bottom[known], block[known])
    n, total = int(known.sum()), float(bottoms.sum())
    if not (n and total > 0):
        return Estimate(None, None, None, n, len(tops))
    low, high = bounds(tops, bottoms, TWO_SIDED)
    return Estimate(float(tops.sum()) / total, low, high, n, len(tops))


def block_sums(values: Floats, block: Index) -> Floats:
    """(S,) values to their sums over each block that occurs, (B,)."""
    _, place = np.unique(block, return_inverse=True)
    return np.asarray(np.bincount(place, weights=values), np.float64)


def bounds(tops: Floats, bottoms: Floats, levels: tuple[float, ...]) -> tuple[float | None, ...]:
    """One-sided bounds of the ratio at each level of confidence: 0.95 is below it with a chance of 95 %.

    Args:
        tops, bottoms: (B,) sums of each block.

    Returns:
        None each where there are too few blocks or one of the sums is 0.
    """
    blocks, top, bottom = tops.size, float(tops.sum()), float(bottoms.sum())
    if blocks < MIN_BLOCKS or not (top > 0 and bottom > 0):
        return (None,) * len(levels)
    drawn = draws(blocks)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(drawn @ tops) - np.log(drawn @ bottoms)
    # Only of blocks without any error can a resample have none.
    error = float(logs[np.isfinite(logs)].std()) * math.sqrt(blocks / (blocks - 1))
    return tuple(top / bottom * math.exp(student(level, blocks - 1) * error) for level in levels)


def student(level: float, freedom: int) -> float:
    """Quantile of Student's t distribution, by Cornish and Fisher's expansion (Abramowitz and Stegun 26.7.5).

    Within 0.001 of the tables from 4 degrees of freedom on, for levels from 0.025 to 0.975.
    """
    z = NormalDist().inv_cdf(level)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum(term / float(freedom) ** power for power, term in enumerate(terms))


@lru_cache(maxsize=2)
def draws(blocks: int) -> Floats:
    """(R, B): how often each block is drawn in each resample; the same at every call."""
    chance = np.random.default_rng([SEED, blocks])
    drawn = chance.integers(0, blocks, (RESAMPLES, blocks)) + np.arange(RESAMPLES)[:, None] * blocks
    counts = np.bincount(drawn.ravel(), minlength=RESAMPLES * blocks)
    return np.asarray(counts.reshape(RESAMPLES, blocks), np.float64)
