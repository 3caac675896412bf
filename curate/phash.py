"""A picture's hash: 64 bits that stay nearly the same when it is encoded again, made brighter or smaller.

The DCT hash of Zauner, "Implementation and benchmarking of perceptual image hash functions" (2010), section 3.2.1: bit
k says whether the k-th of the 8 x 8 lowest coefficients is above their median, the mean left out of it. Here it is
taken of an area-averaged miniature, whatever its shape, for many pictures in one product.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Index = NDArray[np.int64]

SIDE = 8
BITS = SIDE * SIDE
FLATTEST = 8.0
"""Root mean square of the 63 coefficients, in grey levels of an orthonormal DCT of 18 x 32 pixels: a contrast of 2.6
levels. Below it bits are noise: black, fogged or frozen-grey pictures have no hash. 5,221 frames of real drives by
day have 75 and more."""
BLOCK = 1 << 20
"""Pairs compared at a time: 8 MiB."""


def picture_hashes(thumbs: NDArray[np.uint8]) -> tuple[Hashes, NDArray[np.bool_]]:
    """Hashes (N,) of miniatures (N, H, W) of luma, and whether each shows enough to have one."""
    low = dct_rows(thumbs.shape[1], SIDE) @ thumbs.astype(np.float32) @ dct_rows(thumbs.shape[2], SIDE).T
    low = low.reshape(len(thumbs), BITS)
    above = low > np.median(low[:, 1:], axis=1, keepdims=True)
    hashes = np.packbits(above, axis=1).view(np.uint64)[:, 0]
    return hashes, np.sqrt((low[:, 1:] ** 2).mean(axis=1)) >= FLATTEST


def pairs_within(a: Hashes, b: Hashes, bits: int) -> tuple[Index, Index]:
    """Every pair of an `a` (N,) and a `b` (M,) that differ in at most so many bits: rows and columns, (P,) each."""
    found = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    rows = max(1, BLOCK // max(1, b.size))
    for top in range(0, a.size, rows):
        for left in range(0, b.size, BLOCK):
            near = distance(a[top : top + rows, None], b[None, left : left + BLOCK]) <= bits
            row, column = np.divmod(np.flatnonzero(near), near.shape[1])
            found.append((row + top, column + left))
    return np.concatenate([row for row, _ in found]), np.concatenate([column for _, column in found])


def distance(a: Hashes, b: Hashes) -> NDArray[np.uint8]:
    """In how many bits hashes differ, elementwise."""
    return np.asarray(np.bitwise_count(a ^ b))


@cache
def dct_rows(size: int, count: int) -> NDArray[np.float32]:
    """The first `count` rows of the orthonormal DCT-II of `size` samples, (count, size)."""
    wave = np.cos(np.pi * (np.arange(size) + 0.5) * np.arange(count)[:, None] / size) * np.sqrt(2 / size)
    wave[0] /= np.sqrt(2)
    return np.asarray(wave, np.float32)
