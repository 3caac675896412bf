"""The agent on the car: from a folder of recordings to clips that a receiver has acknowledged.

One round is: make room where the disk is short, take in each new recording, and, when uploads are allowed, choose and
send. Every step can be cut off at any instruction and is done again: the queue is the only memory. What goes wrong
with one recording or one clip is told and does not hold up the others.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from edge.errors import DriveError, EdgeError, PushError
from edge.isolate import ChildDied, each
from edge.night.budget import baseline_rate
from edge.night.choosing import choose_tonight, waiting_bytes
from edge.night.clock import Moment, now
from edge.night.driven import Source, Standing
from edge.night.intake import Intake, take_in
from edge.night.nights import Night, tick, tonight
from edge.night.queued import Lane, Reason, State
from edge.night.quota import review, silent
from edge.night.retention import to_drop
from edge.night.spool import Spool, typed
from edge.night.spool_rows import Remembered
from edge.night.terms import Terms
from edge.night.watch import arrived

if TYPE_CHECKING:
    from edge.upload.destination import Destination
    from trigger.campaign import Campaign

Item = TypeVar("Item")
Result = TypeVar("Result")


MOST_TRIES = 5
"""A recording on which the disk fails, or the agent dies, more often is given up, so that it cannot stop the others."""


class Runner(Protocol):
    """How work on foreign files is done: `edge.isolate.each`, or something like it."""

    def __call__(self, job: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result | EdgeError]: ...


@dataclass(frozen=True)
class Agent:
    """One car's agent.

    Attributes:
        to: opens the destination. tell: takes problems as they come. unmetered: asked before anything is sent.
        campaigns: what to listen for, too, asked once a round; it may raise EdgeError.
        note: takes in words what is no problem. clock: the machine's clocks. free: bytes free where a path lies.
    """

    spool: Spool
    watched: Path
    to: Callable[[], Destination]
    terms: Terms
    tell: Callable[[EdgeError], object]
    unmetered: Callable[[], bool]
    runner: Runner = each
    clock: Callable[[], Moment] = now
    free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
    campaigns: Callable[[], tuple[Campaign, ...]] = tuple
    note: Callable[[str], object] = lambda words: None

    def round(self) -> None:
        """Do everything there is to do now. Raises SpoolError where the car's own disk refuses."""
        tick(self.spool, self.clock())
        self.make_room()
        self.take_in()
        moment = self.clock()
        if self.terms.hours.open_at(moment) and (self.terms.metered or self.unmetered()):
            night = tonight(self.spool, moment)
            choose_tonight(self.spool, night, self.terms)
            self.send(night)

    def send(self, night: Night) -> None:
        if self.spool.clips(State.CHOSEN, State.SENT, State.ACKNOWLEDGED):
            from edge.night.sending import Sender

            try:
                Sender(self.spool, self.to(), self.terms, self.tell).send(night)
            except PushError as error:  # of a destination that cannot even be opened
                self.tell(error)

    def make_room(self) -> bool:
        """Drop copies until the recorder's reserve is free; whether it is."""
        short = self.terms.reserve - self._free()
        if short > 0:
            going = to_drop([c for c in self.spool.clips() if c.state is not State.DROPPED], short)
            self.spool.drop([c for c in going if c.delivered], Reason.DELIVERED)
            self.spool.drop([c for c in going if not c.delivered], Reason.DISK)
        return self._free() >= self.terms.reserve

    def take_in(self) -> None:
        """Scan and cut each recording that is new, whole and not being written, as long as there is room.

        None while a campaign cannot be followed: a recording is looked at once, and would never be asked again.
        """
        try:
            campaigns = self.campaigns()
        except EdgeError as error:
            self.tell(error)
            return
        self._review(campaigns)
        for source in arrived(self.watched, self.spool, self.terms.consent, self.runner, self.tell):
            if self.make_room():
                self._take_in(self._begin(source), campaigns)
                self._review(campaigns)

    def _begin(self, source: Source) -> Remembered:
        free = self.terms.limit(Lane.BASELINE) - waiting_bytes(self.spool, Lane.BASELINE)
        rate = baseline_rate(self.terms.baseline, source.bytes, free)
        return self.spool.begin(source, rate, silent(self.spool))

    def _review(self, campaigns: tuple[Campaign, ...]) -> None:
        """See which campaigns are to be listened to from now on, and say what changed."""
        today = datetime.fromtimestamp(self.clock().wall_s, UTC).date()
        for quota in review(self.spool, campaigns, today):
            self.note(str(quota))

    def _take_in(self, drive: Remembered, campaigns: tuple[Campaign, ...]) -> None:
        if drive.tries > MOST_TRIES:
            self.spool.finish(drive.number, Standing.UNREADABLE, None, (), f"given up: {drive.why}")
            return
        taken = [d.driven for d in self.spool.drives() if d.standing is Standing.SCANNED and d.driven]
        intake = Intake(
            source=drive.source,
            out=self.spool.clips_folder,
            rate=drive.rate,
            consent=self.terms.consent,
            position=self.terms.position,
            known=frozenset((known.identity, known.seconds) for known in taken),
            campaigns=tuple(c for c in campaigns if c.name not in drive.silent),
        )
        with typed(self.spool.root):
            results = list(self.runner(take_in, [intake]))
        for result in results:
            if isinstance(result, ChildDied):  # perhaps for want of memory: tried again, MOST_TRIES times in all
                self.tell(result)
                self.spool.finish(drive.number, Standing.BEGUN, None, (), result.got)
            elif isinstance(result, EdgeError):
                self.tell(result)
                self.spool.finish(drive.number, Standing.UNREADABLE, None, (), result.got)
            else:
                self.spool.finish(drive.number, result.standing, result.driven, result.clips, result.why)
                if result.standing is Standing.BEGUN:
                    self.tell(
                        DriveError(f"{drive.source.path}: {result.why}", "a disk that answers", "it is tried again")
                    )

    def _free(self) -> int:
        with typed(self.spool.root):
            return self.free(self.spool.root)
