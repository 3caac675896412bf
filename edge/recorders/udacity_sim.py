"""Udacity's driving simulator: `driving_log.csv` beside a folder `IMG/` of JPEGs from three cameras.

Seven columns, with a header only in Udacity's own sample: center, left, right (paths on the machine that recorded,
so only the file's name is used, also after Windows' backslashes), steering, throttle, brake, speed.

Signs and units, from the simulator's CarController.cs: steering is the wheels' angle over the largest one, -1 .. 1,
about Unity's y axis, + right, so negated here; throttle and brake are the inputs clamped to 0 .. 1; speed is
metres a second times 2.23693629, so miles an hour. Speed has no sign, and a brake at standstill drives backward:
neither is told apart here.

A row's time is in its pictures' names, to the millisecond, as the recording machine's clock showed it. No zone is
recorded: times are treated as UTC. People drive whenever the simulator records. Rows of more or fewer columns are
not read: a decimal comma would put every number in another's place.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path, PureWindowsPath

import numpy as np

from edge.drive import Drive
from edge.errors import DriveError
from edge.formats.csv_rows import csv_rows
from edge.formats.numbers import number
from edge.video.images import ImageFiles
from trigger.plausible import findings
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry, Times

NAME = "udacity_sim"
GIVES = "three cameras, steering as normalised, gas, brake, speed; people drove"
LACKS = "the time zone, reversing"

LOG, IMAGES = "driving_log.csv", "IMG"
COLUMNS = ("center", "left", "right", "steering", "throttle", "brake", "speed")
CAMERAS = {"front": 0, "left": 1, "right": 2}
"""Name of a camera to its column."""
MPS_PER_MPH = 0.44704
SIGNALS = {
    "steering_normalised": (3, -1.0),
    "gas_fraction": (4, 1.0),
    "brake_fraction": (5, 1.0),
    "speed_mps": (6, MPS_PER_MPH),
}
"""Name of a signal to its column and what a recorded value is multiplied with."""
IMAGE_TIME = re.compile(r"(\d{4})_(\d\d)_(\d\d)_(\d\d)_(\d\d)_(\d\d)_(\d{3})\.(?:jpe?g|png)$", re.ASCII | re.IGNORECASE)
YEARS = range(1970, 2262)
"""Years whose times fit int64 ns."""
LOOKED_AT_ROWS = 20
"""Rows in which `matches` looks for the simulator's."""
MAX_GAP_S = 10.0
"""Recording can be paused; a longer pause than this, in s, is noted."""


def matches(path: Path) -> list[Path]:
    folder = path.parent if path.name == LOG and path.is_file() else path
    return [folder] if _is_log(folder / LOG) else []


def open(path: Path) -> Drive:
    """Open the folder that holds driving_log.csv. Raises DriveError."""
    log = _read(path / LOG)
    if not log.t_ns.size:
        raise DriveError(
            f"{path / LOG} holds no usable row among {log.bad_rows}",
            "seven columns: three pictures named by their time, then four numbers with decimal points",
            "record again, or copy the log again",
        )
    telemetry = log.telemetry()
    cameras = _cameras(path / IMAGES, log)
    blind = () if any(camera.paths for camera in cameras.values()) else (f"no picture in {IMAGES}/: telemetry only",)
    return Drive(
        id=f"udacity_sim-{hashlib.sha256(log.t_ns.tobytes()).hexdigest()[:12]}",
        recorder=NAME,
        source=path,
        t0_ns=int(log.t_ns[0]),
        telemetry=telemetry,
        cameras={name: camera for name, camera in cameras.items() if camera.paths},
        engagement="driven by people throughout",
        static={"simulated": True},
        lost=(*log.lost(), *(line for camera in cameras.values() for line in camera.lost)),
        notes=("the zone of the times is not recorded: treated as UTC", *log.notes(), *blind, *findings(telemetry)),
    )


@dataclass
class _Log:
    """Usable rows in the order of time, one a time: t_ns (N,), images and numbers of each, and what was wrong."""

    t_ns: Times
    images: list[tuple[str, ...]] = field(default_factory=list)
    numbers: list[tuple[float, ...]] = field(default_factory=list)
    bad_rows: int = 0
    bad_values: int = 0
    backward: int = 0
    repeated: int = 0

    def telemetry(self) -> Telemetry:
        table = np.array(self.numbers, np.float64)
        signals = {name: (self.t_ns, table[:, i - 3] * factor + 0.0) for name, (i, factor) in SIGNALS.items()}
        human = np.full(self.t_ns.size, float(ControlSource.HUMAN))
        signals |= dict.fromkeys(("control_source_steering", "control_source_speed"), (self.t_ns, human))
        return Telemetry.merge(signals)

    def lost(self) -> tuple[str, ...]:
        bad = f"{LOG}: {self.bad_rows} unreadable rows, {self.bad_values} values that are not numbers"
        return (bad,) if self.bad_rows or self.bad_values else ()

    def notes(self) -> Iterator[str]:
        if self.backward:
            yield f"{LOG}: time goes backward at {self.backward} rows; sorted by time"
        if self.repeated:
            yield f"{LOG}: {self.repeated} rows have the time of another; the last one is used"
        step_s = np.diff(self.t_ns) / 1e9
        for i in np.flatnonzero(step_s > MAX_GAP_S):
            yield f"no sample for {step_s[i]:.0f} s from {(self.t_ns[i] - self.t_ns[0]) / 1e9:.0f} s on"


def _read(path: Path) -> _Log:
    """The log, sorted by time; of rows with the same time the last one is kept."""
    times: list[int] = []
    rows: list[list[str]] = []
    bad_rows = 0
    for row in csv_rows(path):
        t_ns = _row_time(row) if row else None
        if row and t_ns is not None:
            times.append(t_ns)
            rows.append(row)
        elif not row or not _is_header(row):
            bad_rows += 1
    stamped = np.array(times, np.int64)
    order = np.argsort(stamped, kind="stable")
    last = order[np.append(np.diff(stamped[order]) > 0, True)] if stamped.size else order
    log = _Log(stamped[last], bad_rows=bad_rows, backward=int((np.diff(stamped) < 0).sum()))
    log.repeated = stamped.size - last.size
    for i in last.tolist():
        numbers = tuple(number(text) for text in rows[i][3:])
        log.numbers.append(numbers)
        log.images.append(tuple(_file_name(text) for text in rows[i][:3]))
        log.bad_values += sum(math.isnan(number) for number in numbers)
    return log


def _is_log(path: Path) -> bool:
    try:
        return path.is_file() and any(
            _is_header(row) or _row_time(row) is not None for row in islice(csv_rows(path), LOOKED_AT_ROWS) if row
        )
    except DriveError:
        return False


def _is_header(row: list[str]) -> bool:
    return tuple(name.strip().lower() for name in row) == COLUMNS


def _row_time(row: list[str]) -> int | None:
    """Time in a picture's name, int ns since 1970; None where the row is not one of the simulator's."""
    if len(row) != len(COLUMNS):
        return None
    for named in filter(None, (IMAGE_TIME.search(_file_name(text)) for text in row[:3])):
        year, month, day, hour, minute, second, milliseconds = (int(digits) for digits in named.groups())
        try:
            seconds = int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
        except ValueError:
            continue
        if year in YEARS:
            return (seconds * 1000 + milliseconds) * 1_000_000
    return None


def _file_name(text: str) -> str:
    return PureWindowsPath(text.strip()).name


def _cameras(folder: Path, log: _Log) -> dict[str, ImageFiles]:
    """The three cameras, each with the pictures that are there."""
    return {
        name: ImageFiles.of(f"camera {name}", [folder / row[column] for row in log.images], log.t_ns)
        for name, column in CAMERAS.items()
    }
