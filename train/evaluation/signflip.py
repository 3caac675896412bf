"""Whether two policies differ: a test that assumes nothing of how errors are spread.

Were both the same, each block's difference could as well have had the other sign (Fisher's randomisation; Good 2005,
"Permutation, Parametric and Bootstrap Tests of Hypotheses"). The signs of all blocks are thrown `FLIPS` times with a
fixed seed; p is the share of throws whose sum is at least as far from 0, the one seen among them, so it is never 0.
With B blocks p cannot be below 2 / 2^B either.

Many slices make many chances of a false find: Holm's correction (1979) keeps the chance of any below the level,
however slices overlap.

Shapes: B blocks, M tests.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from train.evaluation.bootstrap import MIN_BLOCKS, SEED

Floats = NDArray[np.float64]

FLIPS = 4999
AT_ONCE = 4_000_000
"""Signs held in memory at a time."""


def sign_flip(differences: Floats) -> float | None:
    """Two-sided p of (B,) sums of differences, None below `MIN_BLOCKS` blocks."""
    blocks = differences.size
    if blocks < MIN_BLOCKS:
        return None
    chance = np.random.default_rng([SEED, blocks])
    # What is equal in exact numbers may differ in the last bit.
    seen, left = abs(float(differences.sum())) * (1.0 - 1e-12), FLIPS
    as_far = 1
    while left:
        rows = min(left, max(1, AT_ONCE // blocks))
        signs = chance.integers(0, 2, (rows, blocks), np.int8) * 2 - 1
        as_far += int((np.abs(signs @ differences) >= seen).sum())
        left -= rows
    return as_far / (FLIPS + 1)


def holm(p: Sequence[float | None]) -> list[float | None]:
    """(M,) p values corrected for how many there are; None stays and does not count."""
    known = sorted((value, place) for place, value in enumerate(p) if value is not None)
    corrected: list[float | None] = [None] * len(p)
    most = 0.0
    for rank, (value, place) in enumerate(known):
        most = max(most, min(1.0, value * (len(known) - rank)))
        corrected[place] = most
    return corrected
