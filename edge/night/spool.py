"""The car's durable queue: clip folders on the disk, and beside them what is known of each.

    <root>/clips/<folder>/    clips, as `edge.cut` writes them; what starts with `.swerve-` is half-made
    <root>/damaged/           clips that do not match their manifest; never sent, never deleted here
    <root>/queue.sqlite       states, drives and nights (WAL, synchronous=FULL)

Rules:
- A folder appears before its row, and its row says `dropped` before the folder goes: whatever a crash leaves behind,
  `edge.night.recovery` can tell a clip that is not yet queued from one that is on its way out, and none is lost.
- One agent at a time; anybody may read beside it.
- Order is the order in which clips were queued. No clock is asked.
- A full or failing disk raises SpoolError and leaves everything as it was.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from edge.durable import make_folder, sync_folder
from edge.errors import SpoolError
from edge.night.budget import Decision
from edge.night.driven import Driven, Source, Standing
from edge.night.queued import Queued, Reason, State
from edge.night.spool_rows import Remembered, insert, queued_of, remembered_of
from edge.night.spool_schema import MIGRATIONS, as_now, migrate, version

CLIPS, DAMAGED, QUEUE, LOCK = "clips", "damaged", "queue.sqlite", ".lock"
BUSY_S = 30.0
"""How long a writer waits for a reader's lock."""


@dataclass(frozen=True)
class Spool:
    root: Path
    database: sqlite3.Connection

    @property
    def clips_folder(self) -> Path:
        return self.root / CLIPS

    def folder_of(self, clip: Queued) -> Path:
        return self.clips_folder / clip.folder

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it on the disk when the block ends well, nothing otherwise. Raises SpoolError."""
        with typed(self.root):
            self.database.execute("BEGIN IMMEDIATE")
            try:
                yield self.database
                self.database.execute("COMMIT")
            except BaseException:
                if self.database.in_transaction:
                    self.database.execute("ROLLBACK")
                raise

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with typed(self.root):
            return self.database.execute(query, values).fetchall()

    # Drives

    def begin(self, source: Source, rate: float, silent: Iterable[str] = ()) -> Remembered:
        """Remember a recording and one more try of it, before anything of it is read.

        Its baseline's rate, and the campaigns that are not listened to in it, stay as they were first.
        """
        names = (source.recorder, source.path, source.signature, source.bytes)
        with self.change() as database:
            database.execute(
                "INSERT OR IGNORE INTO drives (recorder, path, signature, bytes, rate, standing) VALUES (?,?,?,?,?,?)",
                (*names, rate, Standing.BEGUN),
            )
            database.execute(
                "UPDATE drives SET tries = tries + 1, silent = coalesce(silent, ?)"
                " WHERE recorder = ? AND path = ? AND signature = ?",
                (json.dumps(sorted(silent)), *names[:3]),
            )
        return next(d for d in self.drives() if d.source == source)

    def finish(
        self, number: int, standing: Standing, driven: Driven | None, clips: Iterable[Queued], why: str = ""
    ) -> None:
        """What became of a recording, and its clips, in one step; one that waits for consent was not listened to."""
        facts: tuple[Any, ...] = (None, None, None, None)
        if driven:
            facts = (driven.identity, driven.seconds, json.dumps(driven.recorded), json.dumps(driven.seen))
        with self.change() as database:
            database.execute(
                "UPDATE drives SET standing = ?, why = ?, identity = ?, seconds = ?, recorded = ?, seen = ?"
                " WHERE number = ?",
                (standing, why, *facts, number),
            )
            if standing is Standing.NOT_GIVEN:
                database.execute("UPDATE drives SET silent = NULL WHERE number = ?", (number,))
            for clip in clips:
                insert(database, clip)

    def drives(self) -> list[Remembered]:
        return [remembered_of(row) for row in self.rows("SELECT * FROM drives ORDER BY number")]

    # Clips

    def clips_of(self, drive: str) -> list[Queued]:
        return [queued_of(row) for row in self.rows("SELECT * FROM clips WHERE drive = ? ORDER BY sequence", (drive,))]

    def clips(self, *states: State) -> list[Queued]:
        """Clips in any of the states, or all, in the order in which they were cut."""
        marks = ",".join("?" * len(states))
        where = f"WHERE state IN ({marks})" if states else ""
        return [queued_of(row) for row in self.rows(f"SELECT * FROM clips {where} ORDER BY sequence", states)]

    def decide(self, night: int, fates: Iterable[Decision], considered: Iterable[Queued]) -> None:
        """Write down a night's choice: fates that were decided, and who was part of it."""
        considered, fates = list(considered), list(fates)
        lost = {fate.clip_id for fate in fates if not fate.chosen}
        with self.change() as database:
            for clip in considered:
                database.execute("UPDATE clips SET night = coalesce(night, ?) WHERE clip_id = ?", (night, clip.clip_id))
            for fate in fates:
                state, reason = (State.CHOSEN, None) if fate.chosen else (State.DROPPED, Reason.BUDGET)
                database.execute(
                    "UPDATE clips SET state = ?, reason = ?, probability = ? WHERE clip_id = ? AND state = ?",
                    (state, reason, fate.probability, fate.clip_id, State.CUT),
                )
        self.remove(clip.folder for clip in considered if clip.clip_id in lost)

    def mark(self, clip: Queued, state: State) -> Queued:
        with self.change() as database:
            database.execute("UPDATE clips SET state = ? WHERE sequence = ?", (state, clip.sequence))
        return replace(clip, state=state)

    def drop(self, clips: Iterable[Queued], reason: Reason) -> None:
        """Let copies go; a damaged one is moved aside instead."""
        clips = list(clips)
        with self.change() as database:
            for clip in clips:
                database.execute(
                    "UPDATE clips SET state = ?, reason = ? WHERE sequence = ?", (State.DROPPED, reason, clip.sequence)
                )
        for clip in clips:
            if reason is Reason.DAMAGED:
                self.set_aside(clip.folder)
            else:
                self.remove([clip.folder])

    def remove(self, folders: Iterable[str]) -> None:
        """Delete copies; their rows, if any, must say so already."""
        with typed(self.root):
            for folder in folders:
                if (self.clips_folder / folder).exists():
                    shutil.rmtree(self.clips_folder / folder)

    def set_aside(self, folder: str) -> None:
        """Move a copy to where nothing is sent from."""
        aside = self.root / DAMAGED
        with typed(self.root):
            aside.mkdir(exist_ok=True)
            (self.clips_folder / folder).rename(aside / f"{folder}.{uuid4().hex[:8]}")
            sync_folder(aside)


@contextmanager
def open_spool(root: Path) -> Iterator[Spool]:
    """The queue at `root`, for the one agent that works on it; made where there is none.

    Raises:
        SpoolError: another agent is at work, a newer format, or a disk that refuses.
    """
    with typed(root):
        make_folder(root)
        lock = os.open(root / LOCK, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        with typed(root):
            _lock(lock, root)
            database = _connect(root)
        with closing(database):
            with typed(root):
                migrate(database)
                (root / CLIPS).mkdir(exist_ok=True)
                sync_folder(root)
                sync_folder(root.parent)
            yield Spool(root, database)
    finally:
        os.close(lock)


@contextmanager
def read_spool(root: Path) -> Iterator[Spool]:
    """The queue at `root`, to look at, also while an agent works on it, an earlier one too. Raises SpoolError."""
    if not (root / QUEUE).is_file():
        raise SpoolError(f"{root} holds no queue", "the --spool folder of swerve edge run", "check the path")
    with typed(root), closing(_connect(root)) as database:
        if version(database) == len(MIGRATIONS):
            yield Spool(root, database)
        else:
            with closing(as_now(database)) as copy:
                yield Spool(root, copy)


@contextmanager
def typed(root: Path) -> Iterator[None]:
    """Say in three parts what a disk or the database refused."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise SpoolError(
            f"{root}: {error}", "a disk that can be read and written", "free space or check the disk"
        ) from error


def _lock(descriptor: int, root: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SpoolError(
            f"another agent works on {root}", "one at a time", "stop it, or give --spool another"
        ) from None


def _connect(root: Path) -> sqlite3.Connection:
    database = sqlite3.connect(root / QUEUE, timeout=BUSY_S, isolation_level=None)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    return database
