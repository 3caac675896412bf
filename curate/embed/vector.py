"""A clip's vector: what its pictures mean beside how it was driven, each with half of the say.

    picture   (168,)  mean of the features of its stills, each of length 1; where there are more, a random projection
    driving   (88,)   `curate.driving.directions`
    vector    (256,)  both, together of length 1; one that a clip lacks is zero, and the other has the whole say

A random projection keeps the cosine of vectors that are close (Johnson and Lindenstrauss 1984). Its numbers are drawn
by numpy's `RandomState`, whose stream never changes (NEP 19).

Numbers are rounded to multiples of 2**-11. Products of two are multiples of 2**-22, and no sum of them exceeds 4, so
that float32 holds each exactly (`curate.near`). The rounding moves a likeness by about 0.0002.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from curate.driving import DIMENSION as DRIVING
from curate.driving import Figures, directions
from curate.embed.encoder import Features

DIMENSION = 256
PICTURE = DIMENSION - DRIVING
STEPS = 2048.0
SEED = 1984


def vector_of(features: Sequence[Features], driven: Figures) -> NDArray[np.float32]:
    """(256,) float32 of the features (F,) of each still of a clip, and of how it was driven (S, 4)."""
    picture = _unit(_fitted(np.mean([_unit(each) for each in features], axis=0))) if features else np.zeros(PICTURE)
    whole = _unit(np.concatenate([picture, directions(driven)]))
    return np.asarray(np.round(whole * STEPS) / STEPS, np.float32)


def _fitted(features: NDArray[np.floating]) -> NDArray[np.floating]:
    """Features (F,) as (168,): projected where there are more, filled up with zeros where there are fewer."""
    if features.size > PICTURE:
        return np.asarray(features @ _projection(features.size))
    return np.pad(features, (0, PICTURE - features.size))


@cache
def _projection(size: int) -> NDArray[np.float64]:
    return np.asarray(np.random.RandomState(SEED).standard_normal((size, PICTURE)) / np.sqrt(PICTURE))


def _unit(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Of length 1; nothing stays nothing."""
    length = float(np.linalg.norm(values.astype(np.float64)))
    return np.asarray(values / length if length else values, np.float64)
