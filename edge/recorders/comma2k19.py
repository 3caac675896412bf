"""comma2k19: openpilot segments of 60 s, `DONGLE|DATE/SEGMENT/processed_log/...`, alone or a whole route.

Files are .npy without the extension; `t` is float64 seconds of the boot clock. Engagement, pedals and the
driver's hand on the wheel come from the raw CAN, whose layout is known here for the Toyota RAV4 2017 of chunks
1 and 2; another car (the Civic of chunks 3 to 10) keeps speed, steering and yaw rate, and says what is missing.

Not read: the phone's accelerometer, which measures gravity and the tilt of its mount together with the car;
acceleration is taken from the wheel speed instead.

Signs: steering wheel + left (as recorded); the gyro's third axis points down, so yaw rate + left is its negative
(r = -0.89 against speed times steering on the example segment, as it should be).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.camera import Camera, VideoFile
from edge.drive import Drive
from edge.errors import DriveError
from edge.joined import JoinedVideo
from trigger.plausible import findings
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry, Times, Values
from trigger.vehicle import UNKNOWN_VEHICLE, VehicleProfile

NAME = "comma2k19"
GIVES = (
    "front camera, speed, steering, yaw rate, position; on the RAV4 2017 engagement, gas, brake pressed, driver torque"
)
LACKS = "engagement and pedals of other cars; the phone's accelerometer"
ENGAGEMENT = "cruise control is active (openpilot steers and follows); read from CAN 466 CRUISE_ACTIVE"
RAV4_2017 = VehicleProfile(wheelbase_m=2.65, steering_ratio=16.88)
"""As in openpilot's parameters for this car."""

Signals = dict[str, tuple[Times, Values]]


@dataclass(frozen=True)
class CanBits:
    """Where a value sits in a CAN frame: Motorola start bit (its highest), length in bits."""

    bus: int
    address: int
    start: int
    length: int


CRUISE_ACTIVE = CanBits(0, 466, 5, 1)
GAS_RELEASED = CanBits(0, 466, 4, 1)
GAS_PEDAL = CanBits(0, 705, 55, 8)
GAS_PEDAL_STEP = 0.005
BRAKE_PRESSED = CanBits(0, 548, 5, 1)
STEER_OVERRIDE = CanBits(0, 608, 0, 1)
TOYOTA = (CRUISE_ACTIVE, GAS_PEDAL, BRAKE_PRESSED, STEER_OVERRIDE)


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
    toyota = all(segment.toyota for segment in segments)
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
        vehicle=RAV4_2017 if toyota else UNKNOWN_VEHICLE,
        engagement=ENGAGEMENT if toyota else "",
        lost=tuple(lost) + tuple(line for camera in cameras.values() for line in camera.lost),
        notes=(
            *blind,
            *_about_can(toyota),
            *findings(telemetry),
        ),
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
    toyota: bool
    video: VideoFile | None
    lost: list[str]


def _open_segment(path: Path) -> _Segment:
    log, lost = path / "processed_log", []  # type: tuple[Path, list[str]]
    signals = _plain_signals(log, lost)
    can = _raw_can(log / "CAN" / "raw_can", lost)
    toyota = can is not None and all(can.has(bits) for bits in TOYOTA)
    if can is not None and toyota:
        signals |= _toyota(can)
    return _Segment(signals, toyota, _video(path, lost), lost)


def _video(path: Path, lost: list[str]) -> VideoFile | None:
    """The road camera: a raw HEVC stream, timed frame by frame in global_pose/frame_times."""
    file = path / "video.hevc"
    if not file.exists():
        return None
    seconds = _array(path / "global_pose" / "frame_times", lost)
    if seconds is None or not seconds.size:
        lost.append(f"{path.name}/video.hevc has no frame times")
        return None
    video = VideoFile(file, times_ns=np.asarray(np.round(seconds * 1e9), np.int64))
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


def _about_can(toyota: bool) -> tuple[str, ...]:
    return () if toyota else ("the raw CAN is not that of a Toyota RAV4 2017: no engagement, gas or brake",)


def _plain_signals(log: Path, lost: list[str]) -> Signals:
    signals: Signals = {}
    for name, folder, column, factor in (
        ("speed_mps", "CAN/speed", 0, 1.0),
        ("steering_wheel_deg", "CAN/steering_angle", 0, 1.0),
        ("yaw_rate_dps", "IMU/gyro", 2, -180.0 / np.pi),
        ("lat_deg", "GNSS/live_gnss_ublox", 0, 1.0),
        ("lon_deg", "GNSS/live_gnss_ublox", 1, 1.0),
    ):
        t_ns = _times(log / folder, lost)
        values = _array(log / folder / "value", lost)
        if t_ns is None or values is None:
            continue
        rows = min(t_ns.size, len(values))
        if rows < max(t_ns.size, len(values)):
            lost.append(f"{folder}: {max(t_ns.size, len(values)) - rows} samples without a partner")
        signals[name] = (t_ns[:rows], np.asarray(values.reshape(len(values), -1)[:rows, column] * factor, np.float64))
    return signals


@dataclass(frozen=True)
class _Can:
    t_ns: Times
    source: Times
    address: Times
    data: np.ndarray

    def has(self, bits: CanBits) -> bool:
        return bool(((self.source == bits.bus) & (self.address == bits.address)).any())

    def read(self, bits: CanBits) -> tuple[Times, Values]:
        """Times and unsigned values of one field."""
        rows = (self.source == bits.bus) & (self.address == bits.address)
        words = np.frombuffer(self.data[rows].tobytes(), ">u8")
        shift = np.uint64(64 - (bits.start // 8 * 8 + 7 - bits.start % 8) - bits.length)
        mask = np.uint64((1 << bits.length) - 1)
        return self.t_ns[rows], np.asarray((words >> shift) & mask, np.float64)


def _toyota(can: _Can) -> Signals:
    t_ns, engaged = can.read(CRUISE_ACTIVE)
    gas_ns, gas = can.read(GAS_PEDAL)
    released_ns, released = can.read(GAS_RELEASED)
    override_ns, override = can.read(STEER_OVERRIDE)
    pressed = 1.0 - released
    return {
        "engaged": (t_ns, engaged),
        "gas_fraction": (gas_ns, gas * GAS_PEDAL_STEP),
        "gas_pressed": (released_ns, pressed),
        "brake_pressed": can.read(BRAKE_PRESSED),
        "steering_pressed": (override_ns, override),
        "control_source_speed": (t_ns, _source(engaged, pressed)),
        "control_source_steering": (t_ns, _source(engaged, _last(t_ns, override_ns, override))),
    }


def _source(engaged: Values, driver: Values) -> Values:
    """Human when not engaged, shared when the driver acts beside the system, else system."""
    acting = np.where(driver > 0.5, float(ControlSource.SHARED), float(ControlSource.SYSTEM))
    return np.where(engaged > 0.5, acting, float(ControlSource.HUMAN))


def _last(t_ns: Times, own_ns: Times, values: Values) -> Values:
    index = np.searchsorted(own_ns, t_ns, side="right") - 1
    return np.where(index >= 0, values[np.maximum(index, 0)], 0.0)


def _raw_can(folder: Path, lost: list[str]) -> _Can | None:
    if not folder.is_dir():
        return None
    t_ns = _times(folder, lost)
    arrays = [a for name in ("src", "address", "data") if (a := _array(folder / name, lost)) is not None]
    if t_ns is None or [len(a) for a in arrays] != [t_ns.size] * 3:
        return None
    source, address, data = arrays
    return _Can(t_ns, source.astype(np.int64), address.astype(np.int64), data.astype("S8"))


def _times(folder: Path, lost: list[str]) -> Times | None:
    seconds = _array(folder / "t", lost)
    return None if seconds is None else np.asarray(np.round(seconds * 1e9), np.int64)


def _array(path: Path, lost: list[str]) -> np.ndarray | None:
    """A .npy file without its extension; None, and a word about it, where it is damaged or absent."""
    try:
        array: np.ndarray = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        why = "is absent" if isinstance(error, FileNotFoundError) else "is damaged"
        lost.append(f"{path.parent.name}/{path.name} {why}")
        return None
    return array
