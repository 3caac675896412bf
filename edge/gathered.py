"""Blocks that a reader makes while it reads, gathered to telemetry of any length.

- Messages of different kinds are not in order of time where files meet: what is younger than the beginning of the
  latest block, less `HOLD_NS`, is held back, and rows of one time become one.
- While there is little it stays in memory; then it goes to a Parquet file without a name, which is gone with the
  process, however that ends. It lies where `tempfile` says (`TMPDIR`).

A row that comes later than that is left out and counted: nothing is sorted over the whole of a recording.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
import pyarrow.parquet as pq

from edge.schema import regrouped, table_of, telemetry_schema
from edge.stored import EVER, KEPT_CELLS, StoredTelemetry
from trigger.signals import SIGNALS
from trigger.telemetry import Recorded, Telemetry, Times, Values

HOLD_NS = 5_000_000_000
"""Rows of a block may be this much older than the first of the block before, and any older than its last."""
SPILLED_ROWS = 16_384
"""In a row group; small ones without dictionaries cost some space and save tens of MB of memory."""


def gathered(blocks: Iterable[Telemetry], lost: list[str]) -> Recorded:
    """Telemetry of blocks that may overlap with their neighbours in time.

    Args:
        blocks: in the order of the recording. Of two samples of a signal at one time the later block's counts.
        lost: a line is added where rows came too late.
    """
    return collected(in_order(blocks, lost))


def collected(blocks: Iterator[Telemetry]) -> Recorded:
    """Telemetry of blocks that follow one another."""
    kept: list[Telemetry] = []
    cells = 0
    for block in blocks:
        kept.append(block)
        cells += len(block) * (1 + len(block.columns))
        if cells > KEPT_CELLS:
            return _spilled(kept, blocks)
    return Telemetry.join(kept) if kept else Telemetry.merge({})


def in_order(blocks: Iterable[Telemetry], lost: list[str]) -> Iterator[Telemetry]:
    """The same rows in blocks that follow one another."""
    held, done_ns, late = Telemetry.merge({}), EVER[0], 0
    for block in blocks:
        fresh = block.between(done_ns + 1, EVER[1])
        late += len(block) - len(fresh)
        if not len(fresh):
            continue
        until_ns = int(fresh.t_ns[0]) - HOLD_NS
        held = _joined(held, fresh)
        ready, held = held.between(EVER[0], until_ns), held.between(until_ns, EVER[1])
        if len(ready):
            done_ns = int(ready.t_ns[-1])
            yield ready
    if len(held):
        yield held
    if late:
        lost.append(f"{late} rows came more than {HOLD_NS / 1e9:g} s out of order")


def _joined(first: Telemetry, then: Telemetry) -> Telemetry:
    """Both; rows are sorted only where they overlap."""
    if not len(first) or not len(then):
        return first if len(first) else then
    begin_ns, end_ns = int(then.t_ns[0]), int(first.t_ns[-1]) + 1
    if end_ns <= begin_ns:
        return Telemetry.join([first, then])
    overlap = (first.between(begin_ns, EVER[1]), then.between(EVER[0], end_ns))
    both = {name: _samples(overlap, name) for name in chain(*overlap)}
    parts = (first.between(EVER[0], begin_ns), Telemetry.merge(both), then.between(end_ns, EVER[1]))
    return Telemetry.join([part for part in parts if len(part)])


def _samples(parts: Iterable[Telemetry], name: str) -> tuple[Times, Values]:
    own = [part.samples(name) for part in parts if name in part]
    return np.concatenate([t_ns for t_ns, _ in own]), np.concatenate([values for _, values in own])


def _spilled(kept: list[Telemetry], more: Iterator[Telemetry]) -> StoredTelemetry:
    """In a file without a name; it has room for every signal, as later blocks may bring any."""
    names = {name for block in kept for name in block} | SIGNALS.keys()
    schema = telemetry_schema(names)
    file = tempfile.TemporaryFile(prefix="swerve-")  # noqa: SIM115 (it stays open while it is read)
    with pq.ParquetWriter(file, schema, compression="zstd", use_dictionary=False) as writer:
        for block in regrouped(chain(_drained(kept), more), SPILLED_ROWS):
            writer.write_table(table_of(block, schema))
    return StoredTelemetry.open(file, "a temporary file of telemetry")


def _drained(kept: list[Telemetry]) -> Iterator[Telemetry]:
    """All of them, each let go of before the next."""
    while kept:
        yield kept.pop(0)
