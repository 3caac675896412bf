"""A night's 100 clips, written down for good: swerve's journal beside an append to a Delta table, in one run.

    python benchmarks/append.py [--before 0 10000 100000] [--runs 25]

Both append the very same rows, to a log that holds so many already. deltalake does not force what it writes to disk, so
it is measured twice: as it is, and with one fsync of each new file and of the folders they are in, which is what an
append needs to survive a power cut; swerve always does so. Median of wall times: most of it is waiting for the disk.
Afterwards both are read back and compared.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import deltalake
import pyarrow as pa

from curate.journal import Entry, append, read_journal

A_NIGHT = 100


def entries(night: int, count: int = A_NIGHT) -> list[Entry]:
    return [
        Entry(night * 86_400, "clips", f"{night << 20 | k:064x}", f"car-{k % 40}", "", "", k % 2) for k in range(count)
    ]


def as_table(rows: list[Entry]) -> pa.Table:
    return pa.Table.from_pylist([asdict(row) for row in rows])


def append_delta(folder: Path, rows: pa.Table, durable: bool) -> None:
    before = set(folder.rglob("*")) if durable else set()
    deltalake.write_deltalake(str(folder), rows, mode="append")
    if durable:
        for path in {*(set(folder.rglob("*")) - before), folder, folder / "_delta_log"}:
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)


def took_ms(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


def measure(folder: Path, before: int, runs: int) -> dict[str, float]:
    """Median ms of each."""
    ours, plain, forced = (folder / name for name in ("swerve", "plain", "forced"))
    ours.mkdir()
    first = entries(0, before + 1)
    append(ours, first)
    for path in (plain, forced):
        deltalake.write_deltalake(str(path), as_table(first))
    taken: dict[str, list[float]] = {"swerve": [], "deltalake": [], "deltalake and fsync": []}
    for night in range(1, runs + 1):
        rows = entries(night)
        table = as_table(rows)
        taken["swerve"].append(took_ms(lambda: append(ours, rows)))  # noqa: B023 - called here and now
        taken["deltalake"].append(took_ms(lambda: append_delta(plain, table, False)))  # noqa: B023
        taken["deltalake and fsync"].append(took_ms(lambda: append_delta(forced, table, True)))  # noqa: B023
    held = sorted(row["name"] for row in deltalake.DeltaTable(str(forced)).to_pyarrow_table().to_pylist())
    assert held == sorted(entry.name for entry in read_journal(ours))
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--before", type=int, nargs="*", default=[0, 10_000, 100_000])
    parser.add_argument("--runs", type=int, default=25)
    told = parser.parse_args()
    for before in told.before:
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
            found = measure(Path(name), before, told.runs)
        shown = ", ".join(f"{name} {ms:.1f} ms ({ms / found['swerve']:.1f} x)" for name, ms in found.items())
        print(f"{A_NIGHT} rows after {before}: {shown}")


if __name__ == "__main__":
    main()
