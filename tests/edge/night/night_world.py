"""A car and a store for tests: clocks that are set by hand, a disk of any size, and every problem written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edge.errors import EdgeError
from edge.night.agent import Agent
from edge.night.clock import EARLIEST_S, Moment
from edge.night.ledger import Account, accounts
from edge.night.recovery import recover
from edge.night.spool import Spool, open_spool
from edge.night.terms import Terms
from edge.upload.destination import INBOX, Destination, FolderDestination
from trigger.campaign import Campaign

MIDNIGHT = Moment("boot 1", 1000.0, EARLIEST_S + 30 * 86_400, 0)
HOUR_S = 3600.0


def directly(job: Any, items: Any) -> Iterator[Any]:
    """A runner without a child process."""
    for item in items:
        try:
            yield job(item)
        except EdgeError as error:
            yield error


@dataclass
class Car:
    """One car. `moment` and `free_bytes` are what its clocks and its disk say."""

    root: Path
    terms: Terms = field(default_factory=lambda: Terms(baseline=0.0))
    moment: Moment = MIDNIGHT
    free_bytes: int = 10**12
    unmetered: bool = True
    to: Destination | None = None
    campaigns: tuple[Campaign, ...] = ()
    told: list[EdgeError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def store(self) -> Path:
        return self.root / "store"

    def later(self, hours: float) -> None:
        seconds = hours * HOUR_S
        powered_s, wall_s = self.moment.powered_s + seconds, self.moment.wall_s + seconds
        self.moment = replace(self.moment, powered_s=powered_s, wall_s=wall_s)

    @contextmanager
    def spool(self) -> Iterator[Spool]:
        with open_spool(self.root / "spool") as spool:
            recover(spool)
            yield spool

    def agent(self, spool: Spool) -> Agent:
        watched = self.root / "watched"
        watched.mkdir(exist_ok=True)
        return Agent(
            spool=spool,
            watched=watched,
            to=lambda: self.to or FolderDestination(self.store),
            terms=self.terms,
            tell=self.told.append,
            unmetered=lambda: self.unmetered,
            runner=directly,
            clock=lambda: self.moment,
            free=lambda path: self.free_bytes,
            campaigns=lambda: self.campaigns,
            note=self.notes.append,
        )

    def round(self) -> None:
        """One start, one round, one stop."""
        self.told.clear()
        self.notes.clear()
        with self.spool() as spool:
            self.agent(spool).round()

    def arrived(self) -> set[str]:
        return {path.name for path in (self.store / INBOX).glob("*")}

    def ask(self, question: Callable[[Spool], Any]) -> Any:
        with self.spool() as spool:
            return question(spool)

    def ledger(self) -> list[Account]:
        return list(self.ask(lambda spool: accounts(spool.drives(), spool.clips())))
