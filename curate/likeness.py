"""Which clips are alike, in one of three ways: the bytes of the video, its picture, or what both mean.

bytes     the main camera's file is the same
picture   the seconds of one clip are found in the other, picture and signals (`curate.contained`)
meaning   vectors alike, and every figure of the driving alike: where only one of them is, a rare event on a well-known
          road, or a usual one on a road not seen before, would be lost

Likeness is directed: a clip may be contained in another that is longer. It depends on the two clips alone, so what is
found when clips come night by night is what is found among all of them at once. Windows of one drive that overlap are
no duplicates but the same seconds, which `curate.seconds` counts once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.contained import Moments, contained
from curate.driving import alike
from curate.near import pairs_above
from curate.portrait import Portrait

RULES = 1
"""Number of these rules; pairs that other rules found are not used."""
VECTORS_ALIKE = 0.96
"""Dot product, half of it the driving's. 171 pairs of different stretches of one winding drive reach 0.949, 8 in 100 of
them driven alike; a clip and itself without its first second are at 0.975 to 0.985."""


@dataclass(frozen=True, order=True)
class Pair:
    """What `clip_id` shows is shown by `of`; likeness at most 1."""

    clip_id: str
    of: str
    how: str
    likeness: float


HOWS = ("bytes", "picture", "meaning")
"""From the surest on: where clips are alike in several ways, the first is said."""


def likenesses(new: Sequence[Portrait], known: Sequence[Portrait]) -> list[Pair]:
    """Every pair of clips that are alike, of which at least one is new; sorted."""
    every = [*new, *known]
    is_new = np.arange(len(every)) < len(new)
    found: dict[tuple[int, int], tuple[str, float]] = {}
    for how, pairs in (
        ("bytes", _bytes(every)),
        ("picture", _pictures(every, is_new)),
        ("meaning", _meanings(every, len(new))),
    ):
        for clip, of, likeness in pairs:
            if (is_new[clip] or is_new[of]) and not every[clip].same_seconds(every[of]):
                found.setdefault((clip, of), (how, likeness))
    return sorted(Pair(every[clip].clip_id, every[of].clip_id, *told) for (clip, of), told in found.items())


def _bytes(every: Sequence[Portrait]) -> Iterator[tuple[int, int, float]]:
    holders: dict[str, list[int]] = {}
    for number, portrait in enumerate(every):
        if portrait.video:
            holders.setdefault(portrait.video, []).append(number)
    for same in holders.values():
        yield from ((clip, of, 1.0) for clip in same for of in same if clip != of)


def _meanings(every: Sequence[Portrait], new: int) -> Iterator[tuple[int, int, float]]:
    if not new:
        return
    vectors = np.stack([portrait.vector for portrait in every])
    driven = np.stack([portrait.traits.summary for portrait in every])
    near = pairs_above(vectors[:new], vectors, VECTORS_ALIKE)
    kept = np.flatnonzero((near.row != near.column) & alike(driven[near.row], driven[near.column]))
    for clip, of, likeness in zip(near.row[kept], near.column[kept], near.likeness[kept], strict=True):
        told = min(1.0, float(likeness))
        yield int(clip), int(of), told
        yield int(of), int(clip), told


def _pictures(every: Sequence[Portrait], is_new: NDArray[np.bool_]) -> Iterator[tuple[int, int, float]]:
    if not is_new.any():
        return
    moments = Moments.of([portrait.traits for portrait in every])
    for asking, asked in ((is_new, np.ones(is_new.size, bool)), (~is_new, is_new)):
        found = contained(moments, asking, asked)
        yield from zip(found.row.tolist(), found.column.tolist(), found.likeness.tolist(), strict=True)
