"""Drives to a LeRobotDataset v3.0, one episode a drive.

LeRobot knows one constant rate, so pictures and signals are told at start + k / fps: the last picture, and the last
sample not older than 1 s, at or before each time. Video is encoded again (H.264), a file an episode and camera.

Features:
- `observation.images.<camera>`: the cameras that the first drive has; all drives must have them in one size.
- `action`: the steering signals, gas, brake and robot's actions that any drive has, named and in the units of
  `trigger.signals`.
- `observation.state`: the other numbers and flags, without position.
- `action.is_human`, `observation.is_known`: LeRobot holds no missing value. What was not recorded is 0 and False here;
  a control is human only where the drive says that a human moved it. Train on those.

- What the caller adds (`Extra`), such as weights of a dataset version.

It leaves out position, the control source beyond "human", and what a drive recorded before its first or after its last
picture. The folder appears whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from edge.drive import Drive
from edge.durable import new_folder
from edge.errors import DriveError
from edge.video.camera import Camera
from edge.video.encode import Encoding, encode
from trigger.signals import POSITION, ControlSource, controls_of, signals_named
from trigger.telemetry import Times

TASK = "Drive as a human would."
CHUNK = "chunk-{chunk_index:03d}/file-{file_index:03d}"
DATA, VIDEO, EPISODES = f"data/{CHUNK}.parquet", f"videos/{{video_key}}/{CHUNK}.mp4", f"meta/episodes/{CHUNK}.parquet"
FILES_A_CHUNK = 1000
MAX_AGE_S = 1.0
KEY_EVERY = 10
SAMPLED_PICTURES = 100
"""Pictures an episode whose pixels enter the statistics."""
QUANTILES = (0.01, 0.10, 0.50, 0.90, 0.99)
BOOKKEEPING = {"timestamp": "float32", "frame_index": "int64", "episode_index": "int64", "index": "int64"} | {
    "task_index": "int64"
}

Columns = dict[str, NDArray[Any]]
Stats = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Extra:
    """A feature that no drive has. `at` gives its values (N, len(names)) at N times of the drive of that number."""

    name: str
    dtype: str
    names: tuple[str, ...]
    at: Callable[[int, Times], NDArray[Any]]


def export_lerobot(drives: Sequence[Drive], out: Path, fps: int = 10, extras: Sequence[Extra] = ()) -> None:
    """Write the drives to the new folder `out`.

    Args:
        fps: pictures and rows a second.
        extras: further features.

    Raises:
        DriveError: no drive, nothing to show, cameras that differ, or `out` exists.
    """
    if out.exists():
        raise DriveError(f"{out} exists", "a new folder", "choose another name or remove it")
    plan = _plan(drives, fps, extras)
    with new_folder(out) as folder:
        episodes: list[dict[str, Any]] = []
        samples: dict[str, list[NDArray[Any]]] = {}
        for number, drive in enumerate(drives):
            first = sum(episode["length"] for episode in episodes)
            columns, pixels = _write_episode(folder, plan, number, drive, first)
            episodes.append(_episode_row(plan, number, first, len(columns["index"]), columns, pixels))
            for name, values in (columns | pixels).items():
                samples.setdefault(name, []).append(values)
        _write_meta(folder, plan, episodes, _stats({k: np.concatenate(v) for k, v in samples.items()}))


@dataclass(frozen=True)
class _Plan:
    """What every episode holds. `cameras`: name to (width, height) in pixels, both even."""

    fps: int
    cameras: Mapping[str, tuple[int, int]]
    actions: tuple[str, ...]
    states: tuple[str, ...]
    extras: tuple[Extra, ...] = ()

    @property
    def features(self) -> dict[str, dict[str, Any]]:
        """As in `meta/info.json`."""
        found: dict[str, dict[str, Any]] = {}
        for name, (width, height) in self.cameras.items():
            video = {"video.height": height, "video.width": width, "video.codec": "h264", "video.pix_fmt": "yuv420p"}
            video |= {"video.is_depth_map": False, "video.fps": self.fps, "video.channels": 3, "has_audio": False}
            shape, names = [height, width, 3], ["height", "width", "channels"]
            found[_key(name)] = {"dtype": "video", "shape": shape, "names": names, "info": video}
        for values, mask, names in (
            ("observation.state", "observation.is_known", list(self.states)),
            ("action", "action.is_human", list(self.actions)),
        ):
            if names:
                found[values] = {"dtype": "float32", "shape": [len(names)], "names": names}
                found[mask] = {"dtype": "bool", "shape": [len(names)], "names": names}
        for extra in self.extras:
            found[extra.name] = {"dtype": extra.dtype, "shape": [len(extra.names)], "names": list(extra.names)}
        return found | {k: {"dtype": kind, "shape": [1], "names": None} for k, kind in BOOKKEEPING.items()}


def _key(camera: str) -> str:
    return f"observation.images.{camera}"


def _plan(drives: Sequence[Drive], fps: int, extras: Sequence[Extra]) -> _Plan:
    if not drives or not 1 <= fps <= 240:
        raise DriveError(f"{len(drives)} drives at {fps} pictures a second", "at least one, 1 to 240", "name drives")
    cameras = {name: _even(camera) for name, camera in drives[0].cameras.items()}
    if not cameras:
        raise DriveError(f"{drives[0].id} has no camera", "one at least", "leave it out")
    for drive in drives:
        for name, size in cameras.items():
            found = _even(drive.cameras[name]) if name in drive.cameras else None
            if found != size:
                got = f"camera {name} of {drive.id} is {found[0]}x{found[1]}" if found else f"{drive.id} has no {name}"
                raise DriveError(got, f"{size[0]}x{size[1]} in every drive", "export drives of one car at a time")
    present = {name for drive in drives for name in drive.telemetry}
    told = [signal.name for signal in signals_named(present) if signal.kind in ("number", "flag")]
    moved = {name for names in controls_of(present).values() for name in names}
    actions = tuple(name for name in told if name in moved)
    states = tuple(name for name in told if name not in {*moved, *POSITION})
    return _Plan(fps, cameras, actions, states, tuple(extras))


def _even(camera: Camera) -> tuple[int, int]:
    width, height = camera.size
    return width // 2 * 2, height // 2 * 2


def _write_episode(folder: Path, plan: _Plan, number: int, drive: Drive, first: int) -> tuple[Columns, Columns]:
    """Write one drive's rows and videos; returns its columns, and sampled pixels (N, 3) in 0 to 1 by feature."""
    grid = _grid(drive, plan)
    columns = _columns(drive, plan, grid) | {
        "timestamp": (np.arange(grid.size) / plan.fps).astype(np.float32),
        "frame_index": np.arange(grid.size),
        "episode_index": np.full(grid.size, number),
        "index": first + np.arange(grid.size),
        "task_index": np.zeros(grid.size, np.int64),
        **{extra.name: extra.at(number, grid).astype(extra.dtype) for extra in plan.extras},
    }
    path = _file(folder, DATA, number)
    pq.write_table(pa.table({name: _arrow(values) for name, values in columns.items()}), path)
    pixels: Columns = {}
    for name in plan.cameras:
        kept: list[NDArray[np.float64]] = []
        shown = _sampled(_at_rate(drive, name, grid), kept, max(1, grid.size // SAMPLED_PICTURES))
        times = ((round(k * 1e9 / plan.fps), frame) for k, frame in enumerate(shown))
        encode(_file(folder, VIDEO, number, video_key=_key(name)), times, Encoding(key_every=KEY_EVERY))
        pixels[_key(name)] = np.concatenate(kept)
    return columns, pixels


def _grid(drive: Drive, plan: _Plan) -> Times:
    """Times at the constant rate for which every camera has a picture, int64 ns."""
    seen = [drive.cameras[name].frame_times() for name in plan.cameras]
    if not all(len(t) for t in seen):
        raise DriveError(f"a camera of {drive.id} has no picture", "one at least", "leave the drive out")
    start, end = max(int(t[0]) for t in seen), min(int(t[-1]) for t in seen)
    if end < start:
        raise DriveError(f"the cameras of {drive.id} never see at one time", "a common stretch", "leave the drive out")
    return start + np.round(np.arange((end - start) * plan.fps // 1_000_000_000 + 1) * (1e9 / plan.fps)).astype(
        np.int64
    )


def _columns(drive: Drive, plan: _Plan, grid: Times) -> Columns:
    columns: Columns = {}
    for feature, mask, names in (
        ("observation.state", "observation.is_known", plan.states),
        ("action", "action.is_human", plan.actions),
    ):
        if names:
            values = np.stack([drive.telemetry.at(name, grid, MAX_AGE_S) for name in names], axis=1)
            known = ~np.isnan(values)
            columns[feature] = np.where(known, values, 0.0).astype(np.float32)
            columns[mask] = known
            if feature == "action":
                columns[mask] &= np.stack([_human(drive, name, grid) for name in names], axis=1)
    return columns


def _human(drive: Drive, name: str, grid: Times) -> NDArray[np.bool_]:
    """Where a human moved this control."""
    axis = next(source for source, names in controls_of([name]).items() if name in names)
    return np.asarray(drive.telemetry.at(axis, grid, MAX_AGE_S) == ControlSource.HUMAN)


def _arrow(values: NDArray[Any]) -> pa.Array:
    """LeRobot keeps a feature of one element as a plain number, others as lists of one length."""
    if values.ndim == 1 or values.shape[1] == 1:
        return pa.array(values.reshape(-1))
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])


def _at_rate(drive: Drive, name: str, grid: Times) -> Iterator[VideoFrame]:
    """For each time the last picture at or before it."""
    frames = drive.cameras[name].frames(end_ns=int(grid[-1]) + 1)
    shown: VideoFrame | None = None
    upcoming = next(frames, None)
    for t_ns in grid.tolist():
        while upcoming is not None and upcoming[0] <= t_ns:
            shown, upcoming = upcoming[1], next(frames, None)
        if shown is None:
            raise DriveError(f"camera {name} of {drive.id} cannot be decoded", "a picture", "leave the drive out")
        yield shown


def _sampled(frames: Iterable[VideoFrame], kept: list[NDArray[np.float64]], every: int) -> Iterator[VideoFrame]:
    """The frames unchanged; every so many, some of their pixels are kept."""
    for k, frame in enumerate(frames):
        if k % every == 0:
            kept.append(np.asarray(frame.to_ndarray(format="rgb24")[::8, ::8].reshape(-1, 3), np.float64) / 255.0)
        yield frame


def _file(folder: Path, template: str, number: int, **names: str) -> Path:
    chunk, file = divmod(number, FILES_A_CHUNK)
    path = folder / template.format(chunk_index=chunk, file_index=file, **names)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _episode_row(
    plan: _Plan, number: int, first: int, length: int, columns: Columns, pixels: Columns
) -> dict[str, Any]:
    where = dict(zip(("chunk_index", "file_index"), divmod(number, FILES_A_CHUNK), strict=True))
    row: dict[str, Any] = {"episode_index": number, "tasks": [TASK], "length": length}
    row |= {"dataset_from_index": first, "dataset_to_index": first + length}
    row |= {f"data/{k}": v for k, v in where.items()}
    row |= {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}
    span = {"from_timestamp": 0.0, "to_timestamp": length / plan.fps}
    for name in plan.cameras:
        row |= {f"videos/{_key(name)}/{k}": v for k, v in (where | span).items()}
    stats = _stats(columns | pixels)
    return row | {f"stats/{name}/{k}": v for name, of in stats.items() for k, v in of.items()}


def _stats(columns: Columns) -> Stats:
    """Of each feature by element; of pictures by colour, in LeRobot's shape (3, 1, 1)."""
    found: Stats = {}
    for name, values in columns.items():
        numbers = np.asarray(values, np.float64).reshape(len(values), -1)
        rows = {k: getattr(numbers, k)(axis=0) for k in ("min", "max", "mean", "std")}
        rows |= {f"q{round(q * 100):02d}": np.quantile(numbers, q, axis=0) for q in QUANTILES}
        picture = name.startswith("observation.images.")
        found[name] = {k: (v.reshape(-1, 1, 1) if picture else v).tolist() for k, v in rows.items()}
        found[name]["count"] = [len(numbers)]
    return found


def _write_meta(folder: Path, plan: _Plan, episodes: Sequence[dict[str, Any]], stats: Stats) -> None:
    info = {
        "codebase_version": "v3.0",
        "robot_type": "car",
        "total_episodes": len(episodes),
        "total_frames": sum(episode["length"] for episode in episodes),
        "total_tasks": 1,
        "chunks_size": FILES_A_CHUNK,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": plan.fps,
        "splits": {"train": f"0:{len(episodes)}"},
        "data_path": DATA,
        "video_path": VIDEO,
        "features": plan.features,
    }
    pq.write_table(pa.Table.from_pylist(list(episodes)), _file(folder, EPISODES, 0))
    (folder / "meta" / "info.json").write_text(json.dumps(info, indent=2))
    (folder / "meta" / "stats.json").write_text(json.dumps(stats, indent=2, allow_nan=False))
    pq.write_table(_tasks(), folder / "meta" / "tasks.parquet")


def _tasks() -> pa.Table:
    """One task; its text is the index of a pandas table, which is how LeRobot looks tasks up."""
    table = pa.table({"task_index": pa.array([0], pa.int64()), "__index_level_0__": pa.array([TASK])})
    column = {"metadata": None, "numpy_type": "object", "pandas_type": "unicode"}
    pandas = {
        "index_columns": ["__index_level_0__"],
        "column_indexes": [column | {"name": None, "field_name": None, "metadata": {"encoding": "UTF-8"}}],
        "columns": [
            {"name": "task_index", "field_name": "task_index"}
            | {"pandas_type": "int64", "numpy_type": "int64", "metadata": None},
            column | {"name": None, "field_name": "__index_level_0__"},
        ],
        "pandas_version": "2.0.0",
    }
    return table.replace_schema_metadata({"pandas": json.dumps(pandas)})
