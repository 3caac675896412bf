"""Storage of a bag as rosbag2's SQLite database (`.db3`), its messages plain or compressed one by one.

The database is opened read only. Without a log beside it, it is taken not to change, so that no file is made next to a
recording; one that is still being written must bring its log. What comes before a damaged page is kept.

Not covered: messages deleted from the database, and checksums: SQLite has none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from edge.errors import DriveError
from edge.formats.message import DAMAGE, Channel, Wanted

MAX_ROW_BYTES = 1 << 30
"""A row larger than this is damage, not data."""


@dataclass
class SqliteFile:
    """A `.db3` of rosbag2."""

    path: Path
    lost: list[str] = field(default_factory=list)
    channels: dict[int, Channel] = field(default_factory=dict)

    def messages(self, wanted: Wanted) -> Iterator[tuple[int, int, bytes, tuple[int, int, int]]]:
        try:
            with closing(self._connect()) as database:
                self._read_topics(database)
                known = [number for number, channel in self.channels.items() if wanted(channel)]
                yield from self._rows(database, known)
        except DAMAGE as error:
            if not self.channels:
                raise DriveError(
                    f"{self.path} cannot be read ({error})", "a rosbag2 database", "copy the recording again"
                ) from error
            self.lost.append(f"{self.path.name}: what follows the damage cannot be read ({error})")

    def read(self, block: int, start: int, end: int) -> bytes:
        with closing(self._connect()) as database:
            row = database.execute("SELECT data FROM messages WHERE rowid = ?", (block,)).fetchone()
        return _message_content(row[0])[start:end] if row else b""

    def _connect(self) -> sqlite3.Connection:
        """Read only. A log that was not merged belongs to the recording; without one the file cannot change."""
        frozen = "" if self.path.with_name(self.path.name + "-wal").exists() else "&immutable=1"
        database = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro{frozen}", uri=True)
        database.executescript("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;")
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_ROW_BYTES)
        return database

    def _read_topics(self, database: sqlite3.Connection) -> None:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        definitions: dict[str, tuple[str, str]] = {}
        if "message_definitions" in tables:
            query = "SELECT topic_type, encoding, encoded_message_definition FROM message_definitions"
            definitions = {name: (encoding, text) for name, encoding, text in database.execute(query)}
        query = "SELECT id, name, type, serialization_format FROM topics"
        for number, topic, name, encoding in database.execute(query):
            defined = definitions.get(name, ("", ""))
            self.channels[int(number)] = Channel(str(topic), str(name), str(encoding), *map(str, defined))

    def _rows(
        self, database: sqlite3.Connection, channels: Sequence[int]
    ) -> Iterator[tuple[int, int, bytes, tuple[int, int, int]]]:
        marks = ",".join("?" * len(channels))
        query = f"SELECT rowid, topic_id, timestamp, data FROM messages WHERE topic_id IN ({marks}) ORDER BY rowid"
        bad = 0
        for row, channel, log_ns, data in database.execute(query, channels):
            if isinstance(log_ns, int) and isinstance(data, bytes):
                content = _message_content(data)
                yield int(channel), log_ns, content, (int(row), 0, len(content))
            else:
                bad += 1
        if bad:
            self.lost.append(f"{self.path.name}: {bad} messages are damaged")


def _message_content(data: bytes) -> bytes:
    """The message, unpacked where rosbag2 compressed it alone; CDR never begins as zstd does."""
    if not data.startswith(b"\x28\xb5\x2f\xfd"):
        return data
    import zstandard

    try:
        with zstandard.ZstdDecompressor().stream_reader(data) as reader:
            return bytes(reader.read(MAX_ROW_BYTES))
    except zstandard.ZstdError:
        return b""
