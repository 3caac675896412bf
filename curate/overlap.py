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
from numpy.typing import NDArray

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
    clip, other, agree = _compared(portraits)
    pairs, number = np.unique(np.stack([clip, other]), axis=1, return_inverse=True)
    shared = np.bincount(number.ravel(), minlength=pairs.shape[1])
    found = np.bincount(number.ravel(), agree, pairs.shape[1])
    kept = np.flatnonzero((shared >= FEWEST_SECONDS) & ((shared - found) * MISSED <= shared))
    names = [portrait.clip_id for portrait in portraits]
    ids = [(names[pairs[0, k]], names[pairs[1, k]], float(found[k] / shared[k])) for k in kept.tolist()]
    return sorted(Pair(min(a, b), max(a, b), HOW, likeness) for a, b, likeness in ids)


def _compared(portraits: Sequence[Portrait]) -> tuple[Index, Index, NDArray[np.bool_]]:
    """All seconds that two clips of different recordings have at one time: the clips, smaller first, and whether the
    seconds agree; (C,) each."""
    moments = Moments.of([portrait.traits for portrait in portraits])
    starts = np.array([portrait.start_ns for portrait in portraits], np.int64)
    t_ns = starts[moments.clip] + (np.arange(moments.clip.size) - moments.first[moments.clip]) * SECOND_NS
    drive = np.unique([portrait.drive_id for portrait in portraits], return_inverse=True)[1][moments.clip]
    order = np.argsort(t_ns, kind="stable")
    parts = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool))]
    for apart in range(1, order.size):
        a, b = order[:-apart], order[apart:]
        at_one_time = t_ns[a] == t_ns[b]
        if not at_one_time.any():
            break
        kept = at_one_time & (drive[a] != drive[b])
        a, b = a[kept], b[kept]
        agree = moments.shown[a] & moments.shown[b] & (distance(moments.hashes[a], moments.hashes[b]) <= WITHIN_BITS)
        agree[agree] = same_moments(moments.driven[a[agree]], moments.driven[b[agree]])
        parts.append((moments.clip[a], moments.clip[b], agree))
    clip, other, agree = (np.concatenate(column) for column in zip(*parts, strict=True))
    return np.minimum(clip, other), np.maximum(clip, other), agree
