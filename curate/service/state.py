"""What the service remembers: uploads, receipts and device keys, in one SQLite file.

WAL with `synchronous=FULL`: a change that returned is on the disk. Changes that wait for the disk at the same time are
forced to it together, by whichever of them comes first, and before them the folders whose names their rows tell of,
each once. `user_version` is the schema's number. The bytes themselves lie beside it; a row never claims a byte that was
not forced to disk before.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from curate.errors import StoreError
from edge.durable import make_folder, sync_folder

SCHEMA_NUMBER = 1
SCHEMA = """
CREATE TABLE upload (
    id TEXT PRIMARY KEY, device TEXT NOT NULL, clip TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,
    length INTEGER NOT NULL, offset INTEGER NOT NULL, metadata TEXT NOT NULL, expires INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'committed', 'gone'))
) STRICT;
CREATE UNIQUE INDEX upload_of_file ON upload (device, clip, name) WHERE state <> 'gone';
CREATE INDEX upload_live ON upload (device, expires, length) WHERE state = 'live';
CREATE INDEX upload_gone ON upload (expires) WHERE state = 'gone';
CREATE TABLE receipt (
    clip TEXT PRIMARY KEY, device TEXT NOT NULL, digest TEXT NOT NULL, bytes INTEGER NOT NULL, time INTEGER NOT NULL
) STRICT;
CREATE TABLE device_key (
    id TEXT PRIMARY KEY, device TEXT NOT NULL, public BLOB NOT NULL, added INTEGER NOT NULL, expires INTEGER
) STRICT;
"""


T = TypeVar("T")
Work: TypeAlias = Callable[[sqlite3.Connection], Any]


class State:
    """One connection that writes and one that reads, each taken in turn: readers never wait for a disk."""

    def __init__(self, path: Path) -> None:
        """Raises StoreError for a file of another schema."""
        make_folder(path.parent)
        self._writing, self._reading = threading.Lock(), threading.Lock()
        self._waiting: deque[tuple[Work, Path | None, Future[Any]]] = deque()
        self._db, self._reader = _connect(path), _connect(path)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        number = self.change(_prepare)
        if number != SCHEMA_NUMBER:
            raise StoreError(f"{path} has schema {number}", f"{SCHEMA_NUMBER}", "use the swerve that wrote it")

    def change(self, work: Callable[[sqlite3.Connection], T], folder: Path | None = None) -> T:
        """What `work` gives, once all that it changed is on the disk; nothing is changed where it raises.

        Args:
            folder: forced to disk before, for a row that tells of a new name in it.
        """
        done: Future[T] = Future()
        self._waiting.append((work, folder, done))
        with self._writing:
            if not done.done():
                self._change_together()
        return done.result()

    def _change_together(self) -> None:
        """All changes that wait, in one transaction, each undone alone where it raises."""
        group = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            for folder in {folder for _, folder, _ in group if folder}:
                sync_folder(folder)
            self._db.execute("BEGIN IMMEDIATE")
            answers = [_apart(self._db, work) for work, _, _ in group]
            self._db.execute("COMMIT")
        except BaseException as failure:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            answers = [(None, failure)] * len(group)
        for (_, _, done), (result, error) in zip(group, answers, strict=True):
            if error:
                done.set_exception(error)
            else:
                done.set_result(result)

    def rows(self, question: str, *values: Any) -> list[sqlite3.Row]:
        with self._reading:
            return self._reader.execute(question, values).fetchall()

    def row(self, question: str, *values: Any) -> sqlite3.Row | None:
        found = self.rows(question, *values)
        return found[0] if found else None

    def close(self) -> None:
        self._reader.close()
        self._db.close()


def _apart(db: sqlite3.Connection, work: Work) -> tuple[Any, BaseException | None]:
    """What one change of a group gives, or raises; then it has changed nothing."""
    db.execute("SAVEPOINT one")
    try:
        return work(db), None
    except BaseException as error:
        db.execute("ROLLBACK TO one")
        return None, error
    finally:
        db.execute("RELEASE one")


def _prepare(db: sqlite3.Connection) -> int:
    """The number of the schema; a new file is given the present one."""
    number = int(db.execute("PRAGMA user_version").fetchone()[0])
    if number:
        return number
    for statement in SCHEMA.split(";"):
        db.execute(statement)
    db.execute(f"PRAGMA user_version={SCHEMA_NUMBER}")
    return SCHEMA_NUMBER


@contextmanager
def typed(folder: Path) -> Iterator[None]:
    """Say in three parts what a disk or the database refused: for those who are no request. Raises StoreError."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"{folder}: {error}", "a disk that can be read and written", "free space or check the disk"
        ) from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30.0)
    connection.row_factory = sqlite3.Row
    return connection
