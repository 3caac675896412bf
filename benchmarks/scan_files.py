"""One trigger over telemetry in Parquet files: swerve beside pyarrow's `read_table`; then all triggers, and memory.

    pip install -e '.[edge]'
    python benchmarks/scan_files.py [--runs 7] [--hours 1 10 100]

One hour of 19 signals at 100 Hz, as one file and as one of every 60 s, from a warm cache; the trigger needs one signal.
It is the same code on both sides, `trigger.excursion`, so what differs is the reading: which columns, in how many
files, and what is checked. Prints the least processor time of several runs; the ratios are what can be compared.
Memory is the peak of a process of its own that finds all events in a file of two signals.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from made import BRAKING, RECORDED, ROWS_AN_HOUR, telemetry
from measured import fresh, least_cpu_s

from edge.gathered import gathered
from edge.schema import write_telemetry
from edge.stored import open_telemetry, without
from trigger.builtin import TRIGGERS
from trigger.detect import detect
from trigger.excursion import Excursions, Stretch, excursions
from trigger.telemetry import Recorded
from trigger.vehicle import VehicleProfile

CAR = VehicleProfile(wheelbase_m=2.7, steering_ratio=15.0)
HARSH = [trigger for trigger in TRIGGERS if trigger.kind == "harsh_braking"]
LIMITS = HARSH[0].limits
SEGMENT_NS = 60_000_000_000


def column(path: Path) -> Recorded:
    """A file's telemetry as `swerve edge scan` opens it, with the trigger's signal alone."""
    found = open_telemetry(path)
    return without(found, set(found) - {BRAKING})


def swerve(*paths: Path) -> list[Stretch]:
    found, ended = Excursions(LIMITS), []
    for path in paths:
        for block in column(path).blocks():
            t_ns, accel = block.samples(BRAKING)
            ended += found.push(t_ns, -accel)
    return ended + found.finish()


def read_table(*paths: Path, columns: list[str] | None = None) -> list[Stretch]:
    """A table a file, then the trigger on what was gathered."""
    tables = [pq.read_table(path, columns=columns) for path in paths]
    t_ns, accel = (np.concatenate([table[name].to_numpy() for table in tables]) for name in ("t_ns", BRAKING))
    return excursions(t_ns, -accel, LIMITS)


def compare(folder: Path, runs: int) -> None:
    hour = telemetry(0)
    drive = folder / "drive.parquet"
    write_telemetry(drive, hour)
    segments = [folder / f"{number:02}.parquet" for number in range(60)]
    for number, path in enumerate(segments):
        write_telemetry(path, hour.between(number * SEGMENT_NS, (number + 1) * SEGMENT_NS))
    needed = ["t_ns", BRAKING]
    works: dict[str, Callable[[], list[Stretch]]] = {
        "swerve, one file": lambda: swerve(drive),
        "swerve, 60 files": lambda: swerve(*segments),
        "read_table, 60 files": lambda: read_table(*segments),
        "read_table, 60 files, needed columns": lambda: read_table(*segments, columns=needed),
        "read_table, one file": lambda: read_table(drive),
        "read_table, one file, needed columns": lambda: read_table(drive, columns=needed),
    }
    wanted = swerve(drive)
    for name, work in works.items():
        assert work() == wanted, f"{name} finds other stretches"
    engine: dict[str, Callable[[], object]] = {
        "harsh_braking, filtered, one file": lambda: detect(column(drive), CAR, HARSH),
        "all triggers, one file": lambda: detect(open_telemetry(drive), CAR),
        "all triggers, in memory": lambda: detect(hour, CAR),
    }
    took = least_cpu_s({**works, **engine}, runs)
    size = f"{drive.stat().st_size / 1e6:.0f} MB as one file, {sum(p.stat().st_size for p in segments) / 1e6:.0f} as 60"
    print(f"1 h of {len(RECORDED)} signals, {size}; {len(wanted)} stretches, the same in all")
    for name, cpu_s in took.items():
        rate, ratio = ROWS_AN_HOUR / cpu_s / 1e6, cpu_s / took["swerve, one file"]
        print(f"{name:37} {cpu_s * 1e3:7.1f} ms {rate:7.2f} Mrows/CPU-s   swerve, one file x {ratio:5.2f}")


def peak_mb(path: Path) -> tuple[int, float]:
    """Number of events in a file, and the most memory that this process ever held."""
    events = len(detect(open_telemetry(path), CAR).events)
    unit = 1 if sys.platform == "darwin" else 1024
    return events, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def write_hours(path: Path, hours: int) -> None:
    write_telemetry(path, gathered((telemetry(hour, ("speed_mps", BRAKING)) for hour in range(hours)), []))


def memory(folder: Path, hours: list[int]) -> None:
    for count in hours:
        path = folder / f"{count}h.parquet"
        fresh(write_hours, path, count)  # on Linux a child inherits the peak of its parent, which must stay small
        events, peak = fresh(peak_mb, path)
        print(f"{count:4} h, {path.stat().st_size / 1e6:4.0f} MB, {events:4} events: peak memory {peak:.0f} MB")
        path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--hours", type=int, nargs="*", default=[0, 1, 10, 100], help="of which memory is measured")
    chosen = parser.parse_args()
    pa.set_cpu_count(1)
    with tempfile.TemporaryDirectory() as folder:
        memory(Path(folder), chosen.hours)
        compare(Path(folder), chosen.runs)


if __name__ == "__main__":
    main()
