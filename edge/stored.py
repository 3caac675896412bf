"""Telemetry that lies in a Parquet file and is read a row group at a time: `Recorded`, in memory that does not grow.

Only the file's head is read when it is opened; every row group is checked when it is met (`edge.schema`), and its times
against what the head says of them, so that they increase throughout. Damage is a DriveError, also in the middle.

The file is trusted to stay as it is. Nothing is kept of what was read: a caller that asks for one row group again and
again pays again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from edge.errors import DriveError
from edge.schema import check_columns, read_telemetry, readable, telemetry_of
from trigger.telemetry import BLOCK_ROWS, Recorded, Telemetry, Times, Values, latest

KEPT_CELLS = 2_000_000
"""Telemetry of no more values and times than this is kept in memory: 16 MB, 16 minutes of 20 signals at 100 Hz."""
EVER = (-(1 << 63), (1 << 63) - 1)
"""All times; a piece of it lacks the signals that it has no sample of."""


def open_telemetry(path: Path) -> Recorded:
    """A native drive's telemetry: in memory where it is small. Raises DriveError."""
    with readable(path):
        head = pq.read_metadata(path)
    return read_telemetry(path) if head.num_rows * head.num_columns <= KEPT_CELLS else StoredTelemetry.open(path)


def part_of(telemetry: Recorded, start_ns: int, end_ns: int) -> Iterator[Telemetry]:
    """Rows with start_ns <= t < end_ns, in pieces that fit in memory."""
    if isinstance(telemetry, StoredTelemetry):
        return telemetry.part(start_ns, end_ns)
    return telemetry.between(start_ns, end_ns).blocks()


def without(telemetry: Recorded, names: Collection[str]) -> Recorded:
    """The same rows without some signals."""
    if isinstance(telemetry, StoredTelemetry):
        return StoredTelemetry(telemetry.file, telemetry.name, telemetry.groups, telemetry.columns - set(names))
    assert isinstance(telemetry, Telemetry)
    return Telemetry(telemetry.t_ns, {name: telemetry.columns[name] for name in telemetry if name not in names})


@dataclass(frozen=True)
class _Group:
    """A row group: its number in the file, the times of its first and last row, and the signals it has samples of."""

    number: int
    first_ns: int
    last_ns: int
    rows: int
    signals: frozenset[str]


@dataclass(frozen=True, repr=False, eq=False)
class StoredTelemetry:
    """Telemetry in a file that is open; `name` is what errors call it, `columns` the signals that are shown.

    Raises:
        DriveError: by whatever reads, where the file turns out to be damaged.
    """

    file: Any
    name: object
    groups: Sequence[_Group]
    columns: frozenset[str]

    @staticmethod
    def open(source: Path | IO[bytes], name: object = None) -> StoredTelemetry:
        """A file by its path, or an open one, which stays in use.

        Raises:
            DriveError: it is not Parquet, its columns are not telemetry, or its row groups are not in order of time.
        """
        name = source if name is None else name
        with readable(name):
            file = pq.ParquetFile(source)
        check_columns(file.schema_arrow, name)
        with readable(name):
            groups = [_group(file, number) for number in range(file.num_row_groups)]
        groups = [group for group in groups if group.rows]
        if any(after.first_ns <= before.last_ns for before, after in pairwise(groups)):
            raise DriveError(f"{name}: times that are not increasing", "rows in order of time", "write it again")
        return StoredTelemetry(file, name, groups, frozenset().union(*(group.signals for group in groups)))

    def __len__(self) -> int:
        return sum(group.rows for group in self.groups)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.file.schema_arrow.names if name in self.columns)

    def __repr__(self) -> str:
        return f"StoredTelemetry({len(self)} rows in {len(self.groups)} groups, {', '.join(sorted(self.columns))})"

    @property
    def span_ns(self) -> tuple[int, int] | None:
        return (self.groups[0].first_ns, self.groups[-1].last_ns) if self.groups else None

    def blocks(self) -> Iterator[Telemetry]:
        return self._read(*EVER, self.columns)

    def part(self, start_ns: int, end_ns: int) -> Iterator[Telemetry]:
        """Rows with start_ns <= t < end_ns, in pieces that fit in memory."""
        return (block.between(start_ns, end_ns) for block in self._read(start_ns, end_ns - 1, self.columns))

    def between(self, start_ns: int, end_ns: int) -> Telemetry:
        parts = list(self.part(start_ns, end_ns))
        return Telemetry.join(parts) if parts else Telemetry.merge({})

    def samples(self, name: str) -> tuple[Times, Values]:
        if name not in self:
            raise KeyError(name)
        return self._samples(name, *EVER)

    def at(self, name: str, t_ns: Times, max_age_s: float) -> Values:
        if name not in self or not np.size(t_ns):
            return np.full(np.shape(t_ns), np.nan)
        since_ns = int(np.min(t_ns)) - round(max_age_s * 1e9)
        return latest(self._samples(name, since_ns, int(np.max(t_ns))), t_ns, max_age_s)

    def _samples(self, name: str, first_ns: int, last_ns: int) -> tuple[Times, Values]:
        """Samples of all row groups that reach into [first, last]."""
        rows = sum(group.rows for group in self._groups(first_ns, last_ns))
        t_ns, values, count = np.empty(rows, np.int64), np.empty(rows), 0
        for block in self._read(first_ns, last_ns, {name}):
            if name in block:
                own_ns, own = block.samples(name)
                t_ns[count : count + own.size], values[count : count + own.size] = own_ns, own
                count += own.size
        return t_ns[:count], values[:count]

    def _read(self, first_ns: int, last_ns: int, names: Collection[str]) -> Iterator[Telemetry]:
        """Rows of all row groups that reach into [first, last]; of the named signals those that the group has."""
        for group in self._groups(first_ns, last_ns):
            yield from self._rows(group, [name for name in self if name in names and name in group.signals])

    def _groups(self, first_ns: int, last_ns: int) -> list[_Group]:
        return [group for group in self.groups if group.last_ns >= first_ns and group.first_ns <= last_ns]

    def _rows(self, group: _Group, names: Sequence[str]) -> Iterator[Telemetry]:
        rows, last_ns = 0, group.first_ns - 1
        with readable(self.name):
            batches = self.file.iter_batches(BLOCK_ROWS, [group.number], ["t_ns", *names], use_threads=False)
            for batch in batches:
                block = telemetry_of(pa.Table.from_batches([batch]), self.name)
                if not last_ns < block.t_ns[0] <= block.t_ns[-1] <= group.last_ns:
                    break
                rows, last_ns = rows + len(block), int(block.t_ns[-1])
                yield block.between(*EVER)
        if rows != group.rows:
            got = f"{self.name}: row group {group.number} is not what the file's head says"
            raise DriveError(got, "a whole file", "copy the drive again")


def _group(file: Any, number: int) -> _Group:
    """What the file's head says of a row group; its times are read where it says nothing of them."""
    head = file.metadata.row_group(number)
    columns = [head.column(i) for i in range(head.num_columns)]
    said = {column.path_in_schema: column.statistics for column in columns if column.statistics}
    empty = {name for name, of in said.items() if of.has_null_count and of.null_count == head.num_rows}
    signals = {column.path_in_schema for column in columns} - empty - {"t_ns"}
    if "t_ns" in said and said["t_ns"].has_min_max:
        first, last = said["t_ns"].min, said["t_ns"].max
    else:
        t_ns = file.read_row_group(number, ["t_ns"]).column(0).to_numpy()
        first, last = (t_ns[0], t_ns[-1]) if t_ns.size else (0, 0)
    return _Group(number, int(first), int(last), head.num_rows, frozenset(signals))
