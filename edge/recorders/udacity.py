"""Video or images beside a CSV of labels: Udacity's challenge drives, and any CSV that names its units.

A label file has a header (or is Udacity's headerless interpolated.csv) and, a row a sample:
- a time: `frame_id` or `timestamp` in integer ns; where the row names an image, the digits of its name win,
  because some files passed their times through float64 and lost up to 128 ns;
- Udacity's columns: `angle` or `steering_angle` [rad, + left], `speed` [m/s], `torque` [N m], `lat`, `long`;
- or columns called as in `trigger.signals` (`steering_wheel_deg`, `brake_fraction`, ...).

Udacity's challenge drives were driven by people, so every control is human. Other files say who drove by
`engaged` or `control_source_*`, or yield no labels.

Pictures: one MP4 beside the labels, or folders of images named by their time in ns. Files of two columns
(frame_id, steering_angle) are what challenge entries look like: predictions. Beside a fuller file they are
never taken for labels.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from edge.drive import Drive
from edge.errors import DriveError
from edge.formats.csv_rows import csv_rows
from edge.formats.numbers import number
from edge.video.camera import Camera, VideoFile
from edge.video.images import ImageFiles
from trigger.plausible import findings, unphysical_steering
from trigger.signals import SIGNALS, ControlSource
from trigger.telemetry import Telemetry, Times
from trigger.vehicle import UNKNOWN_VEHICLE, VehicleProfile

NAME = "udacity"
GIVES = "one video or folders of images; steering, speed, torque, position, or columns named as swerve names them"
LACKS = "pedals and engagement, unless named so; several videos"
LINCOLN_MKZ = VehicleProfile(wheelbase_m=2.85, steering_ratio=14.8)
"""Udacity's car; the values its own driving code uses. Against GPS heading of the HMB_1 drive steering and
turning agree in sign (r = 0.98) and, at 20 m/s, the car turns 0.67 of what these values alone predict: tyres
slip, so `abrupt_steering` reads high at speed."""

HEADERLESS = (
    *("index", "timestamp", "width", "height", "frame_id", "filename"),
    *("angle", "torque", "speed", "lat", "long", "alt"),
)
LABELS, PICTURES, VIDEOS = (".csv", ".txt"), (".jpg", ".jpeg", ".png"), (".mp4", ".mov", ".mkv", ".avi")
IMAGE_TIME = re.compile(r"(\d{16,19})\.(?:jpe?g|png)$", re.IGNORECASE | re.ASCII)
MAX_NS = 2**63 - 1
UDACITY = {
    "angle": ("steering_wheel_deg", 180.0 / np.pi),
    "steering_angle": ("steering_wheel_deg", 180.0 / np.pi),
    "speed": ("speed_mps", 1.0),
    "torque": ("steering_torque_nm", 1.0),
    "lat": ("lat_deg", 1.0),
    "long": ("lon_deg", 1.0),
}
MAX_PTS_ERROR_NS = 50_000_000
MAX_GAP_S = 10.0


def matches(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if _is_label_file(path) or (_is(path, VIDEOS) and _label_files(path.parent)) else []
    if _images_in(path):
        return [path] if _label_files(path) or _label_files(path.parent) else []
    labels = _label_files(path)
    return [path] if labels and (_has_pictures(path) or len(labels) == 1) else labels


def open(path: Path) -> Drive:
    labels_path, picture_path = _pair(path)
    labels = _read_labels(labels_path)
    telemetry = labels.telemetry()
    doubts = unphysical_steering(telemetry)
    if doubts:
        raise DriveError(f"{labels_path}: {doubts[0]}", "recorded steering", "use the recording's own labels")
    if not len(telemetry):
        raise DriveError(f"{labels_path} holds no usable row", "times and numbers", "copy the recording again")
    cameras, notes = (
        _cameras(picture_path, int(telemetry.t_ns[0])) if picture_path else ({}, ["no video: telemetry only"])
    )
    notes += _alignment(cameras, telemetry.t_ns) + _gaps(telemetry.t_ns)
    return Drive(
        id=f"udacity-{hashlib.sha256(telemetry.t_ns.tobytes()).hexdigest()[:12]}",
        recorder=NAME,
        source=path,
        t0_ns=int(telemetry.t_ns[0]),
        telemetry=telemetry,
        cameras=cameras,
        vehicle=LINCOLN_MKZ if labels.is_udacity else UNKNOWN_VEHICLE,
        engagement="driven by people throughout" if labels.is_udacity else "",
        lost=tuple(labels.lost) + tuple(line for camera in cameras.values() for line in camera.lost),
        notes=tuple(labels.notes + notes + findings(telemetry)),
    )


@dataclass
class _Labels:
    """Columns of one label file, and what was wrong with it."""

    t_ns: list[int] = field(default_factory=list)
    columns: dict[str, list[float]] = field(default_factory=dict)
    is_udacity: bool = True
    lost: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def telemetry(self) -> Telemetry:
        t_ns = np.array(self.t_ns, np.int64)
        signals = {name: (t_ns, np.array(values)) for name, values in self.columns.items()}
        drivers = ("control_source_steering", "control_source_speed")
        if self.is_udacity:
            signals |= {name: (t_ns, np.full(t_ns.size, float(ControlSource.HUMAN))) for name in drivers}
        elif "engaged" in signals:
            engaged = signals["engaged"][1] > 0.5
            source = np.where(engaged, float(ControlSource.SYSTEM), float(ControlSource.HUMAN))
            signals |= {name: (t_ns, source) for name in drivers if name not in signals}
        else:
            self.notes += [f"no column says who drove ({name}): no labels" for name in drivers if name not in signals]
        return Telemetry.merge(signals)


def _read_labels(path: Path) -> _Labels:
    rows = csv_rows(path)
    first = next(rows, None)
    if first is None:
        raise DriveError(f"{path} has no readable header", "a header and rows of labels", "copy the recording again")
    headerless = _is_headerless(first)
    header = list(HEADERLESS) if headerless else [name.strip() for name in first]
    mapping = {i: UDACITY.get(name, (name, 1.0)) for i, name in enumerate(header) if name in UDACITY or name in SIGNALS}
    if not mapping or not _time_columns(header):
        raise DriveError(
            f"{path} has the columns {', '.join(header)[:200]}",
            "a time (frame_id or timestamp, ns) and a signal such as steering_angle",
            "rename the columns as docs/recorders.md says",
        )
    labels = _Labels(columns={name: [] for name, _ in mapping.values()})
    labels.is_udacity = any(header[i] in UDACITY for i in mapping)
    bad_rows = bad_values = 0
    body = chain([first], rows) if headerless else rows
    for row in body:
        t_ns = _row_time(row, header) if row else None
        if row is None or t_ns is None:
            bad_rows += 1
            continue
        labels.t_ns.append(t_ns)
        for i, (name, factor) in mapping.items():
            value = number(row[i]) if i < len(row) else float("nan")
            bad_values += value != value
            labels.columns[name].append(value * factor)
    if bad_rows or bad_values:
        labels.lost.append(f"{path.name}: {bad_rows} unreadable rows, {bad_values} values that are not numbers")
    backward = int((np.diff(np.array(labels.t_ns, np.int64)) < 0).sum())
    if backward:
        labels.notes.append(f"{path.name}: time goes backward at {backward} rows; sorted by time")
    return labels


def _is_headerless(row: list[str]) -> bool:
    return len(row) == len(HEADERLESS) and row[1].isdigit() and _image_time(row[5]) is not None


def _time_columns(header: list[str]) -> list[int]:
    """Where a row's time may stand, best first."""
    return [header.index(name) for name in ("filename", "fullpath", "frame_id", "timestamp", "t_ns") if name in header]


def _row_time(row: list[str], header: list[str]) -> int | None:
    for i in _time_columns(header):
        text = row[i].strip() if i < len(row) else ""
        named = _image_time(text)
        if named is not None:
            return named
        if re.fullmatch(r"[0-9]{10,19}", text) and int(text) <= MAX_NS:
            return int(text)
    return None


def _image_time(name: str) -> int | None:
    """The digits of an image's name, ns."""
    named = IMAGE_TIME.search(name)
    return int(named[1]) if named and int(named[1]) <= MAX_NS else None


def _is(path: Path, endings: tuple[str, ...]) -> bool:
    return path.suffix.lower() in endings and not path.name.startswith(".")


def _is_label_file(path: Path) -> bool:
    return _label_columns(path) > 0


def _label_columns(path: Path) -> int:
    """How many columns a label file has; 0 for any other file."""
    if not _is(path, LABELS) or not path.is_file():
        return 0
    try:
        first = next(csv_rows(path), None) or []
    except DriveError:
        return 0
    names = {name.strip() for name in first}
    known = bool(names & (UDACITY.keys() | SIGNALS.keys())) and bool(_time_columns([n.strip() for n in first]))
    return len(first) if known or _is_headerless(first) else 0


def _label_files(folder: Path) -> list[Path]:
    """Label files of a folder; predictions (two columns) only where there is nothing fuller."""
    if not folder.is_dir():
        return []
    columns = {path: _label_columns(path) for path in sorted(folder.iterdir())}
    fullest = max(columns.values(), default=0)
    return [path for path, n in columns.items() if n > 2 or (n and n == fullest)]


def _images_in(folder: Path) -> list[Path]:
    return (
        sorted(p for p in folder.iterdir() if _is(p, PICTURES) and _image_time(p.name) is not None)
        if folder.is_dir()
        else []
    )


def _has_pictures(folder: Path) -> bool:
    return any(_is(p, VIDEOS) or (p.is_dir() and _images_in(p)) for p in folder.iterdir())


def _pair(path: Path) -> tuple[Path, Path | None]:
    """The label file, and the video or folder the pictures are in."""
    if path.is_file() and _is(path, LABELS):
        return path, None
    home = path if path.is_dir() else path.parent
    labels = _label_files(home) or _label_files(home.parent)
    if len(labels) != 1:
        names = ", ".join(p.name for p in labels)
        raise DriveError(f"{home} holds {len(labels)} label files ({names})", "one", "move the others elsewhere")
    return labels[0], path if path.is_file() or _has_pictures(path) or _images_in(path) else None


def _cameras(path: Path, t0_ns: int) -> tuple[dict[str, Camera], list[str]]:
    if path.is_file():
        return {"front": VideoFile(path, t0_ns)}, []
    if _images_in(path):
        return {_camera_name(path): _image_camera(path)}, []
    videos = [p for p in sorted(path.iterdir()) if _is(p, VIDEOS)]
    folders = [p for p in sorted(path.iterdir()) if p.is_dir() and _images_in(p)]
    if not videos:
        return {_camera_name(p): _image_camera(p) for p in folders}, []
    if len(videos) > 1:
        raise DriveError(f"{path} holds {len(videos)} videos", "one", "name the one that belongs to the labels")
    notes = [f"read {videos[0].name}; to read the images, name {folder.name}/" for folder in folders]
    return {"front": VideoFile(videos[0], t0_ns)}, notes


def _camera_name(folder: Path) -> str:
    return "front" if folder.name in ("center", "images", "IMG") else folder.name


def _image_camera(folder: Path) -> ImageFiles:
    timed = sorted((t_ns, p) for p in _images_in(folder) if (t_ns := _image_time(p.name)) is not None)
    return ImageFiles.of(folder.name, [p for _, p in timed], np.array([t_ns for t_ns, _ in timed], np.int64))


def _alignment(cameras: dict[str, Camera], t_ns: Times) -> list[str]:
    """Does each frame have a label near it?"""
    notes = []
    for name, camera in cameras.items():
        frames = camera.frame_times()
        if not len(frames):
            raise DriveError(f"camera {name} has no frame", "pictures for the labels", "copy the images again")
        after = (
            np.clip(np.searchsorted(t_ns, frames), 1, t_ns.size - 1) if t_ns.size > 1 else np.zeros(len(frames), int)
        )
        distance = np.minimum(np.abs(frames - t_ns[after]), np.abs(frames - t_ns[after - 1]))
        far = int((distance > MAX_PTS_ERROR_NS).sum())
        if far:
            notes.append(f"camera {name}: {far} of {len(frames)} frames have no label within 50 ms")
    return notes


def _gaps(t_ns: Times) -> list[str]:
    step_s = np.diff(t_ns) / 1e9
    return [
        f"no sample for {step_s[i]:.0f} s from {(t_ns[i] - t_ns[0]) / 1e9:.0f} s on"
        for i in np.flatnonzero(step_s > MAX_GAP_S)
    ]
