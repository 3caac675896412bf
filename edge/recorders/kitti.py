"""KITTI raw: `DATE_drive_NNNN_sync/` with `oxts/` (GPS and inertial unit) and `image_00/` to `image_03/`.

Each stream is a folder `data/` of numbered files and a `timestamps.txt`, whose line n (from 0) is the time of file n
in ns: a file keeps its time where others are missing, and some recordings have empty lines. No zone is recorded:
times are treated as UTC.

Signals, signs and units as in the recordings' own oxts/dataformat.txt (30 numbers a file, 10 Hz in _sync):
- vf: m/s, forward. wu: rad/s about the upward axis, + left. lat, lon: deg, of the unit.
- yaw: rad, 0 = east, + counter-clockwise; turned into degrees clockwise from north. It is where the car points, which
  differs from its course by the side slip.
- af, al: m/s^2, forward and leftward in the level frame, so without gravity: in the first sample of
  2011_09_26_drive_0001 the car rolls by 0.036 rad, ay is 0.04, az 10.21 and al -0.32, as ay cos(roll) - az sin(roll)
  says; au holds the 10.21.

Not read: ax, ay, az, which hold gravity; laser scans, calibration, tracklets. There are no pedals and no steering.
Camera `front` is image_02, the left colour camera; the others keep the names of their folders. People drove; the
files do not say so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from edge.drive import Drive
from edge.errors import DriveError
from edge.formats.numbers import sensible
from edge.video.images import ImageFiles, is_whole
from trigger.plausible import findings
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry, Times

NAME = "kitti"
GIVES = "up to four cameras, speed, acceleration, yaw rate, heading, position; people drove"
LACKS = "steering, pedals, the time zone; laser scans are not read"

DRIVE_NAME = re.compile(r"\d{4}_\d\d_\d\d_drive_\d{4}_(?:sync|extract)", re.ASCII)
CAMERAS = {"front": "image_02", "image_00": "image_00", "image_01": "image_01", "image_03": "image_03"}
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?", re.ASCII)
YEARS = range(1970, 2262)
"""Years whose times fit int64 ns."""
FILE = re.compile(r"(\d{10})\.(?:txt|png)", re.ASCII)
NUMBERS = 30
"""Numbers in one oxts file."""
SIGNALS = {
    "lat_deg": (0, 1.0),
    "lon_deg": (1, 1.0),
    "speed_mps": (8, 1.0),
    "accel_long_mps2": (14, 1.0),
    "accel_lat_mps2": (15, 1.0),
    "yaw_rate_dps": (22, 180.0 / np.pi),
}
"""Name of a signal to its place among the numbers and what a recorded value is multiplied with."""
YAW = 5


def matches(path: Path) -> list[Path]:
    streams = ("oxts", *CAMERAS.values()) if DRIVE_NAME.fullmatch(path.name) else ("oxts",)
    return [path] if any((path / name / "data").is_dir() for name in streams) else []


def open(path: Path) -> Drive:
    """Open one drive; a stream that is absent or damaged is said in `lost`. Raises DriveError."""
    oxts = _stream(path / "oxts", ".txt", lambda file: file.stat().st_size > 0)
    streams = {name: _stream(path / folder, ".png", is_whole) for name, folder in CAMERAS.items()}
    telemetry = _telemetry(oxts)
    cameras = {name: ImageFiles(stream.files, stream.t_ns) for name, stream in streams.items() if stream.files}
    starts = [int(times[0]) for times in (telemetry.t_ns, *(c.t_ns for c in cameras.values())) if times.size]
    if not starts:
        raise DriveError(
            f"{path} holds no sample and no picture with a time",
            "oxts/ or image_02/, each with timestamps.txt and data/",
            "unpack the drive again",
        )
    every = (oxts, *streams.values())
    return Drive(
        id=_id(path, min(starts)),
        recorder=NAME,
        source=path,
        t0_ns=min(starts),
        telemetry=telemetry,
        cameras=cameras,
        engagement="driven by people throughout",
        lost=tuple(line for stream in every for line in stream.lost),
        notes=(
            "the zone of the times is not recorded: treated as UTC",
            *(line for stream in every for line in stream.notes),
            *(() if cameras else ("no pictures: telemetry only",)),
            *findings(telemetry),
        ),
    )


def _id(path: Path, t0_ns: int) -> str:
    """The name its makers gave the drive; in a folder of another name, a digest of its first time."""
    named = DRIVE_NAME.fullmatch(path.name)
    return f"kitti-{named[0] if named else hashlib.sha256(str(t0_ns).encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class _Stream:
    """Files of one sensor in the order of time, one a time (N,), and what was wrong with the rest."""

    name: str
    files: list[Path]
    t_ns: Times
    lost: list[str]
    notes: list[str]


def _stream(folder: Path, ending: str, whole_file: Callable[[Path], bool]) -> _Stream:
    if not (folder / "data").is_dir():
        return _Stream(folder.name, [], np.empty(0, np.int64), [f"{folder.name}/data is absent"], [])
    stamps, lost = _timestamps(folder)
    named = ((FILE.fullmatch(p.name), p) for p in (folder / "data").iterdir() if p.suffix == ending and p.is_file())
    files = {int(number[1]): p for number, p in named if number}
    whole = sorted(n for n in files.keys() & stamps.keys() if whole_file(files[n]))
    if missing := len(stamps) - len(whole):
        lost.append(f"{folder.name}: {missing} of {len(stamps)} files are missing, empty or damaged")
    if untimed := len(files.keys() - stamps.keys()):
        lost.append(f"{folder.name}: {untimed} of {len(files)} files have no time")
    times = np.array([stamps[n] for n in whole], np.int64)
    order = np.argsort(times, kind="stable")
    last = order[np.append(np.diff(times[order]) > 0, True)] if times.size else order
    disorder = int((np.diff(times) <= 0).sum())
    notes = [f"{folder.name}: time stands still or goes backward at {disorder} files; sorted"] if disorder else []
    return _Stream(folder.name, [files[whole[i]] for i in last.tolist()], times[last], lost, notes)


def _timestamps(folder: Path) -> tuple[dict[int, int], list[str]]:
    """Number of a file to its time in ns, and what could not be read; an empty line is a file that was not recorded."""
    try:
        lines = (folder / "timestamps.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}, [f"{folder.name}/timestamps.txt cannot be read"]
    filled = {n: line.strip() for n, line in enumerate(lines) if line.strip()}
    stamps = {n: t_ns for n, line in filled.items() if (t_ns := _time(line)) is not None}
    bad = len(filled) - len(stamps)
    return stamps, [f"{folder.name}/timestamps.txt: {bad} lines could not be read"] if bad else []


def _time(line: str) -> int | None:
    """A line such as 2011-09-26 13:02:25.594360375, int ns since 1970."""
    parts = TIME.fullmatch(line)
    if parts is None or int(parts[1]) not in YEARS:
        return None
    year, month, day, hour, minute, second = (int(parts[i]) for i in range(1, 7))
    try:
        seconds = int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError:
        return None
    return seconds * 1_000_000_000 + int((parts[7] or "0").ljust(9, "0"))


def _telemetry(oxts: _Stream) -> Telemetry:
    """The signals; says in the stream's `lost` what could not be read."""
    rows = [_numbers(path) for path in oxts.files]
    used = [i for i, row in enumerate(rows) if row is not None]
    if bad := len(rows) - len(used):
        oxts.lost.append(f"oxts: {bad} of {len(rows)} files do not hold {NUMBERS} numbers")
    table = sensible(np.array([rows[i] for i in used], np.float64).reshape(-1, NUMBERS))
    if bad := int(np.isnan(table[:, [YAW, *(place for place, _ in SIGNALS.values())]]).sum()):
        oxts.lost.append(f"oxts: {bad} values that are not numbers")
    t_ns = oxts.t_ns[used]
    signals = {name: (t_ns, table[:, place] * factor) for name, (place, factor) in SIGNALS.items()}
    signals["heading_deg"] = (t_ns, np.mod(90.0 - np.degrees(table[:, YAW]), 360.0))
    human = (t_ns, np.full(t_ns.size, float(ControlSource.HUMAN)))
    return Telemetry.merge(signals | {"control_source_steering": human, "control_source_speed": human})


def _numbers(path: Path) -> list[float] | None:
    try:
        numbers = [float(text) for text in path.read_bytes().split()]
    except (OSError, ValueError):
        return None
    return numbers if len(numbers) == NUMBERS else None
