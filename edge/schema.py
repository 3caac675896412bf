"""Telemetry as Parquet: the Arrow schema is derived from the table of signals, so the two cannot differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from edge.errors import DriveError
from trigger.signals import SIGNALS, Signal
from trigger.telemetry import Telemetry, TelemetryError, Values

_ARROW = {"number": pa.float64(), "flag": pa.bool_(), "source": pa.uint8(), "reason": pa.uint8()}


def arrow_field(signal: Signal) -> pa.Field:
    return pa.field(signal.name, _ARROW[signal.kind], nullable=True)


def telemetry_schema(telemetry: Telemetry) -> pa.Schema:
    """`t_ns` and the columns present, in the order of `SIGNALS`."""
    present = [arrow_field(s) for s in SIGNALS.values() if s.name in telemetry]
    return pa.schema([pa.field("t_ns", pa.int64(), nullable=False), *present])


def write_telemetry(path: Path, telemetry: Telemetry) -> None:
    schema = telemetry_schema(telemetry)
    arrays = [pa.array(telemetry.t_ns)]
    for field in list(schema)[1:]:
        values = telemetry.columns[field.name]
        missing = np.isnan(values)
        filled = np.where(missing, 0.0, values)
        arrays.append(pa.array(filled, mask=missing).cast(field.type))
    table = pa.Table.from_arrays(arrays, schema=schema)
    pq.write_table(table, path, compression="zstd", row_group_size=65_536)


def read_telemetry(path: Path) -> Telemetry:
    """Raises DriveError for a file that is not Parquet or whose columns are not telemetry."""
    try:
        table = pq.read_table(path)
        table.validate(full=True)
    except FileNotFoundError:
        raise DriveError(f"{path} does not exist", "the drive's telemetry", "copy the whole drive folder") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DriveError(
            f"{path} cannot be read ({str(error).splitlines()[0]})", "a Parquet file", "record or copy the drive again"
        ) from error
    if "t_ns" not in table.column_names or table.schema.field("t_ns").type != pa.int64():
        raise DriveError(f"{path} has no int64 column t_ns", "times in nanoseconds", "write it with edge.write")
    columns = {name: _column(path, table, name) for name in table.column_names if name != "t_ns"}
    try:
        return Telemetry(table.column("t_ns").to_numpy(), columns)
    except TelemetryError as error:
        raise DriveError(f"{path}: {error.got}", error.wanted, error.todo) from error


def _column(path: Path, table: pa.Table, name: str) -> Values:
    signal = SIGNALS.get(name)
    kind = table.schema.field(name).type
    if signal is None or kind != _ARROW[signal.kind]:
        wanted = f"{name} as {_ARROW[signal.kind]}" if signal else "a name from trigger.signals.SIGNALS"
        raise DriveError(f"{path} has a column {name} of type {kind}", wanted, "rename, convert or drop the column")
    column = table.column(name).cast(pa.float64()) if signal.kind == "number" else table.column(name).cast(pa.uint8())
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
