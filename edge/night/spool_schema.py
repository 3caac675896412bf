"""The queue's tables, and how older ones become the present ones."""

from __future__ import annotations

import sqlite3

from edge.errors import SpoolError

MIGRATIONS = (
    """
    CREATE TABLE drives (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        recorder TEXT NOT NULL, path TEXT NOT NULL, signature TEXT NOT NULL, bytes INTEGER NOT NULL,
        rate REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, standing TEXT NOT NULL, why TEXT NOT NULL DEFAULT '',
        identity TEXT, seconds INTEGER, recorded TEXT, seen TEXT,
        UNIQUE (path, recorder, signature)
    );
    CREATE TABLE clips (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        clip_id TEXT NOT NULL UNIQUE, folder TEXT NOT NULL UNIQUE, drive TEXT NOT NULL,
        first INTEGER NOT NULL, "end" INTEGER NOT NULL,
        lane TEXT NOT NULL, bytes INTEGER NOT NULL, value REAL NOT NULL,
        state TEXT NOT NULL, reason TEXT, probability REAL, night INTEGER
    );
    CREATE INDEX clips_by_state ON clips (state);
    CREATE INDEX clips_by_drive ON clips (drive);
    CREATE TABLE nights (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        boot TEXT NOT NULL, powered_s REAL NOT NULL, wall_s REAL NOT NULL, total_s REAL NOT NULL,
        baseline_spent INTEGER NOT NULL DEFAULT 0, event_spent INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE boots (boot TEXT PRIMARY KEY, first_s REAL NOT NULL, last_s REAL NOT NULL);
    """,
    """
    ALTER TABLE clips ADD COLUMN charges TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE drives ADD COLUMN silent TEXT;
    CREATE TABLE campaigns (name TEXT PRIMARY KEY, quota_bytes INTEGER, ends TEXT, hearing TEXT NOT NULL);
    """,
)
"""One script a version: script i takes a queue of version i to i + 1. Never edit one that was released; add one."""


def migrate(database: sqlite3.Connection) -> None:
    """Bring the tables to the present version, each step whole or not at all. Raises SpoolError for a newer one."""
    found = version(database)
    for number in range(found, len(MIGRATIONS)):
        database.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;")


def as_now(database: sqlite3.Connection) -> sqlite3.Connection:
    """A queue of an earlier version as it would be now, in memory: the program that works on it is left alone."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    copy.row_factory = sqlite3.Row
    database.backup(copy)
    migrate(copy)
    return copy


def version(database: sqlite3.Connection) -> int:
    found = int(database.execute("PRAGMA user_version").fetchone()[0])
    if found > len(MIGRATIONS):
        raise SpoolError(
            f"a queue of version {found}", f"version {len(MIGRATIONS)} or older", "install the newer swerve again"
        )
    return found
