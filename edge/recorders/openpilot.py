"""openpilot: segments of a minute, `DONGLE|LOGID--SEG/` or `LOGID--SEG/`, or files `DONGLE_LOGID--SEG--rlog.zst`.

A route is named by its first segment in the folder where it lies: opening that opens the route, all its segments
there joined. Any later segment is a drive of its own, that one minute. A folder of segments holds one drive a route.
LOGID is `YYYY-MM-DD--HH-MM-SS` or, since 2024, `COUNT--UID`.

Read: rlog, else qlog (a tenth of the rate); where an rlog breaks off, the rest comes from the qlog. `fcamera.hevc` is
`front`, `ecamera.hevc` is `wide`; `qcamera.ts` is `front` where the route has no fcamera. Times are those of the boot
clock. A segment with a `.lock` is still being written and is left out.

Signs and units, as the schema documents them: steering wheel deg, + left; speed m/s; acceleration m/s^2; the yaw rate
is taken from localisation, rad/s about an axis that points down, so + left is its negative (calibrated frame in
`liveLocationKalman`; device frame in `livePose`, whose mount may tilt: 1.5 % at 10 degrees); heading deg clockwise
from north. `carState.gas` becomes a fraction only where it is a pedal: within 0 .. 1 and between them at least once.

Who drove: steering follows `carControl.latActive`; speed follows `longActive` or the car's own cruise control, which
drives where openpilot only steers. Where the driver acts on an active axis it is shared. Logs too old to tell the
axes apart follow the engagement.

Not read: `dcamera.hevc`, the driver's camera, and all that is said of the driver's face. Not taken: `carState.brake`,
which is pressure over 250 bar (Volkswagen, Rivian), torque of the ACC's braking too (Ford) or counts;
`carState.yawRate`, without documented sign and on some cars computed from the steering; `steeringTorque`, in the
car's own units. `vEgo` has no sign: reversing is positive on most cars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.camera import Camera, VideoFile
from edge.drive import Drive
from edge.errors import DriveError
from edge.joined import JoinedVideo
from edge.openpilot_log import MAX_FRAMES, Row, Rows, frame_times, read_log
from trigger.disengagement import engagement_changes
from trigger.plausible import findings
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry, Times, Values
from trigger.vehicle import UNKNOWN_VEHICLE, VehicleProfile

NAME = "openpilot"
GIVES = (
    "front and wide camera, speed, acceleration, steering, yaw rate, gas, brake pressed, blinkers, position, "
    "engagement with reasons, who drove"
)
LACKS = "the driver's camera (never read), how far the brake is pressed, torque on the wheel"
ENGAGEMENT = (
    "openpilot is enabled (selfdriveState.enabled, before 0.9.8 controlsState.enabled): it steers, works gas and "
    "brake, or both; a driver who overrides it does not end it"
)

SEGMENT_NAME = re.compile(
    r"(?:(?P<dongle>[0-9a-f]{16})[|_])?"
    r"(?P<log>[0-9]{4}-[0-9]{2}-[0-9]{2}--[0-9]{2}-[0-9]{2}-[0-9]{2}|[0-9a-f]{8}--[0-9a-z]{10})"
    r"--(?P<number>[0-9]{1,9})(?:--(?P<file>[a-z]+(?:_log)?(?:\.[a-z0-9]+)*))?"
)
RLOGS = ("rlog.zst", "rlog.bz2", "rlog", "raw_log.bz2")
QLOGS = ("qlog.zst", "qlog.bz2", "qlog")
CAMERAS = {"front": ("fcamera.hevc", ("roadEncodeIdx",)), "wide": ("ecamera.hevc", ("wideRoadEncodeIdx",))}
PREVIEW = ("qcamera.ts", ("qRoadEncodeIdx", "roadEncodeIdx"))
READ = {*RLOGS, *QLOGS, PREVIEW[0], *(file for file, _ in CAMERAS.values())}

SAME_DRIFT_NS = 25_000_000
"""Half a frame: what a preview's own stamps may wander from its index."""
STALE_NS = 500_000_000
"""Older than this, a pedal's last state says nothing."""
BEFORE_NS, AFTER_NS = 150_000_000, 100_000_000
"""Events in force around a disengagement: one message of the qlog before, ten of the rlog after."""
MEASURABLE = 1e9
"""In any unit read here; what lies beyond is damage."""
MOVING_MPS = 1.0
"""Slower, the course over ground is noise."""

Signals = dict[str, tuple[Times, Values]]


def matches(path: Path) -> list[Path]:
    """The segment that `path` is, or the first segment of every route in a folder."""
    if SEGMENT_NAME.fullmatch(path.resolve().name):
        return [path] if _route_of(path) else []
    routes = groupby(_segments(path), key=lambda segment: segment.route) if path.is_dir() else ()
    return [next(segments).path for _, segments in routes]


def open(path: Path) -> Drive:
    """Open a route by its first segment, or a later segment alone."""
    parts = [_read(segment) for segment in _route_of(path)]
    lost = [line for part in parts for line in part.lost]
    rows = _all_rows(parts)
    signals, notes = _signals(rows)
    if not signals:
        raise DriveError(
            f"{path} holds no readable signal ({'; '.join([*lost, *_about(parts)]) or 'its logs are empty'})",
            "an rlog or qlog of openpilot whose recording has ended",
            "copy the segment again, or drop it",
        )
    telemetry = Telemetry.merge(signals)
    cameras = _cameras(parts, lost)
    return Drive(
        id=_id([part.segment for part in parts]),
        recorder=NAME,
        source=path,
        t0_ns=int(telemetry.t_ns[0]),
        telemetry=telemetry,
        cameras=cameras,
        vehicle=_vehicle(rows),
        engagement=ENGAGEMENT if "engaged" in telemetry else "",
        static=_static(rows, telemetry),
        lost=tuple(lost),
        notes=(*_about(parts), *notes, *findings(telemetry)),
    )


@dataclass(frozen=True)
class _Segment:
    """One minute. `files` holds what may be read of it, and locks, by the names they have on the device."""

    route: str
    number: int
    folder: Path | None
    files: Mapping[str, Path]

    @property
    def path(self) -> Path:
        """The folder, or of loose files the log."""
        return self.folder or next(self.files[name] for name in (*RLOGS, *QLOGS, *READ) if name in self.files)

    @property
    def locked(self) -> bool:
        return any(name.endswith(".lock") for name in self.files)


def _segments(folder: Path) -> list[_Segment]:
    """All segments that lie in a folder, by route and number; folders and loose files of one are put together."""
    found: dict[tuple[str, int], _Segment] = {}
    for entry in _entries(folder):
        name = SEGMENT_NAME.fullmatch(entry.name)
        if name is None:
            continue
        inside = {name["file"]: entry} if name["file"] else {file.name: file for file in _entries(entry)}
        files = {n: p for n, p in inside.items() if n in READ or n.endswith(".lock")}
        if files:
            key = _key(name)
            known = found.get(key, _Segment(*key, None, {}))
            found[key] = _Segment(*key, known.folder if name["file"] else entry, {**known.files, **files})
    return [found[key] for key in sorted(found) if READ & found[key].files.keys()]


def _key(name: re.Match[str]) -> tuple[str, int]:
    """Route and number; "|", which some file systems refuse, is told as "_"."""
    return f"{name['dongle']}_{name['log']}" if name["dongle"] else name["log"], int(name["number"])


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _route_of(path: Path) -> list[_Segment]:
    """What `path` opens: all its route where it is the first segment of it, else the one it is."""
    name = SEGMENT_NAME.fullmatch(path.resolve().name)
    if name is None or (name["file"] or RLOGS[0]) not in READ:
        return []
    key = _key(name)
    route = [segment for segment in _segments(path.resolve().parent) if segment.route == key[0]]
    first = route[:1]
    here = [segment for segment in route if segment.number == key[1]]
    return route if here == first else here


def _id(segments: Sequence[_Segment]) -> str:
    first = segments[0]
    return f"openpilot-{first.route}" + (f"--{first.number}" if len(segments) == 1 else "")


@dataclass(frozen=True)
class _Part:
    """What was read of one segment."""

    segment: _Segment
    rows: Rows
    lost: tuple[str, ...]


def _read(segment: _Segment) -> _Part:
    """The best log, and where that is damaged the next best too: their messages bear the same times."""
    if segment.locked:
        return _Part(segment, {}, ())
    rows: Rows = {}
    lost: list[str] = []
    for name in (n for n in (*RLOGS, *QLOGS) if n in segment.files):
        log = read_log(segment.files[name])
        for kind, more in log.rows.items():
            rows.setdefault(kind, []).extend(more)
        if lost and log.rows:
            lost.append(f"the rest was read from {name}")
        lost += log.lost
        if not log.lost:
            break
    else:
        lost += [] if lost else ["it has no rlog or qlog"]
    return _Part(segment, rows, tuple(f"segment {segment.number}: {line}" for line in lost))


def _all_rows(parts: Sequence[_Part]) -> Rows:
    rows: Rows = {}
    for part in parts:
        for kind, more in part.rows.items():
            rows.setdefault(kind, []).extend(more)
    return rows


def _about(parts: Sequence[_Part]) -> Iterator[str]:
    """What the reader of a route should know of its segments."""
    for part in parts:
        if part.segment.locked:
            yield f"segment {part.segment.number} is still being written: left out"
    cut_short = [part.segment.number for part in parts if part.rows and not part.lost and not _ended(part)]
    if cut_short:
        yield f"no end mark: the recording of segments {_list(cut_short)} may have been cut short"
    missing = [a.segment.number + 1 for a, b in pairwise(parts) if b.segment.number > a.segment.number + 1]
    if missing:
        yield f"segments are missing from {_list(missing)} on"
    coarse = [p.segment.number for p in parts if p.rows and not set(RLOGS) & p.segment.files.keys()]
    if coarse:
        yield f"qlog only, a tenth of the rate: segments {_list(coarse)}"


def _ended(part: _Part) -> bool:
    return any(mark.startswith("endOf") for _, mark in part.rows.get("sentinel", []))


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _signals(rows: Rows) -> tuple[Signals, list[str]]:
    t_ns, car = _table(rows.get("carState", []), 10)
    speed, accel, angle, wheel, left, right, gas, gas_pressed, brake_pressed, cruise = car.T
    signals: Signals = {
        "speed_mps": (t_ns, speed),
        "accel_long_mps2": (t_ns, accel),
        "steering_wheel_deg": (t_ns, angle),
        "steering_pressed": (t_ns, wheel),
        "blinker_left": (t_ns, left),
        "blinker_right": (t_ns, right),
        "gas_pressed": (t_ns, gas_pressed),
        "brake_pressed": (t_ns, brake_pressed),
    }
    inside = (gas > 0.0) & (gas < 1.0)
    outside = (gas < 0.0) | (gas > 1.0)
    if inside.any() and not outside.any():
        signals["gas_fraction"] = (t_ns, gas)
    span = f"{np.nanmin(gas):g} to {np.nanmax(gas):g}" if outside.any() else ""
    notes = [f"carState.gas runs from {span}: no fraction of a pedal, left out"] if span else []
    signals |= _motion(rows)
    engaged_ns, engaged = _table(rows.get("selfdriveState") or rows.get("controlsState", []), 1)
    signals["engaged"] = (engaged_ns, engaged[:, 0])
    signals |= _sources(rows, signals, (t_ns, cruise))
    return {name: values for name, values in signals.items() if np.isfinite(values[1]).any()}, notes


def _table(rows: list[Row], columns: int) -> tuple[Times, NDArray[np.float64]]:
    """Times (N,) int64 ns, increasing or equal, and values (N, columns); what nothing can measure is no sample."""
    ordered = sorted(rows, key=lambda row: row[0])
    values = np.array([row[1:] for row in ordered], np.float64).reshape(-1, columns)
    return np.array([row[0] for row in ordered], np.int64), np.where(np.abs(values) < MEASURABLE, values, np.nan)


def _motion(rows: Rows) -> Signals:
    """Yaw rate from localisation, position and course from the better receiver."""
    turning = _table(rows.get("liveLocationKalmanDEPRECATED", []), 2)
    if not turning[1][:, 1].any():
        turning = _table(rows.get("livePose", []), 2)
    down, valid = turning[1].T
    t_ns, fixes = _table(rows.get("gpsLocationExternal") or rows.get("gpsLocation", []), 6)
    lat, lon, bearing, speed, flags, has_fix = fixes.T
    fixed = ((has_fix > 0) | (flags % 2 == 1)) & ((lat != 0) | (lon != 0))
    return {
        "yaw_rate_dps": (turning[0], np.where(valid > 0, -np.degrees(down), np.nan)),
        "lat_deg": (t_ns, np.where(fixed, lat, np.nan)),
        "lon_deg": (t_ns, np.where(fixed, lon, np.nan)),
        "heading_deg": (t_ns, np.where(fixed & (speed > MOVING_MPS), bearing, np.nan)),
    }


def _sources(rows: Rows, signals: Signals, cruise: tuple[Times, Values]) -> Signals:
    """Who worked each axis; nothing where the log does not say whether openpilot did."""
    t_ns, control = _table(rows.get("carControl", []), 3)
    enabled, steers, drives = control.T
    if not (steers.any() or drives.any()):
        t_ns, enabled = signals["engaged"]
        steers = drives = enabled
    hand, gas, brake = (_last(t_ns, signals[n]) for n in ("steering_pressed", "gas_pressed", "brake_pressed"))
    pedal = np.maximum(gas, brake)
    automatic = (drives > 0.5) | (_last(t_ns, cruise) > 0.5) | ((enabled > 0.5) & (pedal > 0.5))
    return {
        "control_source_steering": (t_ns, _source(steers > 0.5, hand)),
        "control_source_speed": (t_ns, _source(automatic, pedal)),
    }


def _source(active: NDArray[np.bool_], driver: Values) -> Values:
    acting = np.where(driver > 0.5, float(ControlSource.SHARED), float(ControlSource.SYSTEM))
    told = np.where(active, acting, float(ControlSource.HUMAN))
    return np.where(np.isnan(driver), float(ControlSource.UNKNOWN), told)


def _last(t_ns: Times, own: tuple[Times, Values]) -> Values:
    """The last value at or before each time; NaN where that is older than STALE_NS."""
    if not own[0].size:
        return np.full(t_ns.size, np.nan)
    index = np.searchsorted(own[0], t_ns, side="right") - 1
    fresh = (index >= 0) & (t_ns - own[0][np.maximum(index, 0)] <= STALE_NS)
    return np.where(fresh, own[1][np.maximum(index, 0)], np.nan)


def _vehicle(rows: Rows) -> VehicleProfile:
    for _, wheelbase, ratio, _ in rows.get("carParams", []):
        if 1.0 < wheelbase < 10.0 and 5.0 < ratio < 40.0:
            return VehicleProfile(round(wheelbase, 4), round(ratio, 4))
    return UNKNOWN_VEHICLE


def _static(rows: Rows, telemetry: Telemetry) -> dict[str, Any]:
    """Why each engagement ended, as [t_ns, [names of events]], the driver's bookmarks, car and version."""
    changes = engagement_changes(telemetry)
    ends = [t_ns for (t_ns, engaged), before in zip(changes[1:], changes, strict=False) if before[1] and not engaged]
    static: dict[str, Any] = {
        "reasons": [[t_ns, _reasons(rows, t_ns)] for t_ns in ends],
        "bookmarks": sorted({row[0] for row in rows.get("userFlag", [])}),
    }
    facts = {"car": rows.get("carParams", []), "openpilot": rows.get("initData", [])}
    return static | {name: found[0][-1] for name, found in facts.items() if found and found[0][-1]}


def _reasons(rows: Rows, t_ns: int) -> list[str]:
    """The disabling events in force when an engagement ended. A list is in force until the next is sent."""
    events = sorted(rows.get("onroadEvents") or rows.get("onroadEventsDEPRECATED", []))
    before = [row for row in events if row[0] <= t_ns - BEFORE_NS][-1:]
    around = [row for row in events if t_ns - BEFORE_NS < row[0] <= t_ns + AFTER_NS]
    return list(dict.fromkeys(name for _, names in before + around for name in names))


def _cameras(parts: Sequence[_Part], lost: list[str]) -> dict[str, Camera]:
    parts = [part for part in parts if not part.segment.locked]
    has_road = any(CAMERAS["front"][0] in part.segment.files for part in parts)
    wanted = CAMERAS if has_road else {**CAMERAS, "front": PREVIEW}
    cameras: dict[str, Camera] = {}
    for name, (file, kinds) in wanted.items():
        here = [part for part in parts if file in part.segment.files]
        videos = [video for part in here if (video := _video(part, file, kinds, lost))]
        if videos and len(here) < len(parts):
            lost.append(f"{file} is absent in {len(parts) - len(here)} of {len(parts)} segments")
        if videos:
            cameras[name] = videos[0] if len(parts) == 1 else JoinedVideo(tuple(videos))
            lost += cameras[name].lost
    return cameras


def _video(part: _Part, file: str, kinds: Sequence[str], lost: list[str]) -> VideoFile | None:
    """One file with the times of its frames; None, and a word about it, where it or they cannot be had."""
    path, where = part.segment.files[file], f"segment {part.segment.number}: {file}"
    index = next((part.rows[kind] for kind in kinds if kind in part.rows), [])
    try:
        frames = VideoFile(path, times_ns=np.arange(MAX_FRAMES)).total_frames
        own = VideoFile(path).frame_times() if file == PREVIEW[0] else None
    except DriveError as error:
        lost.append(f"segment {part.segment.number}: {error.got}")
        return None
    times, guessed = frame_times(index, frames)
    if not times.size:
        lost.append(f"{where} is left out: the log has no index of its frames ({kinds[0]})")
        return None
    if own is not None and own.size != times.size and np.ptp(own[: times.size] - times[: own.size]) > SAME_DRIFT_NS:
        lost.append(f"{where} is left out: its {own.size} frames do not fit their {times.size} times")
        return None
    if guessed:
        lost.append(f"{where}: the times of {guessed} of {frames} frames are placed between their neighbours'")
    return VideoFile(path, times_ns=times)
