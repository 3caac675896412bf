"""LeRobotDataset v3.0: an episode a drive, frames of shared files, L2D's signals, and damage."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from makers.lerobot import CAMERA, l2d_row, write_dataset
from makers.picture import number_in, picture

from curate.seconds import seconds_of
from edge.convert import to_native
from edge.cut import cut
from edge.drive import open_drive
from edge.errors import DriveError
from edge.inspect import inspect
from edge.recorders import lerobot
from edge.scan import scan
from edge.video.encode import encode
from trigger.signals import ControlSource


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
    assert [number_in(frame) for _, frame in frames] == list(range(100, 220))
    assert [t for t, _ in frames] == [i * 100_000_000 for i in range(120)] == drive.telemetry.t_ns.tolist()
    assert [number_in(f) for _, f in camera.frames(1_000_000_000, 1_300_000_000)] == [110, 111, 112]
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


JOINTS = ["shoulder.pos", "Gripper.pos", "gripper pos", "locked.pos"]


def arm(i):
    """A shoulder swings between -30 and 90 degrees, a gripper opens at half time, a joint never moves."""
    swing = 30.0 - 60.0 * np.cos(i / 5.0)
    return {"observation.state": [swing, i / 59, 0.0, 7.0], "action": [swing + 1.0, float(i >= 30), 0.0, 7.0]}


def acted(i):
    return {"action": arm(i)["action"]}


def test_a_robots_own_columns_are_fractions_of_their_range(tmp_path):
    root = write_dataset(tmp_path / "arm", (60, 60), {"observation.state": JOINTS, "action": JOINTS}, arm, axes=False)
    drive = lerobot.open(root / "episode_000001")
    telemetry = drive.telemetry
    names = {f"{family}_{joint}" for family in ("action", "state") for joint in ("shoulder_pos", "gripper_pos")}
    assert set(telemetry) == names | {"control_source_robot"}
    shoulder = telemetry.samples("state_shoulder_pos")[1]
    low, high = drive.static["ranges"]["state_shoulder_pos"]
    assert (low, high) == pytest.approx((-30.0, 90.0), abs=1.0)
    assert shoulder * (high - low) + low == pytest.approx([arm(i)["observation.state"][0] for i in range(60)])
    assert telemetry.samples("action_gripper_pos")[1].tolist() == [0.0] * 30 + [1.0] * 30
    assert set(telemetry.samples("control_source_robot")[1]) == {ControlSource.HUMAN}
    left_out = "action_gripper_pos_2, action_locked_pos, state_gripper_pos_2, state_locked_pos"
    assert f"meta/stats.json gives no range of {left_out}: left out" in drive.notes
    assert any("taken as demonstrations by a human" in note for note in drive.notes)
    assert not [note for note in drive.notes if "outside" in note]
    assert drive.static["features"]["action"] == JOINTS
    copy = open_drive(to_native(drive, tmp_path / "out"))
    assert set(copy.telemetry) == set(telemetry)
    assert {signal.name for signal in inspect(copy).signals} == set(telemetry)


def test_a_policys_rollouts_are_not_a_humans(tmp_path):
    root = write_dataset(tmp_path / "eval_arm", (60,), {"action": JOINTS}, acted, axes=False)
    drive = lerobot.open(root / "episode_000000")
    assert set(drive.telemetry.samples("control_source_robot")[1]) == {ControlSource.SYSTEM}


@pytest.mark.parametrize(
    "damage", [lambda p: p.unlink(), lambda p: p.write_text("{"), lambda p: p.write_text('{"action": 3}')]
)
def test_without_statistics_a_robot_has_pictures_only(tmp_path, damage):
    root = write_dataset(tmp_path / "arm", (30,), {"action": JOINTS}, acted, axes=False)
    damage(root / "meta/stats.json")
    drive = lerobot.open(root / "episode_000000")
    assert len(drive.telemetry) == 0
    assert any("meta/stats.json gives no range" in note for note in drive.notes)
    assert len(drive.cameras["front_left"].frame_times()) == 30


def test_columns_without_names_are_numbered(tmp_path):
    root = write_dataset(tmp_path / "arm", (60,), {"action": JOINTS}, acted, axes=False)
    info = json.loads((root / "meta/info.json").read_text())
    info["features"]["action"]["names"] = None
    (root / "meta/info.json").write_text(json.dumps(info))
    assert set(lerobot.open(root / "episode_000000").telemetry) == {"action_0", "action_1", "control_source_robot"}


def test_seconds_in_which_a_human_moved_the_robot_are_worth_learning_from(tmp_path):
    for name, share in (("arm", 1.0), ("eval_arm", 0.0)):
        root = write_dataset(tmp_path / name, (60,), {"action": JOINTS}, acted, axes=False)
        drive = lerobot.open(root / "episode_000000")
        clips = [clip.folder for clip in cut(scan(drive, baseline=1.0), tmp_path / f"{name}-clips")]
        assert [second.human_share for second in seconds_of(clips).seconds] == [share] * 6


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
    pictures = [number_in(f) for _, f in open_drive(clips[0].folder).cameras["front_left"].frames()]
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
