"""Telemetry as Parquet: the Arrow schema is derived from the table of signals, so the two cannot differ.

A file is written in row groups of `BLOCK_ROWS`, so that a recording of any length passes through little memory. What is
read is checked: known columns of their types, strictly increasing times, no infinities; else a DriveError.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from edge.errors import DriveError
from trigger.signals import Signal, signal_named, signals_named
from trigger.telemetry import BLOCK_ROWS, Recorded, Telemetry, TelemetryError, Values

_ARROW = {"number": pa.float64(), "flag": pa.bool_(), "source": pa.uint8(), "reason": pa.uint8()}


def arrow_field(signal: Signal) -> pa.Field:
    return pa.field(signal.name, _ARROW[signal.kind], nullable=True)


def telemetry_schema(names: Iterable[str]) -> pa.Schema:
    """`t_ns` and the named signals, in the order of `trigger.signals`."""
    fields = [arrow_field(signal) for signal in signals_named(names)]
    return pa.schema([pa.field("t_ns", pa.int64(), nullable=False), *fields])


def write_telemetry(path: Path, telemetry: Recorded) -> None:
    schema = telemetry_schema(telemetry)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for block in regrouped(telemetry.blocks(), BLOCK_ROWS):
            writer.write_table(table_of(block, schema))


def regrouped(blocks: Iterable[Telemetry], rows: int) -> Iterator[Telemetry]:
    """Blocks that follow one another as blocks of so many rows, the last one shorter; at least one."""
    waiting: list[Telemetry] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= rows:
            whole = Telemetry.join(waiting)
            borders = [int(whole.t_ns[0]), *whole.t_ns[rows::rows].tolist(), int(whole.t_ns[-1]) + 1]
            *full, rest = (whole.between(*span) for span in pairwise(borders))
            yield from full
            waiting = [rest]
    yield Telemetry.join(waiting) if waiting else Telemetry.merge({})


def table_of(block: Telemetry, schema: pa.Schema) -> pa.Table:
    """Raises DriveError where the block has a signal that is not in `schema`."""
    late = set(block) - set(schema.names)
    if late:
        raise DriveError(f"{', '.join(sorted(late))} from {block.t_ns[0]} ns on only", "a sample earlier", "name it")
    arrays = [pa.array(block.t_ns)]
    for field in list(schema)[1:]:
        if field.name in block:
            values = block.columns[field.name]
            missing = np.isnan(values)
            arrays.append(pa.array(np.where(missing, 0.0, values), mask=missing).cast(field.type))
        else:
            arrays.append(pa.nulls(len(block), field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def read_telemetry(path: Path) -> Telemetry:
    """A whole file. Raises DriveError for one that is not Parquet or whose columns are not telemetry."""
    with readable(path):
        table = pq.read_table(path)
    return telemetry_of(table, path)


@contextmanager
def readable(name: object) -> Iterator[None]:
    """What Arrow says of a damaged file, as a DriveError."""
    try:
        yield
    except FileNotFoundError:
        raise DriveError(f"{name} does not exist", "the drive's telemetry", "copy the whole drive folder") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        todo = "record or copy the drive again"
        raise DriveError(f"{name} cannot be read ({why})", "a Parquet file", todo) from error


def telemetry_of(table: pa.Table, name: object) -> Telemetry:
    """Rows of the file `name`, checked."""
    check_columns(table.schema, name)
    with readable(name):
        table.validate(full=True)
    if table.column("t_ns").null_count:
        raise DriveError(f"{name} has rows without a time", "a time in every row", "drop them")
    try:
        columns = {column: _values(table, column) for column in table.column_names if column != "t_ns"}
        return Telemetry(table.column("t_ns").to_numpy(), columns)
    except TelemetryError as error:
        raise DriveError(f"{name}: {error.got}", error.wanted, error.todo) from error


def check_columns(schema: pa.Schema, name: object) -> None:
    """Raises DriveError unless there is a time, and every other column is a signal of its type; each once."""
    twice = [field for field in set(schema.names) if schema.names.count(field) > 1]
    if twice:
        raise DriveError(f"{name} has several columns {twice[0]}", "one", "drop the others")
    if "t_ns" not in schema.names or schema.field("t_ns").type != pa.int64():
        raise DriveError(f"{name} has no int64 column t_ns", "times in nanoseconds", "write it with edge.write")
    for field in schema:
        signal = signal_named(field.name)
        if field.name == "t_ns" or (signal and field.type == _ARROW[signal.kind]):
            continue
        wanted = f"{field.name} as {_ARROW[signal.kind]}" if signal else "a name that trigger.signals knows"
        got = f"{name} has a column {field.name} of type {field.type}"
        raise DriveError(got, wanted, "rename, convert or drop the column")


def _values(table: pa.Table, name: str) -> Values:
    column = table.column(name)
    numbers = column if pa.types.is_floating(column.type) else column.cast(pa.uint8())
    return np.asarray(numbers.to_numpy(zero_copy_only=False), np.float64)
