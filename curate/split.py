"""Which seconds may be trained on, which are the exam, and which are neither.

Every second has a side, a pure function of itself, that never changes:
- `place:S`: the cell of the earth it was driven in, drawn for the exam with probability S by a keyed hash; without a
  position as `block:S`.
- `block:S`: blocks of 60 s of a drive, drawn the same way.
- `time:F`: the earlier share F of its drive trains, the rest is the exam; for a single drive.

A second too near to the other side is `excluded`, and counted with the reason; none is ever given to the other side.
So as data grows, a second keeps its part or becomes excluded:
- border      within 10 s of a second of the other side in its own drive; with `time` the gap lies after the border
              alone, as the earlier part is the scarcer one. A clip that crosses a border loses this much of it.
- buffer      within 100 m of a cell of the other side: nearly the same picture can be seen from there.
- synthetic   staged seconds of the exam: they may be learned from, but say nothing of driving.
- duplicate   of a group of clips that show the same and lie on both sides, every second of every clip: which of two is
              the copy depends on which came first, and that differs from store to store.
- unseen      of a clip of which nothing could be made: nobody knows whether it shows what the other side does.

The exam loses more to buffers than the training does, as more of its neighbours are of the other side: of what is left
it has about 0.16 where S is 0.2.

Not covered: what a camera sees from further than 100 m; `time` where a drive that is still being recorded grows; a
second whose position is told by one clip and kept back by another, which counts as told by the first of them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from curate.errors import CurateError
from curate.place import Cell, cell_of, cells_near
from curate.seconds import Second

GAP_S = 10
BLOCK_S = 60
BUFFER_M = 100.0
"""Beyond the error of a receiver in a street (10 m), the way of 1 s on a motorway, and a picture's nearer half."""
KEY = "swerve-split/1"

Part = Literal["train", "eval", "excluded"]
Reason = Literal["", "border", "buffer", "synthetic", "duplicate", "unseen"]


class SplitError(CurateError):
    """A split that cannot be understood."""


@dataclass(frozen=True)
class Side:
    """Of one second, judged by itself: its side, and why it is excluded all the same."""

    part: Part
    why: Reason = ""


@dataclass(frozen=True)
class Split:
    """A way to split; where `watches` is set, seconds within the gap of a known second of the other side are excluded,
    else `side` has seen to it."""

    side: Callable[[Second], Side]
    watches: bool = False


@dataclass(frozen=True)
class Assigned:
    """The part of every second (N,), and how many were excluded for each reason; the first that holds counts."""

    parts: tuple[Part, ...]
    excluded: Mapping[str, int]


def parse_split(text: str) -> Split:
    """`place:0.2`, `block:0.2` or `time:0.75`. Raises SplitError."""
    ways: dict[str, Callable[[float], Split]] = {"place": _by_place, "block": _by_block, "time": _by_time}
    name, _, share = text.partition(":")
    try:
        value = float(share)
    except ValueError:
        value = -1.0
    if name not in ways or not 0.0 < value < 1.0:
        wanted = "place:S, block:S or time:F with a share between 0 and 1"
        raise SplitError(f"--split {text}", wanted, "for example place:0.2")
    return ways[name](value)


def assign(
    split: Split, seconds: Sequence[Second], group: Mapping[str, str] | None = None, unseen: Collection[str] = ()
) -> Assigned:
    """Give every second its part.

    Args:
        group: clip id to a name that all clips which show the same share; a clip that is not named is alone.
        unseen: ids of clips that could not be compared with any other.
    """
    group = group or {}
    sides = [split.side(second) for second in seconds]
    near = _near_the_other_side(seconds, sides) if split.watches else set()
    doubled = _on_both_sides(seconds, sides, group)

    def by_others(i: int, second: Second) -> Reason:
        if i in near:
            return "border"
        if second.synthetic and sides[i].part == "eval":
            return "synthetic"
        if doubled & _groups_of(second, group):
            return "duplicate"
        return "unseen" if any(clip_id in unseen for clip_id in _told_by(second)) else ""

    why = [side.why or by_others(i, second) for i, (second, side) in enumerate(zip(seconds, sides, strict=True))]
    parts = tuple("excluded" if reason else side.part for reason, side in zip(why, sides, strict=True))
    return Assigned(parts, dict(sorted(Counter(reason for reason in why if reason).items())))


def _by_time(train_share: float) -> Split:
    def side(second: Second) -> Side:
        border = train_share * second.of
        if second.number + 1 <= border:
            return Side("train")
        return Side("eval", "" if second.number >= border + GAP_S else "border")

    return Split(side)


def _by_block(eval_share: float) -> Split:
    def part(drive_id: str, number: int) -> Part:
        return _drawn(f"{drive_id}\0{number // BLOCK_S}", eval_share)

    def side(second: Second) -> Side:
        here = part(second.drive_id, second.number)
        near = {part(second.drive_id, second.number + d) for d in (-GAP_S, GAP_S) if second.number + d >= 0}
        return Side(here, "" if near <= {here} else "border")

    return Split(side)


def _by_place(eval_share: float) -> Split:
    drawn: dict[Cell, Part] = {}
    by_block = _by_block(eval_share)

    def part(cell: Cell) -> Part:
        if cell not in drawn:
            drawn[cell] = _drawn(f"place\0{cell}", eval_share)
        return drawn[cell]

    def side(second: Second) -> Side:
        cell = cell_of(second.lat_deg, second.lon_deg)
        if cell is None:
            return by_block.side(second)
        near = {part(other) for other in cells_near(second.lat_deg, second.lon_deg, BUFFER_M)}
        return Side(part(cell), "" if near <= {part(cell)} else "buffer")

    return Split(side, watches=True)


def _drawn(what: str, eval_share: float) -> Part:
    digest = hashlib.sha256(f"{KEY}\0{what}".encode()).digest()
    return "eval" if int.from_bytes(digest[:8], "big") < eval_share * 2**64 else "train"


def _near_the_other_side(seconds: Sequence[Second], sides: Sequence[Side]) -> set[int]:
    """Indices of those within the gap of a known second of the same drive on the other side, whatever became of it."""
    drives: dict[str, list[int]] = {}
    for i, second in enumerate(seconds):
        drives.setdefault(second.drive_id, []).append(i)
    near: set[int] = set()
    for own in drives.values():
        number = np.array([seconds[i].number for i in own])
        exam = np.array([sides[i].part == "eval" for i in own])
        for here, there in ((exam, ~exam), (~exam, exam)):
            others = np.sort(number[there])
            first, end = others.searchsorted(number - GAP_S), others.searchsorted(number + GAP_S, side="right")
            near |= {own[k] for k in np.flatnonzero(here & (end > first)).tolist()}
    return near


def _on_both_sides(seconds: Sequence[Second], sides: Sequence[Side], group: Mapping[str, str]) -> set[str]:
    """Groups with seconds on both sides, those that are excluded for another reason counted too: so a group that is
    one never ceases to be one."""
    parts: dict[str, set[Part]] = {}
    for second, side in zip(seconds, sides, strict=True):
        for name in _groups_of(second, group):
            parts.setdefault(name, set()).add(side.part)
    return {name for name, own in parts.items() if len(own) > 1}


def _groups_of(second: Second, group: Mapping[str, str]) -> set[str]:
    return {group[clip_id] for clip_id in _told_by(second) if clip_id in group}


def _told_by(second: Second) -> tuple[str, ...]:
    """Every clip that tells the second, not only the one it counts for."""
    return second.clip_id, *second.also
