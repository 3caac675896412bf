"""A clip in the car's queue, and the states it goes through.

    cut           on the disk; its fate is open
    chosen        it will be sent; its offer can be written
    sent          the receiver has committed it
    acknowledged  its receipt was read back and names the same bytes: from here on the copy may go
    dropped       the copy is gone; `reason` says why

States only move down this list. A baseline clip is chosen from the start: it was drawn already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.clip import Clip


class State(StrEnum):
    CUT = "cut"
    CHOSEN = "chosen"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    DROPPED = "dropped"


class Lane(StrEnum):
    BASELINE = "baseline"
    EVENT = "event"


class Reason(StrEnum):
    """Why a clip was dropped."""

    DELIVERED = "delivered"
    BUDGET = "budget"
    DISK = "disk"
    MISSING = "missing"
    DAMAGED = "damaged"


WAITING = (State.CUT, State.CHOSEN, State.SENT)


@dataclass(frozen=True)
class Queued:
    """One clip.

    Attributes:
        sequence: its place in the order in which clips were cut; 0 before it is queued.
        folder: name of its folder. drive: `edge.night.driven.Driven.identity` of what it was cut from.
        first, end: seconds [first, end) of that drive.
        bytes: on the disk. value: what the night goes by; 0 for the baseline, whose value nobody asks.
        probability: with which it was to be sent, given all else; None until that is decided.
        night: number of the first night's choice it was part of, None before.
        charges: what it costs which campaign, in bytes.
    """

    sequence: int
    clip_id: str
    folder: str
    drive: str
    first: int
    end: int
    lane: Lane
    bytes: int
    value: float
    state: State
    reason: Reason | None = None
    probability: float | None = None
    night: int | None = None
    charges: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def of(clip: Clip) -> Queued:
        """A clip that was just cut, or found on the disk."""
        from edge.night.charges import charges_of
        from edge.night.value import value_of
        from trigger.baseline import KIND as BASELINE
        from trigger.baseline import SECOND_NS

        cut = clip.cut
        baseline = all(event.kind == BASELINE for event in cut.events)
        first, end = ((t_ns - clip.manifest.t0_ns) // SECOND_NS for t_ns in cut.window_ns)
        return Queued(
            sequence=0,
            clip_id=clip.id,
            folder=clip.folder.name,
            drive=identity(cut.parent, cut.fingerprint),
            first=first,
            end=end,
            lane=Lane.BASELINE if baseline else Lane.EVENT,
            bytes=clip.bytes,
            value=0.0 if baseline else value_of(cut.events),
            state=State.CHOSEN if baseline else State.CUT,
            probability=1.0 if baseline else None,
            charges=charges_of(cut.events, clip.manifest.t0_ns, (first, end), clip.bytes),
        )

    @property
    def delivered(self) -> bool:
        return self.state is State.ACKNOWLEDGED or self.reason is Reason.DELIVERED

    def overlaps(self, other: Queued) -> bool:
        return self.drive == other.drive and self.first < other.end and other.first < self.end


def identity(drive_id: str, fingerprint: str) -> str:
    """What tells recordings apart, also those that share an id."""
    return f"{drive_id}#{fingerprint[:8]}"
