"""A LeRobotDataset v3.0: one data file and one video for all episodes."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from edge.recorders import lerobot
from edge.video.encode import Encoding, encode
from makers.picture import picture

FPS = 10
CAMERA = "observation.images.front_left"
L2D_FEATURES = {
    "observation.state.vehicle": [
        *("speed", "heading", "heading_error", "hp_loc_latitude", "hp_loc_longitude", "hp_loc_altitude"),
        *("acceleration_x", "acceleration_y"),
    ],
    "action.continuous": ["gas_pedal_normalized", "brake_pedal_normalized", "steering_angle_normalized"],
}


def l2d_row(i, kmh=36.0, gas=0.25):
    """Due north at `kmh`."""
    vehicle = [kmh, 0.0, 0.0, 52.0 + i * 1.0 / lerobot.EARTH_M_PER_DEG, 13.0, 40.0, 0.1, 0.2]
    return {"observation.state.vehicle": vehicle, "action.continuous": [gas, 0.0, 0.1]}


def _stats(rows):
    """Of each element over the whole dataset, as LeRobot writes them."""
    ends = {"min": 0, "q01": 1, "q99": 99, "max": 100}
    return {name: np.percentile(np.array(rows, float), percent, axis=0).tolist() for name, percent in ends.items()}


def write_dataset(root, lengths=(100, 120, 80), features=L2D_FEATURES, row=l2d_row, axes=True):
    """One data file and one video for all episodes, as LeRobot packs them."""
    columns = {name: [] for name in ("timestamp", "frame_index", "episode_index", "index", *features)}
    episodes, first = [], 0
    for number, length in enumerate(lengths):
        for i in range(length):
            values = {"timestamp": i / FPS, "frame_index": i, "episode_index": number, "index": first + i, **row(i)}
            for name, value in values.items():
                columns[name].append(value)
        span = {"from_timestamp": first / FPS, "to_timestamp": (first + length) / FPS}
        where = {"chunk_index": 0, "file_index": 0}
        entry = {"episode_index": number, "length": length, "tasks": ["drive"], "stats/index/min": [0]}
        entry |= {f"data/{k}": v for k, v in where.items()}
        episodes.append(entry | {f"videos/{CAMERA}/{k}": v for k, v in (where | span).items()})
        first += length
    info = {
        "codebase_version": "v3.0",
        "robot_type": "KIA Niro EV 2023",
        "fps": FPS,
        "total_episodes": len(lengths),
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
        "features": {CAMERA: {"dtype": "video", "shape": [3, 48, 64], "names": ["channel", "height", "width"]}}
        | {k: {"dtype": "float32", "shape": [len(n)], "names": {"axes": n} if axes else n} for k, n in features.items()}
        | {"frame_index": {"dtype": "int64", "shape": [1], "names": None}},
    }
    for folder in ("meta/episodes/chunk-000", "data/chunk-000", f"videos/{CAMERA}/chunk-000"):
        (root / folder).mkdir(parents=True)
    (root / "meta/info.json").write_text(json.dumps(info))
    pq.write_table(pa.Table.from_pylist(episodes), root / "meta/episodes/chunk-000/file-000.parquet")
    pq.write_table(pa.table(columns), root / "data/chunk-000/file-000.parquet")
    (root / "meta/stats.json").write_text(json.dumps({name: _stats(columns[name]) for name in features}))
    frames = ((round(i * 1e9 / FPS), picture(i)) for i in range(first))
    encode(root / f"videos/{CAMERA}/chunk-000/file-000.mp4", frames, Encoding(key_every=24))
    return root
