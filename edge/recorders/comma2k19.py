"""comma2k19: openpilot segments of 60 s, `DONGLE|DATE/SEGMENT/processed_log/...`, alone or a whole route.

Files are .npy without the extension; `t` is float64 seconds of the boot clock. Engagement, pedals and the driver's hand
on the wheel come from the raw CAN (`edge.formats.comma2k19_can`); another car than the dataset's two keeps speed,
steering and yaw rate, and says what is missing.

Not read: the phone's accelerometer, which measures gravity and the tilt of its mount together with the car;
acceleration is taken from the wheel speed instead.

Signs: steering wheel + left (as recorded); the gyro's third axis points down, so yaw rate + left is its negative
(r = -0.89 against speed times steering on the example segment, as it should be).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.drive import Drive
from edge.errors import DriveError
from edge.formats.can import CanLog
from edge.formats.comma2k19_can import Car, Signals, who_drove
from edge.formats.npy import read_npy
from edge.formats.numbers import sensible
from edge.video.camera import Camera, VideoFile
from edge.video.joined import JoinedVideo
from trigger.plausible import findings
from trigger.telemetry import Telemetry, Times
from trigger.vehicle import UNKNOWN_VEHICLE

NAME = "comma2k19"
GIVES = (
    "front camera, speed, steering, yaw rate, position; of the RAV4 2017 and the Civic 2016 engagement, pedals pressed "
    "and the driver's hand on the wheel; of the RAV4 gas"
)
LACKS = "engagement and pedals of other cars; the phone's accelerometer"
ENGAGEMENT = "cruise control is active (openpilot steers and follows); read from the raw CAN"
OTHER_CAR = "the raw CAN is that of neither of the dataset's cars: no engagement, gas or brake"
MAX_OFF_S = 120.0
"""A segment lasts 60 s; a time further than this from the middle one is damaged."""

Seconds = NDArray[np.float64]


def matches(path: Path) -> list[Path]:
    return [path] if _segments(path) else []


def open(path: Path) -> Drive:
    """Open a segment, or a route: a folder whose sub-folders are its segments, joined into one drive."""
    segments = [_open_segment(folder) for folder in _segments(path)]
    signals = _join([segment.signals for segment in segments])
    lost = [line for segment in segments for line in segment.lost]
    if not signals:
        raise DriveError(f"{path} holds no readable signal", "CAN/speed, CAN/steering_angle", "copy the segment again")
    telemetry = Telemetry.merge(signals)
    cars = {segment.car for segment in segments}
    car = cars.pop() if len(cars) == 1 else None
    videos = [segment.video for segment in segments if segment.video]
    single = path in _segments(path)
    blind = () if videos else ("video.hevc is absent: telemetry only",)
    cameras: dict[str, Camera] = {"front": videos[0] if single else JoinedVideo(tuple(videos))} if videos else {}
    return Drive(
        id=f"comma2k19-{path.parent.name.replace('|', '_')}--{path.name}"
        if single
        else f"comma2k19-{path.name.replace('|', '_')}",
        recorder=NAME,
        source=path,
        t0_ns=int(telemetry.t_ns[0]),
        telemetry=telemetry,
        cameras=cameras,
        vehicle=car.vehicle if car else UNKNOWN_VEHICLE,
        engagement=ENGAGEMENT if "engaged" in telemetry else "",
        static={"car": car.name} if car else {},
        lost=tuple(lost) + tuple(line for camera in cameras.values() for line in camera.lost),
        notes=(*blind, *(() if car else (OTHER_CAR,)), *findings(telemetry)),
    )


def _segments(path: Path) -> list[Path]:
    """The segment itself, or the segments of a route in the order of their numbers."""
    if (path / "processed_log" / "CAN").is_dir():
        return [path]
    if not path.is_dir():
        return []
    numbered = [p for p in path.iterdir() if p.name.isdigit() and (p / "processed_log" / "CAN").is_dir()]
    return sorted(numbered, key=lambda p: int(p.name))


@dataclass(frozen=True)
class _Segment:
    signals: Signals
    car: Car | None
    video: VideoFile | None
    lost: list[str]


def _open_segment(path: Path) -> _Segment:
    log, lost = path / "processed_log", []  # type: tuple[Path, list[str]]
    signals = _plain_signals(log, lost)
    can = _raw_can(log / "CAN" / "raw_can", lost)
    told = who_drove(can, lost) if can else None
    return _Segment(signals | (told[1] if told else {}), told[0] if told else None, _video(path, lost), lost)


def _video(path: Path, lost: list[str]) -> VideoFile | None:
    """The road camera: a raw HEVC stream, timed frame by frame in global_pose/frame_times."""
    file = path / "video.hevc"
    if not file.exists():
        return None
    seconds = _array(path / "global_pose" / "frame_times", "f", lost)
    if seconds is None or not seconds.size:
        lost.append(f"{path.name}/video.hevc has no frame times")
        return None
    if not _believed(seconds).all() or (np.diff(seconds) <= 0).any():
        lost.append(f"{path.name}/video.hevc is left out: its frame times are damaged")
        return None
    video = VideoFile(file, times_ns=_ns(seconds))
    try:
        video.frame_times()
    except DriveError as error:  # the telemetry is worth having without its picture
        lost.append(f"{path.name}/video.hevc: {error.got}")
        return None
    return video


def _join(parts: list[Signals]) -> Signals:
    names = {name for part in parts for name in part}
    return {
        name: tuple(np.concatenate([part[name][k] for part in parts if name in part]) for k in (0, 1))  # type: ignore[misc]
        for name in names
    }


def _plain_signals(log: Path, lost: list[str]) -> Signals:
    signals: Signals = {}
    for name, folder, column, factor in (
        ("speed_mps", "CAN/speed", 0, 1.0),
        ("steering_wheel_deg", "CAN/steering_angle", 0, 1.0),
        ("yaw_rate_dps", "IMU/gyro", 2, -180.0 / np.pi),
        ("lat_deg", "GNSS/live_gnss_ublox", 0, 1.0),
        ("lon_deg", "GNSS/live_gnss_ublox", 1, 1.0),
    ):
        seconds, values = (_array(log / folder / part, "f", lost) for part in ("t", "value"))
        if seconds is None or values is None:
            continue
        rows = min(len(seconds), len(values))
        if alone := max(len(seconds), len(values)) - rows:
            lost.append(f"{folder}: {alone} samples without a partner")
        if not rows or values.size < len(values) * (column + 1):
            lost.append(f"{folder}: no sample of what is asked of it")
            continue
        kept = _kept(seconds[:rows], folder, lost)
        measured = sensible(values.reshape(len(values), -1)[:rows][kept][:, column] * factor)
        if bad := int(np.isnan(measured).sum()):
            lost.append(f"{folder}: {bad} values that are not numbers")
        signals[name] = (_ns(seconds[:rows][kept]), measured)
    return signals


def _raw_can(folder: Path, lost: list[str]) -> CanLog | None:
    if not folder.is_dir():
        return None
    kinds = {"t": "f", "src": "i", "address": "i", "data": "S"}
    arrays = [_array(folder / name, kind, lost) for name, kind in kinds.items()]
    whole = [array for array in arrays if array is not None]
    if len(whole) < len(kinds):
        return None
    if len({len(array) for array in whole}) > 1:
        lost.append(f"raw_can: its arrays have {', '.join(str(len(array)) for array in whole)} rows")
        return None
    seconds, bus, address, data = whole
    kept = _kept(seconds, "raw_can", lost)
    if nobody := int((address <= 0).sum()):
        lost.append(f"raw_can: {nobody} of {address.size} frames have no address")
    return CanLog(_ns(seconds[kept]), bus[kept], address[kept], data[kept])


def _kept(seconds: Seconds, name: str, lost: list[str]) -> NDArray[np.bool_]:
    """Samples whose time can be, (N,) bool; the others are counted as lost."""
    kept = _believed(seconds)
    if bad := int((~kept).sum()):
        lost.append(f"{name}: {bad} of {seconds.size} times are damaged")
    return kept


def _believed(seconds: Seconds) -> NDArray[np.bool_]:
    known = seconds[np.abs(seconds) < 2**33]
    middle = float(np.median(known)) if known.size else 0.0
    return np.asarray(np.abs(seconds - middle) <= MAX_OFF_S)


def _ns(seconds: Seconds) -> Times:
    return np.asarray(np.round(seconds * 1e9), np.int64)


def _array(path: Path, kind: str, lost: list[str]) -> np.ndarray | None:
    """A .npy file without its extension; None, and a word about it, where it is damaged or absent."""
    array = read_npy(path, kind)
    if array is None:
        lost.append(f"{path.parent.name}/{path.name} is {'damaged' if path.exists() else 'absent'}")
    return array
