"""LeRobotDataset v3.0: `meta/info.json`, `meta/episodes`, `data` and `videos` in files that many episodes share.

A drive is an episode. It lies in no folder of its own, so it is named by the dataset's folder and its number,
`DATASET/episode_000012`: nothing of that name is on disk. Its clock begins at its first frame: t = frame_index / fps,
and a frame's time in the video file is from_timestamp + t.

Signals: features whose `names` are names of `trigger.signals` (what `edge.export_lerobot` writes); and those of Yaak's
L2D: position, gas and brake (gas_pedal_normalized, brake_pedal_normalized, used where they lie in 0 to 1) and speed,
whose unit L2D does not state: it is measured against the change of position, and speed is left out where that fits
neither km/h nor m/s. Of L2D are left out, because nothing documents sign or unit: steering_angle_normalized, heading,
acceleration_x and _y, gear and turn_signal. L2D was driven by people: driving instructors and learners.

A robot's dataset has no signal of a car; its cameras are given and the names of its features kept in `static`.

Not read: pictures stored inside Parquet (dtype image), depth, versions before 3.0. An episode indexes the whole of the
video files it lies in.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from edge.camera import Camera, VideoFile
from edge.drive import Drive
from edge.errors import DriveError
from trigger.plausible import findings
from trigger.signals import SIGNALS, ControlSource
from trigger.telemetry import Telemetry, Times, Values

NAME = "lerobot"
GIVES = "cameras, an episode a drive; signals named as swerve names them; of L2D speed, position, gas and brake"
LACKS = "L2D's steering and heading (no sign is documented), engagement, pictures inside Parquet, versions before 3.0"
INFO = Path("meta", "info.json")
EPISODE = re.compile(r"episode_(\d{6,})")
MAX_INFO_BYTES = 1 << 24
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
"""What `edge.export_lerobot` writes beside values, to tell those it had from those it filled with 0."""
MIN_PATH_M = 50.0
EARTH_M_PER_DEG = 111_195.0
UNIT_TOLERANCE = 0.2
DAMAGE = (pa.ArrowException, OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError)


def matches(path: Path) -> list[Path]:
    """All episodes of a dataset, or the one that is named."""
    if EPISODE.fullmatch(path.name) and (path.parent / INFO).is_file():
        number, total = _number(path), _total(path.parent)
        return [path] if number < total else []
    if not (path / INFO).is_file():
        return []
    return [path / f"episode_{number:06d}" for number in range(_total(path))] or [path]


def open(path: Path) -> Drive:
    """Open an episode, `DATASET/episode_000012`."""
    if not EPISODE.fullmatch(path.name):
        _read_info(path)
        raise DriveError(f"{path} holds no episode", "at least one (total_episodes)", "copy the dataset again")
    dataset = _read_info(path.parent)
    try:
        episode = _read_episode(dataset, _number(path))
    except DAMAGE as error:
        why = (str(error) or repr(error)).splitlines()[0]
        raise DriveError(
            f"{path.parent}: episode {_number(path)} cannot be read ({why})",
            "its row in meta/episodes and its rows in data",
            "copy the dataset again",
        ) from error
    is_l2d = L2D_VEHICLE in episode.columns and L2D_ACTION in episode.columns
    notes: list[str] = []
    telemetry = Telemetry.merge({name: (episode.t_ns, v) for name, v in _signals(dataset, episode, notes).items()})
    if not telemetry.columns:
        notes.append("no signal of a car is in the dataset: pictures only")
    cameras = _cameras(dataset, episode)
    return Drive(
        id=f"{NAME}-{episode.digest[:12]}-{episode.number:06d}",
        recorder=NAME,
        source=path,
        t0_ns=0,
        telemetry=telemetry,
        cameras=cameras,
        engagement="driven by people throughout" if is_l2d else "",
        static={"features": dataset.names, "robot_type": dataset.robot_type, "tasks": episode.tasks},
        lost=(*episode.lost, *(line for camera in cameras.values() for line in camera.lost)),
        notes=(*notes, *findings(telemetry)),
    )


@dataclass(frozen=True)
class _Dataset:
    """What `meta/info.json` says. `names`: feature to the names of its elements; `videos`: features that are videos."""

    root: Path
    fps: float
    data_path: str
    video_path: str
    robot_type: str
    names: dict[str, list[str]]
    videos: list[str]
    pictures: list[str]

    def file(self, template: str, **values: Any) -> Path:
        """A file of the dataset; never one outside of it."""
        path = (self.root / template.format(**values)).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise ValueError(f"{template} leads out of the dataset")
        return path


def _number(path: Path) -> int:
    found = EPISODE.fullmatch(path.name)
    return int(found[1]) if found else 0


def _total(root: Path) -> int:
    """How many episodes there are; 0 where that cannot be read, so that opening says why."""
    try:
        total = json.loads((root / INFO).read_bytes()[:MAX_INFO_BYTES])["total_episodes"]
        return int(total) if 0 <= int(total) <= 10_000_000 else 0
    except DAMAGE:
        return 0


def _read_info(root: Path) -> _Dataset:
    try:
        data = json.loads((root / INFO).read_bytes()[:MAX_INFO_BYTES])
        version, features = str(data["codebase_version"]), data["features"]
        fps = float(data["fps"])
        if not 0.1 <= fps <= 1000:
            raise ValueError(f"fps is {fps}")
        names = {str(key): _names(feature) for key, feature in features.items()}
        of_kind = {kind: [k for k, f in features.items() if f["dtype"] == kind] for kind in ("video", "image")}
        paths = str(data["data_path"]), str(data.get("video_path") or "")
        robot = str(data.get("robot_type") or "")
    except (*DAMAGE, RecursionError) as error:
        raise DriveError(f"{root / INFO} is damaged: {error}", "a LeRobotDataset v3.0", "copy it again") from error
    if not version.startswith("v3."):
        raise DriveError(
            f"{root} is a LeRobotDataset {version}", "v3.0", "convert it with lerobot's convert_dataset_v21_to_v30"
        )
    return _Dataset(root, fps, *paths, robot, names, of_kind["video"], of_kind["image"])


def _names(feature: dict[str, Any]) -> list[str]:
    """Names of a feature's elements; they are a list, or the one list of an object, or absent."""
    names = feature.get("names")
    if isinstance(names, dict):
        names = next(iter(names.values()), None)
    return [str(name) for name in names] if isinstance(names, list) else []


@dataclass
class _Episode:
    """One episode's rows. `columns`: feature to (N, K) float64, for features of numbers in one dimension."""

    number: int
    t_ns: Times
    row: dict[str, Any]
    columns: dict[str, NDArray[np.float64]]
    tasks: list[str]
    digest: str
    lost: list[str] = field(default_factory=list)


def _read_episode(dataset: _Dataset, number: int) -> _Episode:
    row = _episode_row(dataset, number)
    path = dataset.file(
        dataset.data_path, chunk_index=int(row["data/chunk_index"]), file_index=int(row["data/file_index"])
    )
    aside = {"frame_index", "episode_index", *dataset.videos, *dataset.pictures}
    wanted = [name for name in dataset.names if name not in aside]
    table = _rows(path, number, lambda name: name == "frame_index" or name in wanted)
    index = np.asarray(table.column("frame_index").to_numpy(), np.int64)
    order = np.argsort(index, kind="stable")
    length = int(row["length"])
    lost = [] if len(order) == length else [f"{path.name}: {len(order)} of {length} rows are there"]
    if not len(order) or length > 100_000_000:
        raise ValueError(f"{path.name} holds none of its {length} rows")
    numbers = {name: _numbers(table.column(name)) for name in table.column_names if name in wanted}
    digest = hashlib.sha256(index.tobytes() + repr(dataset.fps).encode())
    for name in sorted(numbers):
        values = numbers[name]
        if values is not None and len(values) == len(order):
            digest.update(name.encode() + values.tobytes())
    kept = {k: v[order] for k, v in numbers.items() if v is not None and len(v) == len(order) and dataset.names[k]}
    t_ns = np.asarray(np.round(index[order] * (1e9 / dataset.fps)), np.int64)
    return _Episode(number, t_ns, row, kept, [str(t) for t in row.get("tasks") or []], digest.hexdigest(), lost)


def _episode_row(dataset: _Dataset, number: int) -> dict[str, Any]:
    """The episode's row of `meta/episodes`, without its statistics."""
    for path in sorted((dataset.root / "meta" / "episodes").glob("*/*.parquet")):
        table = _rows(path, number, lambda name: not name.startswith("stats/"))
        if table.num_rows:
            return dict(table.slice(0, 1).to_pylist()[0])
    raise KeyError(f"no row for episode {number} in meta/episodes")


def _rows(path: Path, episode: int, wanted: Callable[[str], bool]) -> pa.Table:
    """An episode's rows of a file. Not `pq.read_table`, which never returns on some damaged files."""
    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        table = file.read([n for n in names if n == "episode_index" or wanted(n)], use_threads=False)
    table.validate(full=True)
    return table.filter(np.asarray(table.column("episode_index")) == episode)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64] | None:
    """(N, K) of a column of numbers or of lists of K numbers; None for anything else."""
    rows = len(column)
    kind = column.type
    array = column.combine_chunks()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        array, kind = array.flatten(), kind.value_type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        return None
    values = np.asarray(array.to_numpy(zero_copy_only=False), np.float64)
    return values.reshape(rows, -1) if rows and values.size % rows == 0 else None


def _signals(dataset: _Dataset, episode: _Episode, notes: list[str]) -> dict[str, Values]:
    signals: dict[str, Values] = {}
    is_l2d = L2D_VEHICLE in episode.columns and L2D_ACTION in episode.columns
    for feature, values in episode.columns.items():
        if feature in MASKS.values():
            continue
        for i, name in enumerate(dataset.names[feature][: values.shape[1]]):
            column = L2D.get((feature, name)) if is_l2d else name if name in SIGNALS else None
            if column is not None and column not in signals:
                signals[column] = np.where(np.isfinite(values[:, i]), values[:, i], np.nan)
                _mask(signals, column, episode, feature, i)
    if is_l2d:
        _l2d(dataset, episode, signals, notes)
    return signals


def _mask(signals: dict[str, Values], column: str, episode: _Episode, feature: str, i: int) -> None:
    """Values that the export filled in are none; who moved a control is known only where a human did."""
    mask = episode.columns.get(MASKS.get(feature, ""))
    if mask is None or i >= mask.shape[1]:
        return
    known = mask[:, i] > 0.5
    signals[column] = np.where(known | (signals[column] != 0), signals[column], np.nan)
    if feature == "action":
        axis = "control_source_steering" if column.startswith("steering") else "control_source_speed"
        human = known | (signals.get(axis, np.zeros(known.size)) == ControlSource.HUMAN)
        signals[axis] = np.where(human, float(ControlSource.HUMAN), float(ControlSource.UNKNOWN))


def _l2d(dataset: _Dataset, episode: _Episode, signals: dict[str, Values], notes: list[str]) -> None:
    notes.append(L2D_LEFT_OUT)
    for name in ("gas_fraction", "brake_fraction"):
        values = signals.get(name)
        if values is not None and (np.nanmin(values, initial=0.0) < 0 or np.nanmax(values, initial=0.0) > 1):
            del signals[name]
            notes.append(f"{name} is left out: it lies outside 0 to 1")
    names = dataset.names[L2D_VEHICLE]
    if "speed" in names and {"lat_deg", "lon_deg"} <= signals.keys():
        speed = episode.columns[L2D_VEHICLE][:, names.index("speed")]
        factor = _speed_factor(episode.t_ns, speed, signals["lat_deg"], signals["lon_deg"])
        if factor is None:
            notes.append("speed is left out: L2D states no unit, and the change of position fits neither km/h nor m/s")
        else:
            signals["speed_mps"] = speed * factor
    for axis in ("control_source_steering", "control_source_speed"):
        signals[axis] = np.full(episode.t_ns.size, float(ControlSource.HUMAN))


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


def _cameras(dataset: _Dataset, episode: _Episode) -> dict[str, Camera]:
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
