"""Reading a LeRobotDataset v3.0: `meta/info.json`, `meta/stats.json`, `meta/episodes` and `data`, which episodes share.

An episode's rows are those of its number in the data file that its row in `meta/episodes` names. Rows whose
`frame_index` lies outside the episode, or comes twice, are damaged and left out; features that should be there and are
not are said. What the numbers mean is left to the recorder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from edge.errors import DriveError
from trigger.telemetry import Times

INFO, STATS = Path("meta", "info.json"), Path("meta", "stats.json")
MAX_JSON_BYTES = 1 << 24
MAX_FRAMES = 100_000_000
"""More frames than any episode has: damage."""
ROW_NUMBERS = ("timestamp", "frame_index", "episode_index", "index", "task_index")
"""What every dataset has in each row besides what was recorded."""
DAMAGE = (pa.ArrowException, OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError)


@dataclass(frozen=True)
class Dataset:
    """What `meta/info.json` says.

    Attributes:
        names: feature to the names of its elements, which may be none.
        numbers, videos, pictures: features by what they are.
    """

    root: Path
    fps: float
    data_path: str
    video_path: str
    robot_type: str
    names: dict[str, list[str]]
    numbers: list[str]
    videos: list[str]
    pictures: list[str]

    def file(self, template: str, **values: Any) -> Path:
        """A file of the dataset; never one outside of it."""
        path = (self.root / template.format(**values)).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise ValueError(f"{template} leads out of the dataset")
        return path


@dataclass
class Episode:
    """One episode's rows in order of time. `columns`: feature to (N, K) float64."""

    number: int
    t_ns: Times
    row: dict[str, Any]
    columns: dict[str, NDArray[np.float64]]
    tasks: list[str]
    digest: str
    lost: list[str] = field(default_factory=list)


def total_episodes(root: Path) -> int:
    """How many episodes there are; 0 where that cannot be read, so that opening says why."""
    try:
        total = int(_json(root / INFO)["total_episodes"])
        return total if 0 <= total <= 10_000_000 else 0
    except (*DAMAGE, RecursionError):
        return 0


def read_info(root: Path) -> Dataset:
    """Raises DriveError for anything but a dataset of version 3."""
    try:
        data = _json(root / INFO)
        version, features = str(data["codebase_version"]), data["features"]
        fps = float(data["fps"])
        if not 0.1 <= fps <= 1000:
            raise ValueError(f"fps is {fps}")
        names = {str(key): _names(feature) for key, feature in features.items()}
        kinds = {str(key): _kind(feature) for key, feature in features.items() if key not in ROW_NUMBERS}
        paths = str(data["data_path"]), str(data.get("video_path") or "")
        robot = str(data.get("robot_type") or "")
    except (*DAMAGE, RecursionError) as error:
        raise DriveError(f"{root / INFO} is damaged: {error}", "a LeRobotDataset v3.0", "copy it again") from error
    if not version.startswith("v3."):
        raise DriveError(
            f"{root} is a LeRobotDataset {version}", "v3.0", "convert it with lerobot's convert_dataset_v21_to_v30"
        )
    of_kind = {kind: [key for key, k in kinds.items() if k == kind] for kind in ("number", "video", "image")}
    return Dataset(root, fps, *paths, robot, names, of_kind["number"], of_kind["video"], of_kind["image"])


def read_stats(root: Path) -> dict[str, Any]:
    """`meta/stats.json`, empty where there is none that can be read."""
    try:
        found = _json(root / STATS)
    except (*DAMAGE, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read_episode(dataset: Dataset, number: int) -> Episode:
    """Raises DriveError where its row or its data cannot be read."""
    try:
        return _read_episode(dataset, number)
    except DAMAGE as error:
        why = (str(error) or repr(error)).splitlines()[0]
        raise DriveError(
            f"{dataset.root}: episode {number} cannot be read ({why})",
            "its row in meta/episodes and its rows in data",
            "copy the dataset again",
        ) from error


def _read_episode(dataset: Dataset, number: int) -> Episode:
    row = _episode_row(dataset, number)
    where = {name: int(row[f"data/{name}"]) for name in ("chunk_index", "file_index")}
    path, length = dataset.file(dataset.data_path, **where), int(row["length"])
    if not 0 < length <= MAX_FRAMES:
        raise ValueError(f"it is said to have {length} frames")
    table = _rows(path, number, lambda name: name == "frame_index" or name in dataset.numbers)
    numbered = table.column("frame_index")
    if numbered.null_count or not pa.types.is_integer(numbered.type):
        raise ValueError(f"{path.name} has rows without a frame_index")
    index, kept = np.unique(numbered.to_numpy().astype(np.int64), return_index=True)
    inside = (index >= 0) & (index < length)
    index, kept = index[inside], kept[inside]
    if not index.size:
        raise ValueError(f"{path.name} holds none of its {length} rows")
    lost = [] if index.size == length else [f"{path.name}: {index.size} of {length} rows are there"]
    columns = {}
    for name in dataset.numbers:
        values = _numbers(table.column(name)) if name in table.column_names else None
        if values is None:
            lost.append(f"{path.name}: {name} is absent, or not of numbers")
        else:
            columns[name] = values[kept]
    digest = hashlib.sha256(index.tobytes() + repr(dataset.fps).encode())
    for name in sorted(columns):
        digest.update(name.encode() + columns[name].tobytes())
    t_ns = np.asarray(np.round(index * (1e9 / dataset.fps)), np.int64)
    return Episode(number, t_ns, row, columns, [str(t) for t in row.get("tasks") or []], digest.hexdigest(), lost)


def _episode_row(dataset: Dataset, number: int) -> dict[str, Any]:
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


def _kind(feature: dict[str, Any]) -> str:
    """number: in one dimension. Pictures and texts are told by their dtype."""
    dtype = str(feature["dtype"])
    if dtype in ("video", "image"):
        return dtype
    flat = isinstance(feature.get("shape"), list) and len(feature["shape"]) == 1
    return "number" if flat and dtype.startswith(("float", "int", "uint", "bool")) else "other"


def _names(feature: dict[str, Any]) -> list[str]:
    """Names of a feature's elements; they are a list, or the one list of an object, or absent."""
    names = feature.get("names")
    if isinstance(names, dict):
        names = next(iter(names.values()), None)
    return [str(name) for name in names] if isinstance(names, list) else []


def _json(path: Path) -> Any:
    return json.loads(path.read_bytes()[:MAX_JSON_BYTES])
