"""LeRobotDataset v3.0: an episode a drive, frames of shared files, L2D's signals, and damage."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import picture

from edge.cut import cut
from edge.drive import open_drive
from edge.encode import Encoding, encode
from edge.errors import DriveError
from edge.recorders import lerobot
from edge.scan import scan
from trigger.signals import ControlSource

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
    frames = ((round(i * 1e9 / FPS), picture(i)) for i in range(first))
    encode(root / f"videos/{CAMERA}/chunk-000/file-000.mp4", frames, Encoding(key_every=24))
    return root


def shown(frame):
    """The number a picture tells: see conftest.picture."""
    row = frame.to_ndarray(format="rgb24")[24, :, 1]
    return sum(1 << bit for bit in range(12) if row[bit * 5 + 2] > 130)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("l2d") / "L2D")


def test_an_episode_is_a_drive_with_its_own_part_of_the_files(dataset):
    paths = lerobot.matches(dataset)
    assert [p.name for p in paths] == ["episode_000000", "episode_000001", "episode_000002"]
    assert lerobot.matches(paths[1]) == [paths[1]]
    assert lerobot.matches(dataset / "episode_000003") == []
    drive = lerobot.open(paths[1])
    assert (len(drive.telemetry), drive.seconds, drive.lost) == (120, 12, ())
    camera = drive.cameras["front_left"]
    frames = list(camera.frames())
    assert [shown(frame) for _, frame in frames] == list(range(100, 220))
    assert [t for t, _ in frames] == [i * 100_000_000 for i in range(120)] == drive.telemetry.t_ns.tolist()
    assert [shown(f) for _, f in camera.frames(1_000_000_000, 1_300_000_000)] == [110, 111, 112]
    assert len({lerobot.open(path).id for path in paths}) == 3


def test_l2d_gives_what_is_documented_or_measured_and_says_the_rest(dataset):
    drive = lerobot.open(dataset / "episode_000000")
    assert set(drive.telemetry) == {
        *("speed_mps", "lat_deg", "lon_deg", "gas_fraction", "brake_fraction"),
        *("control_source_steering", "control_source_speed"),
    }
    assert drive.telemetry.samples("speed_mps")[1] == pytest.approx(np.full(100, 10.0))
    assert set(drive.telemetry.samples("control_source_speed")[1]) == {ControlSource.HUMAN}
    assert lerobot.L2D_LEFT_OUT in drive.notes


@pytest.mark.parametrize(("kmh", "expected"), [(36.0, 10.0), (10.0, 10.0), (20.0, None)])
def test_a_unit_is_measured_or_left_out(tmp_path, kmh, expected):
    root = write_dataset(tmp_path / "d", (100,), row=lambda i: l2d_row(i, kmh))
    drive = lerobot.open(root / "episode_000000")
    speed = drive.telemetry.samples("speed_mps")[1][0] if "speed_mps" in drive.telemetry else None
    assert speed == expected
    assert any("speed is left out" in note for note in drive.notes) == (expected is None)


def test_a_pedal_that_is_no_fraction_is_left_out(tmp_path):
    root = write_dataset(tmp_path / "d", (50,), row=lambda i: l2d_row(i, gas=42.0))
    drive = lerobot.open(root / "episode_000000")
    assert "gas_fraction" not in drive.telemetry
    assert "brake_fraction" in drive.telemetry


def test_a_robot_has_no_car_signal_but_pictures(tmp_path):
    joints = {"observation.state": ["shoulder.pos", "elbow.pos"], "action": ["shoulder.pos", "elbow.pos"]}
    values = {key: [0.5, 1.5] for key in joints}
    root = write_dataset(tmp_path / "arm", (30,), joints, lambda i: values, axes=False)
    drive = lerobot.open(root / "episode_000000")
    assert len(drive.telemetry) == 0
    assert drive.static["features"]["action"] == ["shoulder.pos", "elbow.pos"]
    assert any("no signal of a car" in note for note in drive.notes)
    assert len(drive.cameras["front_left"].frame_times()) == 30
    assert drive.seconds == 3


def test_features_named_as_swerve_names_them(tmp_path):
    named = {"observation.state": ["speed_mps", "yaw_rate_dps"], "action": ["steering_wheel_deg", "gas_fraction"]}
    row = {"observation.state": [12.0, -3.0], "action": [5.0, 0.5]}
    root = write_dataset(tmp_path / "d", (30,), named, lambda i: row)
    telemetry = lerobot.open(root / "episode_000000").telemetry
    assert telemetry.samples("yaw_rate_dps")[1].tolist() == [-3.0] * 30
    assert telemetry.samples("steering_wheel_deg")[1].tolist() == [5.0] * 30


def test_a_cut_copies_from_the_middle_of_a_shared_file(tmp_path, dataset):
    drive = lerobot.open(dataset / "episode_000001")
    clips = list(cut(scan(drive, baseline=1.0), tmp_path / "clips"))
    pictures = [shown(f) for _, f in open_drive(clips[0].folder).cameras["front_left"].frames()]
    assert pictures == list(range(100, 220))


def test_other_versions_are_refused_with_what_to_do(tmp_path):
    root = write_dataset(tmp_path / "d", (10,))
    info = json.loads((root / "meta/info.json").read_text())
    (root / "meta/info.json").write_text(json.dumps(info | {"codebase_version": "v2.1"}))
    with pytest.raises(DriveError, match=r"v2\.1"):
        lerobot.open(lerobot.matches(root)[0])
    (root / "meta/info.json").write_text("{")
    (broken,) = lerobot.matches(root)
    with pytest.raises(DriveError, match="damaged"):
        lerobot.open(broken)


def test_a_path_that_leaves_the_dataset_is_refused(tmp_path):
    """A dataset from a stranger names a file of ours. It is not opened."""
    root = write_dataset(tmp_path / "d", (10,))
    pq.write_table(pa.table({"frame_index": [0], "episode_index": [0]}), tmp_path / "secret.parquet")
    info = json.loads((root / "meta/info.json").read_text())
    (root / "meta/info.json").write_text(json.dumps(info | {"data_path": "../secret.parquet"}))
    with pytest.raises(DriveError, match="leads out"):
        lerobot.open(root / "episode_000000")


@pytest.mark.parametrize("name", ["meta/info.json", "meta/episodes/chunk-000/file-000.parquet", "data/chunk-000"])
def test_a_missing_part_is_refused(tmp_path, name):
    root = write_dataset(tmp_path / "d", (10, 10))
    target = root / name
    target = next(target.iterdir()) if target.is_dir() else target
    target.unlink()
    with pytest.raises(DriveError):
        lerobot.open(root / "episode_000001")


def test_a_missing_or_short_video_is_said(tmp_path):
    root = write_dataset(tmp_path / "d", (40, 40))
    video = root / f"videos/{CAMERA}/chunk-000/file-000.mp4"
    encode(video, ((i * 100_000_000, picture(i)) for i in range(60)))
    drive = lerobot.open(root / "episode_000001")
    assert drive.lost == ("camera front_left: 20 of 40 frames are in file-000.mp4",)
    video.unlink()
    drive = lerobot.open(root / "episode_000001")
    assert "does not exist" in drive.lost[0]
    assert not drive.cameras
    assert len(drive.telemetry) == 40


@pytest.mark.parametrize(
    "name", ["meta/info.json", "meta/episodes/chunk-000/file-000.parquet", "data/chunk-000/file-000.parquet"]
)
def test_cuts_and_flipped_bits(tmp_path, dataset, name):
    """Only a DriveError, or a drive that is whole or says what it lost."""
    generator = np.random.default_rng(len(name))
    root = write_dataset(tmp_path / "d", (60,))
    data = (root / name).read_bytes()
    damages = [data[:size] for size in range(0, len(data), max(512, len(data) // 12))]
    for position in generator.integers(0, len(data), 40):
        damaged = bytearray(data)
        damaged[position] ^= 1 << int(generator.integers(8))
        damages.append(bytes(damaged))
    for damaged in damages:
        (root / name).write_bytes(damaged)
        try:
            drive = lerobot.open(root / "episode_000000")
        except DriveError:
            continue
        assert drive.telemetry.t_ns.size <= 60
        for camera in drive.cameras.values():
            next(camera.frames(), None)
