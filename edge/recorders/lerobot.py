"""LeRobotDataset v3.0 (`edge.formats.lerobot_dataset`): an episode is a drive.

It lies in no folder of its own, so it is named by the dataset's folder and its number, `DATASET/episode_000012`:
nothing of that name is on disk. Its clock begins at its first frame: t = frame_index / fps, and a frame's time in the
video file is from_timestamp + t.

Signals: features whose `names` are names of `trigger.signals` (what `edge.export.lerobot` writes); and those of Yaak's
L2D: position, gas and brake (gas_pedal_normalized, brake_pedal_normalized, used where they lie in 0 to 1) and speed,
whose unit L2D does not state: it is measured against the change of position, and speed is left out where that fits
neither km/h nor m/s. Of L2D are left out, because nothing documents sign or unit: steering_angle_normalized, heading,
acceleration_x and _y, gear and turn_signal. L2D was driven by people: driving instructors and learners.

A dataset that has no signal of a car is a robot's: its own columns are told (`edge.formats.robot_columns`), and their
ranges and names are in `static`.

Not read: pictures stored inside Parquet (dtype image), depth, versions before 3.0. An episode indexes the whole of the
video files it lies in.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from edge.drive import Drive
from edge.errors import DriveError
from edge.formats.lerobot_dataset import (
    DAMAGE,
    INFO,
    Dataset,
    Episode,
    read_episode,
    read_info,
    read_stats,
    total_episodes,
)
from edge.formats.robot_columns import Ranges, robot_columns
from edge.video.camera import Camera, VideoFile
from trigger.plausible import findings
from trigger.signals import SIGNALS, ControlSource, controls_of, signal_named
from trigger.telemetry import Telemetry, Times, Values

NAME = "lerobot"
GIVES = (
    "cameras, an episode a drive; signals named as swerve names them; of L2D speed, position, gas and brake; "
    "of a robot its own state and action"
)
LACKS = "L2D's steering and heading (no sign is documented), engagement, pictures inside Parquet, versions before 3.0"
EPISODE = re.compile(r"episode_(\d{6,})")
L2D_VEHICLE, L2D_ACTION = "observation.state.vehicle", "action.continuous"
L2D = {
    (L2D_VEHICLE, "hp_loc_latitude"): "lat_deg",
    (L2D_VEHICLE, "hp_loc_longitude"): "lon_deg",
    (L2D_ACTION, "gas_pedal_normalized"): "gas_fraction",
    (L2D_ACTION, "brake_pedal_normalized"): "brake_fraction",
}
L2D_LEFT_OUT = (
    "L2D's steering, heading, acceleration, gear and turn signal are left out: sign or unit is not documented"
)
IS_HUMAN, IS_KNOWN = "action.is_human", "observation.is_known"
MASKS = {"action": IS_HUMAN, "observation.state": IS_KNOWN}
"""What `edge.export.lerobot` writes beside values, to tell those it had from those it filled with 0."""
MIN_PATH_M = 50.0
EARTH_M_PER_DEG = 111_195.0
UNIT_TOLERANCE = 0.2


def matches(path: Path) -> list[Path]:
    """All episodes of a dataset, or the one that is named."""
    if EPISODE.fullmatch(path.name) and (path.parent / INFO).is_file():
        return [path] if _number(path) < total_episodes(path.parent) else []
    if not (path / INFO).is_file():
        return []
    return [path / f"episode_{number:06d}" for number in range(total_episodes(path))] or [path]


def open(path: Path) -> Drive:
    """Open an episode, `DATASET/episode_000012`."""
    if not EPISODE.fullmatch(path.name):
        read_info(path)
        raise DriveError(f"{path} holds no episode", "at least one (total_episodes)", "copy the dataset again")
    dataset = read_info(path.parent)
    episode = read_episode(dataset, _number(path))
    is_l2d = L2D_VEHICLE in episode.columns and L2D_ACTION in episode.columns
    notes: list[str] = []
    signals, ranges = _l2d(dataset, episode, notes) if is_l2d else _named(dataset, episode), Ranges()
    if not signals:
        signals, ranges = robot_columns(dataset, episode, read_stats(dataset.root), notes)
    if not signals:
        notes.append("no signal of a car or a robot is in the dataset: pictures only")
    telemetry = Telemetry.merge({name: (episode.t_ns, values) for name, values in signals.items()})
    cameras = _cameras(dataset, episode)
    return Drive(
        id=f"{NAME}-{episode.digest[:12]}-{episode.number:06d}",
        recorder=NAME,
        source=path,
        t0_ns=0,
        telemetry=telemetry,
        cameras=cameras,
        engagement="driven by people throughout" if is_l2d else "",
        static={"features": dataset.names, "robot_type": dataset.robot_type, "tasks": episode.tasks}
        | ({"ranges": {name: list(span) for name, span in ranges.items()}} if ranges else {}),
        lost=(*episode.lost, *(line for camera in cameras.values() for line in camera.lost)),
        notes=(*notes, *findings(telemetry)),
    )


def _number(path: Path) -> int:
    found = EPISODE.fullmatch(path.name)
    return int(found[1]) if found else 0


def _named(dataset: Dataset, episode: Episode) -> dict[str, Values]:
    """Features that are named as signals are; a robot's columns are fractions only where swerve wrote them."""
    signals: dict[str, Values] = {}
    ours = not episode.columns.keys().isdisjoint(MASKS.values())
    for feature, values in episode.columns.items():
        for i, name in enumerate(dataset.names[feature][: values.shape[1]]):
            known = feature not in MASKS.values() and (signal_named(name) if ours else SIGNALS.get(name))
            if known and name not in signals:
                signals[name] = np.where(np.isfinite(values[:, i]), values[:, i], np.nan)
                _mask(signals, name, episode, feature, i)
    return signals


def _mask(signals: dict[str, Values], column: str, episode: Episode, feature: str, i: int) -> None:
    """Values that the export filled in are none; who moved a control is known only where a human did."""
    mask = episode.columns.get(MASKS.get(feature, ""))
    if mask is None or i >= mask.shape[1]:
        return
    known = mask[:, i] > 0.5
    signals[column] = np.where(known | (signals[column] != 0), signals[column], np.nan)
    if feature == "action":
        axis = next(source for source, names in controls_of([column]).items() if column in names)
        human = known | (signals.get(axis, np.zeros(known.size)) == ControlSource.HUMAN)
        signals[axis] = np.where(human, float(ControlSource.HUMAN), float(ControlSource.UNKNOWN))


def _l2d(dataset: Dataset, episode: Episode, notes: list[str]) -> dict[str, Values]:
    notes.append(L2D_LEFT_OUT)
    signals: dict[str, Values] = {}
    for (feature, name), signal in L2D.items():
        values = _element(dataset, episode, feature, name)
        if values is None:
            notes.append(f"{signal} is absent: {feature} has no {name}")
        elif signal.endswith("_fraction") and (
            np.nanmin(values, initial=0.0) < 0 or np.nanmax(values, initial=0.0) > 1
        ):
            notes.append(f"{signal} is left out: it lies outside 0 to 1")
        else:
            signals[signal] = values
    speed = _element(dataset, episode, L2D_VEHICLE, "speed")
    if speed is not None and {"lat_deg", "lon_deg"} <= signals.keys():
        factor = _speed_factor(episode.t_ns, speed, signals["lat_deg"], signals["lon_deg"])
        if factor is None:
            notes.append("speed is left out: L2D states no unit, and the change of position fits neither km/h nor m/s")
        else:
            signals["speed_mps"] = speed * factor
    human = np.full(episode.t_ns.size, float(ControlSource.HUMAN))
    return signals | {"control_source_steering": human, "control_source_speed": human}


def _element(dataset: Dataset, episode: Episode, feature: str, name: str) -> Values | None:
    names, values = dataset.names[feature], episode.columns[feature]
    if name not in names[: values.shape[1]]:
        return None
    column = values[:, names.index(name)]
    return np.where(np.isfinite(column), column, np.nan)


def _speed_factor(t_ns: Times, speed: Values, lat_deg: Values, lon_deg: Values) -> float | None:
    """From the speed's unit to m/s, by comparing its sum with the way between positions a second apart."""
    marks = np.unique(np.searchsorted(t_ns, np.arange(t_ns[0], t_ns[-1] + 1, 1_000_000_000)))
    north = np.diff(lat_deg[marks]) * EARTH_M_PER_DEG
    east = np.diff(lon_deg[marks]) * EARTH_M_PER_DEG * np.cos(np.radians(lat_deg[marks[:-1]]))
    way_m = float(np.hypot(north, east).sum())
    summed = float((speed[:-1] * np.diff(t_ns) / 1e9)[: marks[-1]].sum())
    if not way_m >= MIN_PATH_M or not np.isfinite(summed):
        return None
    ratio = summed / way_m
    known = {1.0: 1.0, 3.6: 1 / 3.6}
    return next((f for r, f in known.items() if abs(ratio / r - 1) <= UNIT_TOLERANCE), None)


def _cameras(dataset: Dataset, episode: Episode) -> dict[str, Camera]:
    cameras: dict[str, Camera] = {}
    for key in dataset.videos:
        name = re.sub(r"[^A-Za-z0-9_-]", "_", key.removeprefix("observation.images.").removeprefix("observation."))
        try:
            where = {n: int(episode.row[f"videos/{key}/{n}"]) for n in ("chunk_index", "file_index")}
            path = dataset.file(dataset.video_path, video_key=key, **where)
            begin_ns = round(float(episode.row[f"videos/{key}/from_timestamp"]) * 1e9)
            half_ns = round(5e8 / dataset.fps)
            end_ns = round(int(episode.row["length"]) * 1e9 / dataset.fps) - half_ns
            video = VideoFile(path, t0_ns=-begin_ns, window_ns=(-half_ns, end_ns))
            shown = len(video.frame_times())
        except (*DAMAGE, DriveError) as error:
            got = error.got if isinstance(error, DriveError) else str(error)
            episode.lost.append(f"camera {name}: {got}")
            continue
        if shown < int(episode.row["length"]):
            episode.lost.append(f"camera {name}: {shown} of {int(episode.row['length'])} frames are in {path.name}")
        if shown:
            cameras[name] = video
    episode.lost += [f"{key}: pictures inside Parquet are not read" for key in dataset.pictures]
    return cameras
