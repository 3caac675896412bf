"""The ledger: what became of every driven second. Each has one fate, so a drive's fates add up to its length.

A second's fate is the first of these that holds:
    kept         a clip that covers it was acknowledged
    waiting      a clip that covers it is in the queue
    no consent   the recording may not be shared
    lost         nothing at all was recorded in it
    no picture   no camera saw anything in it
    budget, disk, missing, damaged
                 a clip that covered it was dropped, and why
    no event     no trigger and no draw asked for it
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.night.driven import Driven, Runs, Standing
from edge.night.queued import Queued, Reason, State
from edge.night.spool_rows import Remembered


class Fate(StrEnum):
    KEPT = "kept"
    WAITING = "waiting"
    NO_CONSENT = "no consent"
    LOST = "lost"
    NO_PICTURE = "no picture"
    BUDGET = "budget"
    DISK = "disk"
    MISSING = "missing"
    DAMAGED = "damaged"
    NO_EVENT = "no event"


FATES = tuple(Fate)


@dataclass(frozen=True)
class Stretch:
    """Seconds [first, end) that share a fate, and the clip that holds them where one does."""

    first: int
    end: int
    fate: Fate
    clip: str | None


@dataclass(frozen=True)
class Account:
    """One drive's ledger: stretches that follow on each other from second 0 to the drive's end."""

    drive: str
    seconds: int
    stretches: tuple[Stretch, ...]

    def total(self, fate: Fate) -> int:
        return sum(s.end - s.first for s in self.stretches if s.fate is fate)

    def to_json(self) -> dict[str, Any]:
        totals = {fate: total for fate in Fate if (total := self.total(fate))}
        stretches = [[s.first, s.end, s.fate, s.clip] for s in self.stretches]
        return {"drive": self.drive, "seconds": self.seconds, "totals": totals, "stretches": stretches}


def accounts(drives: Iterable[Remembered], clips: Iterable[Queued]) -> list[Account]:
    """One ledger a drive that was opened, in their order; of a recording that was taken in as it grew, the longest."""
    longest: dict[str, Remembered] = {}
    for drive in drives:
        if drive.driven and drive.standing is not Standing.KNOWN:
            before = longest.get(drive.driven.identity)
            if before is None or before.driven is None or before.driven.seconds < drive.driven.seconds:
                longest[drive.driven.identity] = drive
    cut: dict[str, list[Queued]] = {}
    for clip in clips:
        cut.setdefault(clip.drive, []).append(clip)
    return [account(d.driven, d.standing, cut.get(i, [])) for i, d in longest.items() if d.driven]


def account(driven: Driven, standing: Standing, clips: Sequence[Queued]) -> Account:
    """The ledger of a drive.

    Args:
        clips: every clip that was cut from it, whatever became of it.
    """
    fates = np.full(driven.seconds, FATES.index(Fate.NO_EVENT))
    holder = np.full(driven.seconds, -1)
    dropped = [(Fate(c.reason), c) for c in clips if c.reason and c.reason is not Reason.DELIVERED]
    for fate, clip in sorted(dropped, key=lambda pair: -FATES.index(pair[0])):
        fates[clip.first : clip.end] = FATES.index(fate)
    fates[~_inside(driven.seen, driven.seconds)] = FATES.index(Fate.NO_PICTURE)
    fates[~_inside(driven.recorded, driven.seconds)] = FATES.index(Fate.LOST)
    if standing in (Standing.NOT_GIVEN, Standing.WITHHELD):
        fates[:] = FATES.index(Fate.NO_CONSENT)
    held = [(clip.delivered, i) for i, clip in enumerate(clips) if clip.delivered or clip.state is not State.DROPPED]
    for delivered, i in sorted(held):
        seen = _inside(driven.seen, driven.seconds)
        seen[: clips[i].first] = seen[clips[i].end :] = False
        fates[seen] = FATES.index(Fate.KEPT if delivered else Fate.WAITING)
        holder[seen] = i
    return Account(driven.identity, driven.seconds, tuple(_stretches(fates, holder, clips)))


def _inside(runs: Runs, seconds: int) -> NDArray[np.bool_]:
    inside = np.zeros(seconds, bool)
    for first, end in runs:
        inside[first:end] = True
    return inside


def _stretches(fates: NDArray[np.int64], holder: NDArray[np.int64], clips: Sequence[Queued]) -> Iterable[Stretch]:
    if not fates.size:
        return
    breaks = np.flatnonzero((np.diff(fates) != 0) | (np.diff(holder) != 0)) + 1
    for first, end in zip([0, *breaks.tolist()], [*breaks.tolist(), fates.size], strict=True):
        held = int(holder[first])
        yield Stretch(first, end, FATES[fates[first]], clips[held].clip_id if held >= 0 else None)
