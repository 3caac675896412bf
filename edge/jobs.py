"""What the commands do with one drive, as functions that can run in a child process: paths in, small results out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.being_written import refuse_while_written
from edge.cut import Written, cut
from edge.drive import Drive, recorder_named
from edge.inspect import Summary, inspect
from edge.page.film import film
from edge.page.timeline import Room, Timeline, timeline
from edge.scan import Scan, scan
from trigger.campaign import Campaign
from trigger.event import Event


@dataclass(frozen=True)
class Where:
    """One recording: the name of its format, and its path."""

    recorder: str
    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def open(self) -> Drive:
        """Raises DriveError, also while something still writes to it."""
        refuse_while_written(self.path)
        return recorder_named(self.recorder).open(self.path)


@dataclass(frozen=True)
class Found:
    """What a scan found in one drive, and what its reader wants to be known."""

    drive: str
    source: str
    t0_ns: int
    seconds: int
    cameras: tuple[str, ...]
    baseline: float
    events: tuple[Event, ...]
    absent: Mapping[str, str]
    lost: tuple[str, ...]
    notes: tuple[str, ...]
    clips: tuple[Written, ...] = ()
    timeline: Timeline | None = None


@dataclass(frozen=True)
class ScanJob:
    """Scan a drive; with `out` also cut its clips, with `room` also draw its timeline."""

    baseline: float
    out: Path | None = None
    position: bool = True
    room: Room | None = None
    campaigns: tuple[Campaign, ...] = ()

    def __call__(self, where: Where) -> Found:
        drive = where.open()
        found = scan(drive, self.baseline, self.campaigns)
        clips = tuple(cut(found, self.out, self.position)) if self.out else ()
        return Found(
            drive=drive.id,
            source=str(drive.source),
            t0_ns=drive.t0_ns,
            seconds=drive.seconds,
            cameras=tuple(drive.cameras),
            baseline=self.baseline,
            events=found.events,
            absent=dict(found.absent),
            lost=drive.lost,
            notes=drive.notes,
            clips=clips,
            timeline=_drawn(found, self.room) if self.room else None,
        )


def _drawn(found: Scan, room: Room) -> Timeline:
    return timeline(found, film(found.drive, found.events, room.picture_bytes), room.bins)


def inspect_job(where: Where) -> Summary:
    return inspect(where.open())


@dataclass(frozen=True)
class ConvertJob:
    """Write a drive in a format that has one file or folder a drive."""

    format: str
    out: Path

    def __call__(self, where: Where) -> Path:
        from edge.convert import convert

        return convert([where.open()], self.format, self.out)[0]
