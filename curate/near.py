"""Exact neighbours of vectors, by blocks of one matrix product: no index, nothing approximate, memory that stays small.

The vectors of `curate.embed.vector` are multiples of 2**-11 and of length 1, so that every product and every partial
sum fits the 24 bits of a float32: their likeness comes out exact, whatever the blocks, the order of summation or the
machine, and no decision can hang on a rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Index = NDArray[np.int64]

ROWS, COLUMNS = 1024, 4096
"""Of a block of likenesses: 16 MiB."""


@dataclass(frozen=True)
class Neighbours:
    """Pairs in the order of their rows: `row`, `column` (P,) int64, `likeness` (P,) float32, a dot product."""

    row: Index
    column: Index
    likeness: NDArray[np.float32]


def pairs_above(a: Vectors, b: Vectors, least: float) -> Neighbours:
    """Pairs of a row of `a` (N, D) and one of `b` (M, D) with a dot product of at least `least`, by row and column."""
    found = []
    for top, left, likeness in _blocks(a, b):
        at = np.flatnonzero(likeness >= np.float32(least))
        if at.size:
            row, column = np.divmod(at, likeness.shape[1])
            found.append(Neighbours(row + top, column + left, likeness.ravel()[at]))
    every = _joined(found)
    return _picked(every, np.lexsort((every.column, every.row)))


def nearest(a: Vectors, b: Vectors, k: int, apart: tuple[Index, Index] | None = None) -> Neighbours:
    """The k rows of `b` (M, D) most like each row of `a` (N, D), the likest first; of equals the first of `b`.

    Args:
        apart: labels (N,) and (M,); a pair that shares its label is no pair. A row then can have fewer than k.
    """
    best = _joined([])
    least = np.full(len(a), -np.inf, np.float32)
    for top, left, likeness in _blocks(a, b):
        rows = slice(top, top + len(likeness))
        if apart is not None:
            likeness[apart[0][rows, None] == apart[1][None, left : left + likeness.shape[1]]] = -np.inf
        if left == 0 and likeness.shape[1] > k:
            least[rows] = np.nextafter(np.partition(likeness, -k, axis=1)[:, -k], np.float32(-np.inf))
        at = np.flatnonzero(likeness > least[rows, None])
        row, column = np.divmod(at, likeness.shape[1])
        block = Neighbours(row + top, column + left, likeness.ravel()[at])
        best = _first(_joined([best, block]), k)
        full = np.flatnonzero(np.diff(best.row, append=-1))
        full = full[np.bincount(best.row, minlength=len(a))[best.row[full]] == k]
        least[best.row[full]] = best.likeness[full]
    return best


def density(vectors: Vectors, drives: Index, k: int) -> NDArray[np.float64]:
    """How crowded it is around each clip: mean likeness to the k nearest that are not of its own drive.

    Args:
        vectors: (N, D). drives: (N,) a number for each drive: its other clips say nothing of how usual a clip is.

    Returns:
        (N,), over fewer than k where there are fewer, NaN where every clip is of one drive.
    """
    near = nearest(vectors, vectors, k, (drives, drives))
    count = np.bincount(near.row, minlength=len(vectors))
    total = np.bincount(near.row, near.likeness.astype(np.float64), len(vectors))
    return np.asarray(np.divide(total, count, out=np.full(len(vectors), np.nan), where=count > 0))


def _blocks(a: Vectors, b: Vectors) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """First row, first column and likenesses of each block, columns running fastest; the next one overwrites them."""
    room = np.empty(ROWS * COLUMNS, np.float32)
    turned = np.ascontiguousarray(b, np.float32).T
    for top in range(0, len(a), ROWS):
        rows = np.ascontiguousarray(a[top : top + ROWS], np.float32)
        for left in range(0, len(b), COLUMNS):
            columns = turned[:, left : left + COLUMNS]
            out = room[: len(rows) * columns.shape[1]].reshape(len(rows), columns.shape[1])
            yield top, left, np.matmul(rows, columns, out=out)


def _first(pairs: Neighbours, k: int) -> Neighbours:
    """Of each row the k likest."""
    ordered = _picked(pairs, np.lexsort((pairs.column, -pairs.likeness, pairs.row)))
    begin = np.searchsorted(ordered.row, ordered.row)
    return _picked(ordered, np.flatnonzero(np.arange(ordered.row.size) - begin < k))


def _picked(pairs: Neighbours, index: Index) -> Neighbours:
    return Neighbours(pairs.row[index], pairs.column[index], pairs.likeness[index])


def _joined(parts: list[Neighbours]) -> Neighbours:
    nothing = Neighbours(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    parts = [nothing, *parts]
    return Neighbours(
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.column for part in parts]),
        np.concatenate([part.likeness for part in parts]),
    )
