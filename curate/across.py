"""How near the exam comes to the training: the nearest pair of the two, in metres and by likeness of vectors.

Every pair is looked at, in blocks: an approximate search would miss the one pair the report is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.near import nearest
from curate.place import metres_between, on_the_sphere
from curate.seconds import Second

BLOCK = 2048


@dataclass(frozen=True)
class Pair:
    """A training clip and an exam clip, and how far apart [m] or how alike (cosine, 1 = the same) they are."""

    train: str
    eval: str
    value: float


def nearest_in_space(seconds: Sequence[Second], parts: Sequence[str]) -> Pair | None:
    """The two seconds of different splits that lie nearest, in m; None where no such pair has positions."""
    sides = [[s for s, p in zip(seconds, parts, strict=True) if p == side and s.place] for side in ("train", "eval")]
    if not all(sides):
        return None
    train, exam = (
        on_the_sphere(np.array([s.lat_deg for s in side]), np.array([s.lon_deg for s in side])) for side in sides
    )
    i, j = _nearest(train, exam)
    return Pair(sides[0][i].clip_id, sides[1][j].clip_id, metres_between(train[i], exam[j]))


def most_alike(
    seconds: Sequence[Second], parts: Sequence[str], vectors: Mapping[str, NDArray[np.float32]]
) -> Pair | None:
    """The two clips of different splits whose unit vectors (D,) are most alike; None where there is no such pair."""
    sides = [
        sorted({s.clip_id for s, p in zip(seconds, parts, strict=True) if p == side and s.clip_id in vectors})
        for side in ("train", "eval")
    ]
    if not all(sides):
        return None
    train, exam = (np.stack([vectors[clip] for clip in side]) for side in sides)
    found = nearest(train, exam, 1)
    at = int(found.likeness.argmax())
    return Pair(sides[0][found.row[at]], sides[1][found.column[at]], float(found.likeness[at]))


def _nearest(ones: NDArray[np.float64], others: NDArray[np.float64]) -> tuple[int, int]:
    """Indices of the nearest pair of points on the sphere, of (N, 3) and (M, 3): the one with the greatest product.

    `curate.near` will not do: a float32 cannot tell points apart that lie within 2 km of each other.
    """
    best, pair = -np.inf, (0, 0)
    for i in range(0, len(ones), BLOCK):
        for j in range(0, len(others), BLOCK):
            product = ones[i : i + BLOCK] @ others[j : j + BLOCK].T
            row, column = divmod(int(product.argmax()), product.shape[1])
            if product[row, column] > best:
                best, pair = float(product[row, column]), (i + row, j + column)
    return pair
