"""The car's durable queue: clip folders on the disk, and beside them what is known of each.

    <root>/clips/<folder>/    clips, as `edge.cut` writes them; what starts with `.swerve-` is half-made
    <root>/damaged/           clips that do not match their manifest; never sent, never deleted here
    <root>/queue.sqlite       states, drives and nights (WAL, synchronous=FULL)

Rules:
- A folder appears before its row, and its row says `dropped` before the folder goes: whatever a crash leaves behind,
  `recover` can tell a clip that is not yet queued from one that is on its way out, and none is lost.
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

from edge.budget import Decision
from edge.driven import Driven, Source, Standing
from edge.durable import PREFIX, sync_folder
from edge.errors import EdgeError, SpoolError
from edge.queued import WAITING, Lane, Queued, Reason, State
from edge.spool_schema import migrate, version

CLIPS, DAMAGED, QUEUE, LOCK = "clips", "damaged", "queue.sqlite", ".lock"
BUSY_S = 30.0
"""How long a writer waits for a reader's lock."""


@dataclass(frozen=True)
class Remembered:
    """A row of the drives.

    Attributes:
        rate: of its baseline, set before anything was drawn. tries: how often it was begun.
        driven: None until the recording was opened. why: what was wrong with it.
    """

    number: int
    source: Source
    rate: float
    tries: int
    standing: Standing
    why: str
    driven: Driven | None


@dataclass(frozen=True)
class Recovered:
    """What a start found: half-made folders swept, clips queued that had no row, and copies that are gone."""

    swept: int
    adopted: int
    lost: int


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

    def begin(self, source: Source, rate: float) -> Remembered:
        """Remember a recording, its baseline rate and one more try before anything is drawn; the first rate stays."""
        names = (source.recorder, source.path, source.signature, source.bytes)
        with self.change() as database:
            database.execute(
                "INSERT OR IGNORE INTO drives (recorder, path, signature, bytes, rate, standing) VALUES (?,?,?,?,?,?)",
                (*names, rate, Standing.BEGUN),
            )
            database.execute(
                "UPDATE drives SET tries = tries + 1 WHERE recorder = ? AND path = ? AND signature = ?", names[:3]
            )
        return next(d for d in self.drives() if d.source == source)

    def finish(
        self, number: int, standing: Standing, driven: Driven | None, clips: Iterable[Queued], why: str = ""
    ) -> None:
        """What became of a recording, and its clips, in one step."""
        facts: tuple[Any, ...] = (None, None, None, None)
        if driven:
            facts = (driven.identity, driven.seconds, json.dumps(driven.recorded), json.dumps(driven.seen))
        with self.change() as database:
            database.execute(
                "UPDATE drives SET standing = ?, why = ?, identity = ?, seconds = ?, recorded = ?, seen = ?"
                " WHERE number = ?",
                (standing, why, *facts, number),
            )
            for clip in clips:
                _insert(database, clip)

    def drives(self) -> list[Remembered]:
        return [_remembered(row) for row in self.rows("SELECT * FROM drives ORDER BY number")]

    # Clips

    def clips_of(self, drive: str) -> list[Queued]:
        return [_queued(row) for row in self.rows("SELECT * FROM clips WHERE drive = ? ORDER BY sequence", (drive,))]

    def clips(self, *states: State) -> list[Queued]:
        """Clips in any of the states, or all, in the order in which they were cut."""
        marks = ",".join("?" * len(states))
        where = f"WHERE state IN ({marks})" if states else ""
        return [_queued(row) for row in self.rows(f"SELECT * FROM clips {where} ORDER BY sequence", states)]

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
        self._remove(clip.folder for clip in considered if clip.clip_id in lost)

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
                self._set_aside(self.folder_of(clip))
            else:
                self._remove([clip.folder])

    def _remove(self, folders: Iterable[str]) -> None:
        with typed(self.root):
            for folder in folders:
                if (self.clips_folder / folder).exists():
                    shutil.rmtree(self.clips_folder / folder)

    def _set_aside(self, folder: Path) -> None:
        aside = self.root / DAMAGED
        with typed(self.root):
            aside.mkdir(exist_ok=True)
            folder.rename(aside / f"{folder.name}.{uuid4().hex[:8]}")
            sync_folder(aside)

    # After a crash

    def recover(self) -> Recovered:
        """Make the rows and the folders agree. Raises SpoolError."""
        with typed(self.root):
            names = {path.name for path in self.clips_folder.iterdir()}
        half_made = {name for name in names if name.startswith(PREFIX)}
        known = {row["folder"]: row["state"] for row in self.rows("SELECT folder, state FROM clips")}
        leaving = {name for name in names if known.get(name) == State.DROPPED}
        self._remove(half_made | leaving)
        here = names - half_made - leaving
        adopted = [clip for name in sorted(here - known.keys()) if (clip := self._found(self.clips_folder / name))]
        if adopted:
            with self.change() as database:
                for clip in adopted:
                    _insert(database, clip)
        missing = [clip for clip in self.clips(*WAITING) if clip.folder not in here]
        if missing:
            self.drop(missing, Reason.MISSING)
        return Recovered(len(half_made), len(adopted), len(missing))

    def _found(self, folder: Path) -> Queued | None:
        """A clip without a row; one that is not whole is moved aside."""
        from edge.clip import open_clip

        try:
            clip = open_clip(folder)
            clip.verify()
        except EdgeError as error:
            if not is_damaged(error):
                raise SpoolError(error.got, "a clip that can be read", "check the disk and start again") from error
            self._set_aside(folder)
            return None
        return Queued.of(clip)


def is_damaged(error: EdgeError) -> bool:
    """Whether a clip that could not be opened is not whole, rather than out of reach for now."""
    cause = error.__cause__
    return not isinstance(cause, OSError) or isinstance(cause, FileNotFoundError | NotADirectoryError)


@contextmanager
def open_spool(root: Path) -> Iterator[Spool]:
    """The queue at `root`, for the one agent that works on it; made where there is none.

    Raises:
        SpoolError: another agent is at work, a newer format, or a disk that refuses.
    """
    with typed(root):
        root.mkdir(parents=True, exist_ok=True)
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
            yield Spool(root, database)
    finally:
        os.close(lock)


@contextmanager
def read_spool(root: Path) -> Iterator[Spool]:
    """The queue at `root`, to look at, also while an agent works on it. Raises SpoolError."""
    if not (root / QUEUE).is_file():
        raise SpoolError(f"{root} holds no queue", "the --spool folder of swerve edge run", "check the path")
    with typed(root), closing(_connect(root)) as database:
        version(database)
        yield Spool(root, database)


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


def _insert(database: sqlite3.Connection, clip: Queued) -> None:
    database.execute(
        'INSERT OR IGNORE INTO clips (clip_id, folder, drive, first, "end", lane, bytes, value, state, probability)'
        " VALUES (?,?,?,?,?,?,?,?,?,?)",
        (
            clip.clip_id,
            clip.folder,
            clip.drive,
            clip.first,
            clip.end,
            clip.lane,
            clip.bytes,
            clip.value,
            clip.state,
            clip.probability,
        ),
    )


def _queued(row: sqlite3.Row) -> Queued:
    told = dict(row)
    reason = Reason(told["reason"]) if told["reason"] else None
    return Queued(**told | {"lane": Lane(told["lane"]), "state": State(told["state"]), "reason": reason})


def _remembered(row: sqlite3.Row) -> Remembered:
    driven = None
    if row["identity"] is not None:
        recorded, seen = (tuple((a, b) for a, b in json.loads(row[name])) for name in ("recorded", "seen"))
        driven = Driven(row["identity"], row["seconds"], row["rate"], recorded, seen)
    source = Source(row["recorder"], row["path"], row["signature"], row["bytes"])
    return Remembered(row["number"], source, row["rate"], row["tries"], Standing(row["standing"]), row["why"], driven)
