"""Which clips repeat another: of clips that are alike one is kept, and the others are told as its duplicates.

- A clip is a duplicate only of one that is kept, that it is itself alike to, and that holds every kind of event it
  holds, at least as severe. So no event is ever grouped away, and no chain of small steps joins what is not alike.
- Who is kept follows from the clips alone: those with more severe events first, then the longer, then the smaller id;
  each is kept unless a kept one stands for it. So the order in which clips arrive changes nothing.
- Nothing is deleted or refused. A duplicate's seconds stay in the dataset and share one clip's weight with the others
  of its group (`duplicate_factors`): were a likeness wrong, a clip would lose a part of its weight and no more. A
  clip that is taken out gives its group back the share it had.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from curate.likeness import HOWS, Pair
from curate.overlap import HOW as OVERLAP
from curate.portrait import Contents

SAME_PICTURE = ("bytes", "picture", OVERLAP)


@dataclass(frozen=True)
class Duplicate:
    """`of` is the clip that is kept, `how` one of `curate.likeness.HOWS`, likeness at most 1."""

    of: str
    how: str
    likeness: float


def duplicates(clips: Iterable[Contents], pairs: Sequence[Pair]) -> dict[str, Duplicate]:
    """Clip id to what it is a duplicate of, sorted by id; clips that are kept are absent.

    Of several kept clips that could stand for one it is the one that is alike in the surest way, then the likest, then
    the one with the smaller id.
    """
    ranked = sorted(clips, key=lambda clip: clip.rank)
    contents = {clip.clip_id: clip for clip in ranked}
    alike: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.clip_id in contents and pair.of in contents:
            alike[pair.clip_id].append(pair)
    kept: set[str] = set()
    found = {}
    for clip in ranked:
        standing = [pair for pair in alike[clip.clip_id] if pair.of in kept and contents[pair.of].covers(clip)]
        if standing:
            best = min(standing, key=lambda pair: (HOWS.index(pair.how), -pair.likeness, pair.of))
            found[clip.clip_id] = Duplicate(best.of, best.how, best.likeness)
        else:
            kept.add(clip.clip_id)
    return dict(sorted(found.items()))


def duplicate_factors(found: Mapping[str, Duplicate]) -> dict[str, float]:
    """1 / size of its group for every clip of a group; clips that are absent are alone, and have 1."""
    size = Counter(duplicate.of for duplicate in found.values())
    group = {clip_id: duplicate.of for clip_id, duplicate in found.items()} | {of: of for of in size}
    return {clip_id: 1.0 / (1 + size[of]) for clip_id, of in sorted(group.items())}


def groups(pairs: Iterable[Pair]) -> dict[str, str]:
    """Clip id to a name that it shares with every clip that it is joined to by clips with the same picture.

    For the split, which asks another question than the weights: not who is kept, but what may have been seen. Here
    chains count, and a group only ever grows as clips arrive. Pairs that are alike in meaning alone are two events that
    truly happened, and no leak.
    """
    head: dict[str, str] = {}

    def find(clip_id: str) -> str:
        while head.setdefault(clip_id, clip_id) != clip_id:
            head[clip_id] = clip_id = head[head[clip_id]]
        return clip_id

    for pair in pairs:
        if pair.how in SAME_PICTURE:
            first, second = sorted((find(pair.clip_id), find(pair.of)))
            head[second] = first
    return {clip_id: find(clip_id) for clip_id in sorted(head)}
