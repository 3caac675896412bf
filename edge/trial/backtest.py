"""Back-test a campaign: what would it have sent from drives that are recorded already?

Its events are counted with those of the built-in triggers, so that what others would have kept anyway is seen. Bytes
are measured, not guessed: clips of its first events are cut to a temporary folder.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from edge.cut import cut, plan, seen
from edge.jobs import Where
from edge.scan import Scan, scan
from edge.trial.campaigns import FORMAT, CampaignFile
from trigger.campaign import Campaign
from trigger.event import TRIGGER_VERSION, Event

MEASURED = 5
"""Clips that are cut from each drive to learn what a second weighs."""
EXAMPLES = 5


@dataclass(frozen=True)
class Example:
    """An event: seconds from its drive's beginning, severity, and the built-in triggers that would have kept it."""

    drive: str
    t_s: float
    severity: float
    also: tuple[str, ...]


@dataclass(frozen=True)
class Played:
    """A campaign on one drive.

    Attributes:
        seconds: in which anything was recorded.
        absent: the signals it lacks, and then nothing else is known; "" where it ran.
        events: all; drawn: those that its probability keeps. clip_s: seconds of clips they bring.
        bytes: what these weigh; None where the drive has no camera, or none saw any of them.
    """

    drive: str
    seconds: int
    absent: str = ""
    events: int = 0
    drawn: int = 0
    clip_s: int = 0
    bytes: int | None = 0
    overlap: Mapping[str, int] | None = None
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class BackTestJob:
    """Play one drive; in a child process."""

    campaign: Campaign

    def __call__(self, where: Where) -> Played:
        return play(self.campaign, scan(where.open(), 0.0, [self.campaign]))


def play(campaign: Campaign, found: Scan) -> Played:
    """What a scan with the campaign and without a baseline says of it."""
    drive = found.drive
    if campaign.name in found.absent:
        return Played(drive.id, drive.recorded_seconds, absent=found.absent[campaign.name])
    drawn = [event for event in found.events if event.kind == campaign.name]
    others = [event for event in found.events if event.kind != campaign.name]
    heard = [lot.event for lot in found.lots] or drawn
    also = {event: tuple(sorted({o.kind for o in others if _meet(event, o)})) for event in heard}
    only = replace(found, events=tuple(drawn))
    clip_s = sum(stretch.end - stretch.first for stretch in plan(only) if seen(drive, stretch))
    strongest = sorted(heard, key=lambda event: -event.severity)[:EXAMPLES]
    return Played(
        drive=drive.id,
        seconds=drive.recorded_seconds,
        events=len(heard),
        drawn=len(drawn),
        clip_s=clip_s,
        bytes=_weight(only, clip_s) if drive.cameras else None,
        overlap=Counter(kind for kinds in also.values() for kind in kinds),
        examples=tuple(Example(drive.id, (e.t_ns - drive.t0_ns) / 1e9, e.severity, also[e]) for e in strongest),
    )


def _meet(event: Event, other: Event) -> bool:
    """Whether the other's clip would show the event's onset."""
    return other.window_ns[0] <= event.t_ns < other.window_ns[1]


def _weight(found: Scan, clip_s: int) -> int | None:
    """Bytes of all its clips, by those of the first few; None where no camera saw any of them."""
    if not clip_s:
        return 0
    with tempfile.TemporaryDirectory(prefix="swerve-backtest-") as folder:
        written = list(islice(cut(found, Path(folder)), MEASURED))
    seconds = sum(clip.stretch.end - clip.stretch.first for clip in written)
    return round(sum(clip.bytes for clip in written) / seconds * clip_s) if seconds else None


@dataclass(frozen=True)
class BackTest:
    """A campaign on all drives; `hours_a_day` is what a car is taken to drive between two nights."""

    file: CampaignFile
    played: Sequence[Played]
    hours_a_day: float

    @property
    def ran(self) -> list[Played]:
        return [played for played in self.played if not played.absent]

    @property
    def hours(self) -> float:
        return sum(played.seconds for played in self.ran) / 3600

    @property
    def events(self) -> int:
        return sum(played.events for played in self.ran)

    @property
    def events_an_hour(self) -> float | None:
        return self.events / self.hours if self.hours else None

    @property
    def bytes_a_night(self) -> float | None:
        """Of drives that have a picture; None where none has."""
        seen = [played for played in self.ran if played.bytes is not None]
        hours = sum(played.seconds for played in seen) / 3600
        return sum(played.bytes or 0 for played in seen) / hours * self.hours_a_day if hours else None

    @property
    def overlap(self) -> dict[str, int]:
        """Built-in trigger to the number of events that it would have kept, too."""
        total: Counter[str] = Counter()
        for played in self.ran:
            total.update(played.overlap or {})
        return dict(total.most_common())

    @property
    def examples(self) -> list[Example]:
        return sorted((e for played in self.ran for e in played.examples), key=lambda e: -e.severity)[:EXAMPLES]

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "campaign": self.file.campaign.name,
            "digest": self.file.digest,
            "triggers": TRIGGER_VERSION,
            "hours": self.hours,
            "hours_a_day": self.hours_a_day,
            "events": self.events,
            "events_an_hour": self.events_an_hour,
            "bytes_a_night": self.bytes_a_night,
            "overlap": self.overlap,
            "examples": [vars(example) | {"also": list(example.also)} for example in self.examples],
            "drives": [
                {
                    "drive": p.drive,
                    "seconds": p.seconds,
                    "absent": p.absent,
                    "events": p.events,
                    "drawn": p.drawn,
                    "clip_s": p.clip_s,
                    "bytes": p.bytes,
                }
                for p in self.played
            ],
        }
