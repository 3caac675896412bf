"""Tesla dashcam: `TeslaCam/{RecentClips,SavedClips,SentryClips}`, files `2026-03-01_10-00-00-front.mp4`, a minute each.

`edge.formats.tesla_folder` says which files are a drive. `event.json` beside saved clips gives the reason and nothing
else: it names the place.

Signals come from the SEI of each frame (`edge.formats.tesla_sei`), which firmware 2025.44.25 and later writes on HW3
and up, not while parked; without it a drive is pictures only. Tesla's documentation gives names, not signs, scales or
axes: steering, pedal, acceleration and heading are taken only where the drive itself shows them
(`edge.formats.tesla_evidence`).

Taken as named: speed (negative in reverse), blinkers, brake_applied (whether it is the foot's or also the system's is
not documented), position (0, 0 is no fix). Engaged is any autopilot_state but NONE; going from SELF_DRIVING to TACC
gives up the wheel and stays engaged, so `static["autopilot_changes"]` keeps every change of state.

Clock: a name holds local time to the second without its zone; it is read as UTC. Later minutes follow on the one before
by the recorder's frame count, or by its length, where that agrees with their name within 2 s; else they start when
named. The hour that is repeated in autumn is not told apart.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from edge.drive import Drive
from edge.errors import DriveError
from edge.formats.tesla_evidence import (
    AUTOSTEER,
    NONE,
    REVERSE_GEAR,
    SELF_DRIVING,
    TACC,
    Samples,
    gas,
    is_compass,
    steering_and_acceleration,
)
from edge.formats.tesla_folder import CAMERAS, Minute, drives_in, minutes_of, name_of, named_as, stands_for
from edge.formats.tesla_sei import MAX_FILE_NS, NAMES, SeiTrack, read_track
from edge.video.camera import Camera, VideoFile
from edge.video.joined import JoinedVideo
from trigger.plausible import findings
from trigger.signals import SIGNALS, ControlSource
from trigger.telemetry import Telemetry, Times, Values

NAME = "tesla"
ENGAGEMENT = "autopilot_state is SELF_DRIVING or AUTOSTEER (steers and follows) or TACC (follows; the human steers)"
NAME_ERROR_NS = 2_000_000_000
"""A minute follows on the one before where that lies this close to its name."""
FRAME_NS = 27_777_778
"""36 frames a second: used where a file is too short to tell."""
MAX_FRAMES_MISSING = 3600
"""100 s of frames: a count that leaps further is not one of frames."""
MAX_EVENT_BYTES = 65_536
Signals = dict[str, tuple[Times, Values]]


def matches(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if named_as(path) else []
    drives = drives_in(path)
    return [path] if len(drives) == 1 else [stands_for(drive) for drive in drives]


def open(path: Path) -> Drive:
    minutes = minutes_of(path)
    tracks = _tracks(minutes)
    first = next((k for k, track in enumerate(tracks) if track), None)
    if first is None:
        raise DriveError(
            f"{path}: none of its {sum(len(m.files) for m in minutes)} files can be opened",
            "Tesla dashcam files that were written to their end",
            "copy the folder again; the newest minute is lost when the power goes",
        )
    said = _Said([], [])
    starts = _placed(minutes, tracks, said)
    cameras = _cameras(minutes, starts, said)
    samples = _samples(tracks, starts, said)
    telemetry = Telemetry.merge(_signals(samples, said))
    return Drive(
        id=f"tesla-{_digest(minutes)}",
        recorder=NAME,
        source=path,
        t0_ns=starts[first],
        telemetry=telemetry,
        cameras=cameras,
        engagement=ENGAGEMENT if "engaged" in telemetry else "",
        static=_changes(samples) | _reason(next(iter(minutes[0].files.values())).parent / "event.json"),
        lost=tuple(said.lost),
        notes=("the car's local time is read as UTC: its zone is not recorded", *said.notes, *findings(telemetry)),
    )


@dataclass
class _Said:
    """What goes into `Drive.lost` and `Drive.notes`."""

    lost: list[str]
    notes: list[str]


def _tracks(minutes: list[Minute]) -> list[SeiTrack | None]:
    """Each minute's front file, or the first that can be read; of another camera where the front has no SEI at all."""
    read = cache(_readable)
    fallback: list[SeiTrack | None] = []
    for lead in CAMERAS:
        files = [sorted(m.files.items(), key=lambda f: (f[0] != lead, CAMERAS.index(f[0]))) for m in minutes]
        tracks = [next(filter(None, (read(file) for _, file in choice)), None) for choice in files]
        if any(track and track.frame.size for track in tracks):
            return tracks
        fallback = fallback or tracks
    return fallback


def _readable(file: Path) -> SeiTrack | None:
    try:
        return read_track(file)
    except DriveError:
        return None


def _digest(minutes: list[Minute]) -> str:
    """Of the names and sizes of one camera's files."""
    lead = next(camera for camera in CAMERAS if any(camera in minute.files for minute in minutes))
    files = [minute.files[lead] for minute in minutes if lead in minute.files]
    return hashlib.sha256("\n".join(f"{f.name} {f.stat().st_size}" for f in files).encode()).hexdigest()[:12]


def _reason(event: Path) -> dict[str, Any]:
    """Why a clip was saved; city and position stay where they are."""
    try:
        if event.stat().st_size > MAX_EVENT_BYTES:
            return {}
        reason = json.loads(event.read_bytes())["reason"]
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        return {}
    known = isinstance(reason, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,80}", reason)
    return {"reason": reason} if known else {}


def _placed(minutes: list[Minute], tracks: list[SeiTrack | None], said: _Said) -> list[int]:
    """The time of time stamp 0 of each minute's files, ns."""
    starts: list[int] = []
    before: tuple[SeiTrack, int] | None = None
    for minute, track in zip(minutes, tracks, strict=True):
        start_ns = minute.named_ns
        if before and track:
            last_ns, interval = before[1] + int(before[0].frame_ns[-1]), _interval_ns(before[0])
            for frames in _frames_on(before[0], track):
                if abs(last_ns + frames * interval - minute.named_ns) <= NAME_ERROR_NS:
                    start_ns = last_ns + frames * interval - int(track.frame_ns[0])
                    if frames > 1:
                        said.lost.append(
                            f"{frames - 1} frames before {name_of(minute)} are in no file that can be read"
                        )
                    break
        starts.append(start_ns)
        before = (track, start_ns) if track else before
    return starts


def _frames_on(before: SeiTrack, track: SeiTrack) -> list[int]:
    """How many frames after the last one of `before` the first of `track` may be: by the recorder's count, then one."""
    ended, began = _count(before, -1), _count(track, 0)
    counted = round(began - ended) if ended is not None and began is not None else 0
    return [frames for frames in (counted, 1) if 0 < frames <= MAX_FRAMES_MISSING]


def _interval_ns(track: SeiTrack) -> int:
    return int(np.median(np.diff(track.frame_ns))) if track.frame_ns.size > 1 else FRAME_NS


def _count(track: SeiTrack, at: int) -> float | None:
    """The recorder's number of the first (0) or last (-1) frame, by the nine samples nearest to it."""
    if not _counts_frames(track):
        return None
    offset = track.values["frame_seq_no"] - track.frame
    near = offset[:9] if at == 0 else offset[-9:]
    return float(np.median(near)) + (track.frame_ns.size - 1 if at else 0)


def _counts_frames(track: SeiTrack) -> bool:
    """Does frame_seq_no go up by one with each frame?"""
    if track.frame.size < 2:
        return False
    return float(np.median(np.diff(track.values["frame_seq_no"]) / np.diff(track.frame))) == 1.0


def _missing_frames(track: SeiTrack) -> int:
    """Frames that the recorder counted and the file does not hold."""
    began, ended = _count(track, 0), _count(track, -1)
    if began is None or ended is None:
        return 0
    missing = round(ended - began) - (track.frame_ns.size - 1)
    return missing if 0 < missing <= MAX_FRAMES_MISSING else 0


def _cameras(minutes: list[Minute], starts: list[int], said: _Said) -> dict[str, Camera]:
    cameras: dict[str, Camera] = {}
    for name in CAMERAS:
        files = [VideoFile(m.files[name], start) for m, start in zip(minutes, starts, strict=True) if name in m.files]
        if files and len(files) < len(minutes):
            said.notes.append(f"{name}: no file for {len(minutes) - len(files)} of {len(minutes)} minutes")
        joined = JoinedVideo(tuple(file for file in files if _is_in_time(file, said)))
        try:
            said.lost += joined.lost
            cameras[name] = joined
        except DriveError:
            said.lost += [f"{name}: none of {len(files)} files can be opened"] if files else []
    return cameras


def _is_in_time(file: VideoFile, said: _Said) -> bool:
    """False where the time stamps are damaged; a file that cannot be opened at all is left to `JoinedVideo`."""
    try:
        span_ns = int(np.ptp(file.frame_times()))
    except DriveError:
        return True
    if not 0 <= span_ns <= MAX_FILE_NS:
        said.lost.append(f"{file.path.name}: its time stamps are damaged")
    return 0 <= span_ns <= MAX_FILE_NS


LIMITS = {
    "vehicle_speed_mps": (-120.0, 120.0),
    "accelerator_pedal_position": (0.0, 105.0),
    "steering_wheel_angle": (-1080.0, 1080.0),
    "latitude_deg": (-90.0, 90.0),
    "longitude_deg": (-180.0, 180.0),
    "heading_deg": (-360.0, 360.0),
    "linear_acceleration_mps2_x": (-30.0, 30.0),
    "linear_acceleration_mps2_y": (-30.0, 30.0),
}
"""Numbers outside these, in the field's unit as far as it is known, are damage."""


def _samples(tracks: Sequence[SeiTrack | None], starts: list[int], said: _Said) -> Samples:
    """The samples of all minutes; where two overlap, the earlier one's count, as in `JoinedVideo`."""
    times: list[Times] = []
    values: list[dict[str, Values]] = []
    until = -(1 << 62)
    for track, start in zip(tracks, starts, strict=True):
        if track is None:
            continue
        kept = track.t_ns + start > until
        until = max(until, int(track.frame_ns[-1]) + start)
        if kept.any():
            times.append((track.t_ns + start)[kept])
            values.append({name: column[kept] for name, column in track.values.items()})
    _tell_losses([track for track in tracks if track], said)
    t_ns = np.concatenate(times) if times else np.empty(0, np.int64)
    columns = {name: np.concatenate([v[name] for v in values]) for name in NAMES} if values else {}
    step_s = float(np.median(np.diff(t_ns))) / 1e9 if t_ns.size > 1 else 0.0
    return Samples(t_ns, _believable(columns, said), step_s)


def _tell_losses(tracks: list[SeiTrack], said: _Said) -> None:
    frames, read = sum(t.frame_ns.size for t in tracks), sum(t.frame.size for t in tracks)
    damaged, missing = sum(t.damaged for t in tracks), sum(_missing_frames(t) for t in tracks)
    if damaged:
        said.lost.append(f"SEI: {damaged} of {damaged + read} messages cannot be read")
    if missing:
        said.lost.append(f"{missing} frames that the recorder counted are not in the files")
    if not read:
        said.notes.append("no SEI in any frame (firmware before 2025.44.25, parked, or not H.264): pictures only")
    elif read + damaged < frames:
        said.notes.append(f"{frames - read - damaged} of {frames} frames have no SEI (parked, for example)")


def _believable(columns: dict[str, Values], said: _Said) -> dict[str, Values]:
    """Numbers no car has, and the position and heading of a receiver without a fix, become missing."""
    bad = 0
    for name, (low, high) in LIMITS.items() if columns else ():
        with np.errstate(invalid="ignore"):
            good = (columns[name] >= low) & (columns[name] <= high)
        bad += int((~good).sum())
        columns[name] = np.where(good, columns[name], np.nan)
    if bad:
        said.lost.append(f"SEI: {bad} values are outside what a car can do")
    if columns:
        no_fix = (columns["latitude_deg"] == 0.0) & (columns["longitude_deg"] == 0.0)
        for name in ("latitude_deg", "longitude_deg", "heading_deg"):
            nothing = no_fix & (columns[name] == 0.0)
            columns[name] = np.where(nothing, np.nan, columns[name])
    return columns


def _changes(samples: Samples) -> dict[str, Any]:
    """`autopilot_changes`: [t_ns, state] at the first sample and at each change."""
    if not samples.t_ns.size:
        return {}
    state = samples["autopilot_state"]
    at = np.flatnonzero(np.append(True, state[1:] != state[:-1]))
    return {"autopilot_changes": [[int(samples.t_ns[i]), int(state[i])] for i in at]}


def _signals(s: Samples, said: _Said) -> Signals:
    if not s.t_ns.size:
        return {}
    speed = np.where(s["gear"] == REVERSE_GEAR, -np.abs(s["vehicle_speed_mps"]), s["vehicle_speed_mps"])
    columns = {
        "speed_mps": speed,
        "brake_pressed": (s["brake_applied"] != 0).astype(np.float64),
        "blinker_left": (s["blinker_on_left"] != 0).astype(np.float64),
        "blinker_right": (s["blinker_on_right"] != 0).astype(np.float64),
        "lat_deg": s["latitude_deg"],
        "lon_deg": s["longitude_deg"],
        **_who_drove(s["autopilot_state"]),
        **gas(s, said.notes),
    }
    compass = is_compass(s)
    if compass is False:
        said.notes.append("heading_deg is left out: it is not the direction of travel that the positions show")
    else:
        columns["heading_deg"] = s["heading_deg"]
    columns |= steering_and_acceleration(s, bool(compass), said.notes)
    return {name: (s.t_ns, _physical(name, values)) for name, values in columns.items()}


def _physical(name: str, values: Values) -> Values:
    return np.where((values >= SIGNALS[name].low) & (values <= SIGNALS[name].high), values, np.nan)


def _who_drove(state: Values) -> dict[str, Values]:
    """Engagement and control sources; a state that is not known leaves them open."""
    known = np.isin(state, (NONE, SELF_DRIVING, AUTOSTEER, TACC))

    def system(states: tuple[int, ...]) -> Values:
        source = np.where(np.isin(state, states), float(ControlSource.SYSTEM), float(ControlSource.HUMAN))
        return np.where(known, source, float(ControlSource.UNKNOWN))

    return {
        "engaged": np.where(known, (state != NONE).astype(np.float64), np.nan),
        "control_source_steering": system((SELF_DRIVING, AUTOSTEER)),
        "control_source_speed": system((SELF_DRIVING, AUTOSTEER, TACC)),
    }
