"""What the service remembers: uploads, receipts and device keys, in one SQLite file.

WAL with `synchronous=FULL`: a change that returned is on the disk. `user_version` is the schema's number. The bytes
themselves lie beside it; a row never claims a byte that was not forced to disk before.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curate.errors import StoreError
from edge.durable import make_folder

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


class State:
    """One connection that writes and one that reads, each taken in turn: readers never wait for a disk."""

    def __init__(self, path: Path) -> None:
        """Raises StoreError for a file of another schema."""
        make_folder(path.parent)
        self._writing, self._reading = threading.Lock(), threading.Lock()
        self._db, self._reader = _connect(path), _connect(path)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        with self.change() as db:
            number = int(db.execute("PRAGMA user_version").fetchone()[0])
            if number == 0:
                for statement in SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version={SCHEMA_NUMBER}")
            elif number != SCHEMA_NUMBER:
                raise StoreError(f"{path} has schema {number}", f"{SCHEMA_NUMBER}", "use the swerve that wrote it")

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of the block or none of it, on the disk when it ends."""
        with self._writing:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, question: str, *values: Any) -> list[sqlite3.Row]:
        with self._reading:
            return self._reader.execute(question, values).fetchall()

    def row(self, question: str, *values: Any) -> sqlite3.Row | None:
        found = self.rows(question, *values)
        return found[0] if found else None

    def close(self) -> None:
        self._reader.close()
        self._db.close()


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
