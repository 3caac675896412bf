"""The car as a subject: one round of the agent, from a recording to clips acknowledged by a store that is a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subject import Made

from edge.clip import open_clip
from edge.durable import PREFIX
from edge.errors import EdgeError
from edge.night.agent import Agent
from edge.night.ledger import accounts
from edge.night.queued import Queued
from edge.night.quota import Hearing, Quota, quotas
from edge.night.recovery import recover
from edge.night.spool import CLIPS, open_spool, read_spool
from edge.night.terms import Terms
from edge.output import say
from edge.upload.destination import ARRIVING, INBOX, FolderDestination
from trigger.campaign import read

TERMS = Terms(bytes_a_night=10**11, baseline=0.05)
CAMPAIGN = read('name = "slow"\nexpression = "speed_mps < 12"\nquota_bytes = 1\n')
"""Its quota is used by the one recording: a start after a crash must listen in it as the first one did."""


@dataclass(frozen=True)
class Outcome:
    """What a finished round leaves: clip id to offer, what campaigns used, and the ledger."""

    offers: dict[str, bytes]
    quotas: list[Quota]
    ledger: list[tuple[str, int, dict[str, int]]]


@dataclass(frozen=True)
class Car:
    """One car and one store. `wanted` is how an undisturbed round ends, None for the one that is undisturbed."""

    root: Path
    watched: Path
    wanted: Outcome | None = None

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    def round(self) -> int:
        told: list[EdgeError] = []
        try:
            with open_spool(self.spool) as queue:
                recover(queue)
                to = FolderDestination(self.store)
                Agent(
                    spool=queue,
                    watched=self.watched,
                    to=lambda: to,
                    terms=TERMS,
                    tell=told.append,
                    unmetered=lambda: True,
                    runner=directly,
                    free=lambda _: 10**12,
                    campaigns=lambda: (CAMPAIGN,),
                ).round()
        except EdgeError as error:
            told.append(error)
        for problem in told:
            say(problem)
        return 2 if told else 0

    def hear(self, line: bytes) -> None:
        """Its word is in its queue."""

    def torn(self) -> Iterator[str]:
        """Visible clips are whole, and acknowledged ones are in the store."""
        inbox = self.store / INBOX
        there = {path.name for path in inbox.glob("*")}
        for folder in [inbox / name for name in there] + list(_visible(self.spool / CLIPS)):
            try:
                clip = open_clip(folder)
                clip.verify()
            except EdgeError as error:
                if folder.parent == inbox or not self._leaving(folder.name):
                    yield f"{folder} is torn: {error}"
                continue
            if folder.parent == inbox and clip.id != folder.name:
                yield f"{folder} holds clip {clip.id}"
        yield from (
            f"acknowledged clip {c.folder} is not in the store"
            for c in self.queue()
            if c.delivered and c.clip_id not in there
        )

    def differences(self) -> Iterator[str]:
        yield from self.torn()
        got = self.outcome()
        if self.wanted and got != self.wanted:
            yield f"the round ended with {got}, not {self.wanted}"
        if any(sum(fates.values()) != seconds for _, seconds, fates in got.ledger):
            yield f"the ledger does not add up: {got.ledger}"
        left = [*(self.spool / CLIPS).glob("*"), *(self.store / ARRIVING).glob("*")]
        if left:
            yield f"left behind: {left}"

    def outcome(self) -> Outcome:
        offers = {folder.name: (folder / "offer.json").read_bytes() for folder in (self.store / INBOX).glob("*")}
        with read_spool(self.spool) as spool:
            told, used = accounts(spool.drives(), spool.clips()), quotas(spool)
        fates = [(a.drive, a.seconds, dict(Counter({s.fate: a.total(s.fate) for s in a.stretches}))) for a in told]
        return Outcome(offers, used, fates)

    def queue(self) -> list[Queued]:
        try:
            with read_spool(self.spool) as spool:
                return spool.clips()
        except EdgeError:
            return []  # not made yet

    def _leaving(self, folder: str) -> bool:
        """Its row says that it is dropped: the next start removes what is left of it."""
        return any(c.folder == folder and c.reason for c in self.queue())


def cars(watched: Path, calm: Car) -> Made:
    """Cars that must all end as `calm` did."""
    wanted = calm.outcome()
    assert len(wanted.offers) >= 2, "the recording must give clips of both lanes"
    assert [quota.hearing for quota in wanted.quotas] == [Hearing.USED], "the campaign must use its quota"
    return lambda root: Car(root, watched, wanted)


def directly(job: Any, items: Any) -> Iterator[Any]:
    for item in items:
        try:
            yield job(item)
        except EdgeError as error:
            yield error


def _visible(clips: Path) -> Iterator[Path]:
    if clips.exists():
        yield from (path for path in clips.iterdir() if not path.name.startswith(PREFIX))
