"""Clips that share seconds although they name two recordings: a drive was copied, renamed, or cut out of twice.

Such clips may share less than makes one repeat the other (`curate.contained`), and the split must keep them on one side
all the same. They are told by the clock: of the seconds that begin at the same nanosecond in both, at least
`FEWEST_SECONDS`, 4 of 5 look and were driven alike, as in `curate.contained`. Recordings of their own begin at
nanoseconds of their own; where a recorder knows no date and all of them begin at one, picture and signals decide.

Not found: a copy whose clock was moved, or whose seconds begin at other fractions of one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curate.contained import MISSED, WITHIN_BITS, Moments
from curate.driving import same_moments
from curate.likeness import Pair
from curate.near import Index
from curate.phash import distance
from curate.portrait import Portrait
from trigger.baseline import SECOND_NS

HOW = "overlap"
FEWEST_SECONDS = 2
"""One picture decides nothing: on a straight highway 9 in 100 look alike."""


def overlaps(portraits: Sequence[Portrait]) -> list[Pair]:
    """Each two clips of different recordings that share seconds, once; likeness is the share of those that agree."""
    if not portraits:
        return []
    moments = Moments.of([portrait.traits for portrait in portraits])
    starts = np.array([portrait.start_ns for portrait in portraits], np.int64)
    t_ns = starts[moments.clip] + (np.arange(moments.clip.size) - moments.first[moments.clip]) * SECOND_NS
    drive = np.unique([portrait.drive_id for portrait in portraits], return_inverse=True)[1][moments.clip]
    pairs, found = np.unique(_agreeing(moments, t_ns, drive), axis=1, return_counts=True)
    names, kept = [portrait.clip_id for portrait in portraits], list[Pair]()
    enough = found >= FEWEST_SECONDS
    for (clip, other), agree in zip(pairs.T[enough].tolist(), found[enough].tolist(), strict=True):
        shared = np.intersect1d(t_ns[moments.clip == clip], t_ns[moments.clip == other]).size
        if shared >= FEWEST_SECONDS and (shared - agree) * MISSED <= shared:
            first, second = sorted((names[clip], names[other]))
            kept.append(Pair(first, second, HOW, agree / shared))
    return sorted(kept)


def _agreeing(moments: Moments, t_ns: Index, drive: Index) -> Index:
    """(2, C): the clips, smaller first, of all seconds that begin together in two recordings and agree.

    Only these are kept: where all clocks begin alike every second meets all others, and most of them do not agree.
    """
    order = np.argsort(t_ns, kind="stable")
    parts = [np.empty((2, 0), np.int64)]
    for apart in range(1, order.size):
        a, b = order[:-apart], order[apart:]
        at_one_time = t_ns[a] == t_ns[b]
        if not at_one_time.any():
            break
        kept = at_one_time & (drive[a] != drive[b]) & moments.shown[a] & moments.shown[b]
        a, b = a[kept], b[kept]
        near = distance(moments.hashes[a], moments.hashes[b]) <= WITHIN_BITS
        a, b = a[near], b[near]
        alike = same_moments(moments.driven[a], moments.driven[b])
        parts.append(np.sort(np.stack([moments.clip[a[alike]], moments.clip[b[alike]]]), axis=0))
    return np.concatenate(parts, axis=1)
