"""Which clip's seconds are found in another: the same view and the same driving, second by second.

A clip is contained in another where at least 4 of 5 of its seconds are found there at one and the same shift by whole
seconds: picture hashes within 10 of 64 bits, and signals that can be those of the same moment. A copy that was encoded
again, made brighter or trimmed is; the same road on another day is not. Seconds that show nothing are never found.

Nothing is approximate. Where 4 of 5 seconds are found, so is one of any selection of more than 1 in 5: those are looked
up among all seconds of all clips, and each hit is checked in full. A copy on another grid of seconds is not found, as
between two frames 0.5 s apart half of the hashes differ by more than 18 bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.driving import Figures, same_moments
from curate.near import Index, Neighbours
from curate.phash import BITS, Hashes, distance, pairs_within
from curate.traits import Traits

WITHIN_BITS = 10
"""Of the same frame brighter (x 1.2 + 10), darker (x 0.7), with gamma 0.8 or noise of 1.5 levels, 99 of 100 hashes stay
within it; of frames of one winding drive at least 5 s apart 4 in 100,000 come within it, of a straight highway 9 in
100, which is why one frame decides nothing."""
MISSED = 5
"""One second in so many need not be found."""
FEWEST_SECONDS = 4
"""A clip with fewer is too short to be told by its picture."""
PROBES, CELLS = 1024, 1 << 18
"""Probes looked up at a time, and seconds checked at a time."""


@dataclass(frozen=True, eq=False)
class Moments:
    """The seconds of N clips in one row.

    Attributes:
        clip: (Q,) whose each is. first: (N + 1,) where each clip's begin. The others as in `curate.traits`, (Q, ...).
    """

    clip: Index
    first: Index
    hashes: Hashes
    shown: NDArray[np.bool_]
    driven: Figures

    @staticmethod
    def of(clips: Sequence[Traits]) -> Moments:
        counts = np.array([traits.hashes.size for traits in clips], np.int64)
        return Moments(
            clip=np.repeat(np.arange(counts.size), counts),
            first=np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]),
            hashes=np.concatenate([traits.hashes for traits in clips]),
            shown=np.concatenate([traits.shown for traits in clips]),
            driven=np.concatenate([traits.driven for traits in clips]),
        )


def contained(moments: Moments, asking: NDArray[np.bool_], asked: NDArray[np.bool_]) -> Neighbours:
    """Each clip of `asking` (N,) with each of `asked` (N,) that it is contained in.

    Returns:
        by row, then column; likeness is the mean share of equal bits in the seconds that are found, at the best shift.
    """
    found = [checked for shifts in _shifts(moments, asking, asked) for checked in _checked(moments, shifts)]
    nothing = np.empty((0, 2), np.int64), np.empty(0, np.float32)
    pairs = np.concatenate([nothing[0], *(pairs for pairs, _ in found)])
    likeness = np.concatenate([nothing[1], *(likeness for _, likeness in found)])
    order = np.lexsort((-likeness, pairs[:, 1], pairs[:, 0]))
    pairs, likeness = pairs[order], likeness[order]
    best = np.append(True, (np.diff(pairs, axis=0) != 0).any(axis=1))[: len(pairs)]
    return Neighbours(pairs[best, 0], pairs[best, 1], likeness[best])


def _shifts(moments: Moments, asking: NDArray[np.bool_], asked: NDArray[np.bool_]) -> Iterator[Index]:
    """Clip, clip it may be contained in, and at which shift: (C, 3), without repetition within a piece."""
    probes = _probes(moments, asking)
    there = np.flatnonzero(moments.shown & asked[moments.clip])
    place = np.arange(moments.clip.size) - moments.first[moments.clip]
    for at in range(0, probes.size, PROBES):
        row, column = pairs_within(moments.hashes[probes[at : at + PROBES]], moments.hashes[there], WITHIN_BITS)
        probe, hit = probes[at + row], there[column]
        shifts = np.stack([moments.clip[probe], moments.clip[hit], place[hit] - place[probe]], axis=1)
        yield np.unique(shifts[shifts[:, 0] != shifts[:, 1]], axis=0)


def _probes(moments: Moments, asking: NDArray[np.bool_]) -> Index:
    """More than 1 in 5 of each clip's seconds, spread over it; those that show nothing are then left out."""
    chosen = [np.empty(0, np.int64)]
    for clip in np.flatnonzero(asking):
        first, end = moments.first[clip : clip + 2].tolist()
        if end - first >= FEWEST_SECONDS:
            chosen.append(np.linspace(first, end - 1, (end - first) // MISSED + 1).round().astype(np.int64))
    probes = np.concatenate(chosen)
    return probes[moments.shown[probes]]


def _checked(moments: Moments, shifts: Index) -> Iterator[tuple[Index, NDArray[np.float32]]]:
    """Of shifts (C, 3) those at which enough seconds are found: clip and other (P, 2), and their likeness (P,)."""
    longest = int(np.diff(moments.first).max())
    step = max(1, CELLS // longest)
    for at in range(0, len(shifts), step):
        piece = shifts[at : at + step]
        seconds, bits = _found(moments, piece, longest)
        length = moments.first[piece[:, 0] + 1] - moments.first[piece[:, 0]]
        kept = np.flatnonzero((length - seconds) * MISSED <= length)
        yield piece[kept, :2], (1 - bits[kept] / (BITS * seconds[kept])).astype(np.float32)


def _found(moments: Moments, shifts: Index, longest: int) -> tuple[Index, Index]:
    """In how many seconds the clips of each shift (C, 3) agree, and by how many bits those differ in all, (C,)."""
    clip, other, shift = shifts.T[:, :, None]
    second = np.arange(longest)
    own, its = moments.first[clip] + second, moments.first[other] + second + shift
    within = (own < moments.first[clip + 1]) & (its >= moments.first[other]) & (its < moments.first[other + 1])
    own, its = np.where(within, own, 0), np.where(within, its, 0)
    apart = distance(moments.hashes[own], moments.hashes[its])
    same = within & moments.shown[own] & moments.shown[its] & (apart <= WITHIN_BITS)
    same[same] = same_moments(moments.driven[own[same]], moments.driven[its[same]])
    return same.sum(axis=1), np.where(same, apart, 0).sum(axis=1, dtype=np.int64)
