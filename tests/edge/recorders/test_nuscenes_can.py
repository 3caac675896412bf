"""nuScenes' CAN files: left is positive, a scene is a drive, undocumented values stay out, and damaged JSON."""

import numpy as np
import pytest
from makers.nuscenes_can import T0_US, messages, monitor, pose, turning, write_scene

from edge.errors import DriveError
from edge.inspect import inspect
from edge.recorders import nuscenes_can
from trigger.detect import detect
from trigger.signals import ControlSource


def open_one(folder):
    (found,) = nuscenes_can.matches(folder)
    return nuscenes_can.open(found)


def test_left_is_positive_and_units_are_ours(tmp_path):
    drive = open_one(write_scene(tmp_path / "can_bus"))
    telemetry = drive.telemetry
    t_ns, wheel = telemetry.samples("steering_wheel_deg")
    assert t_ns[0] == drive.t0_ns == T0_US * 1000
    np.testing.assert_allclose(wheel[:2], np.degrees([2.0, 2.0 + 0.01 * np.sin(0.01)]))
    assert set(telemetry.samples("yaw_rate_dps")[1]) == {np.degrees(0.2), np.degrees(-0.1)}
    assert set(telemetry.samples("speed_mps")[1]) == {8.0}
    assert set(telemetry.samples("gas_fraction")[1]) == {0.25}
    assert telemetry.samples("brake_pressed")[1].tolist() == [0.0] * 16 + [1.0] * 24
    assert telemetry.samples("blinker_left")[1].sum() == 10
    for axis in ("steering", "speed"):
        assert set(telemetry.samples(f"control_source_{axis}")[1]) == {ControlSource.HUMAN}
    for name in ("brake_fraction", "accel_long_mps2", "accel_lat_mps2", "heading_deg", "lat_deg"):
        assert name not in telemetry  # not documented well enough, or not there
    assert (drive.lost, drive.cameras, drive.id) == ((), {}, "nuscenes-scene-0061")
    assert not [note for note in drive.notes if "opposite signs" in note]
    inspect(drive)
    detect(telemetry, drive.vehicle)


def test_a_mirrored_file_is_said(tmp_path):
    wheel = messages(100, lambda t: {"value": -turning(t) * 10})
    drive = open_one(write_scene(tmp_path / "can_bus", steeranglefeedback=wheel))
    assert any("opposite signs" in note for note in drive.notes)


def test_a_scene_is_a_drive_whichever_of_its_files_is_named(tmp_path):
    folder = write_scene(tmp_path / "can_bus")
    write_scene(folder, "scene-0062", vehicle_monitor=None)
    write_scene(folder, "scene-0063", vehicle_monitor=None, steeranglefeedback=None, pose=None)  # meta and route only
    (folder / "._scene-0064_pose.json").write_text("junk")
    (folder / "notes.json").write_text("{}")
    first, second = nuscenes_can.matches(folder)
    assert (first.name, second.name) == ("scene-0061_vehicle_monitor.json", "scene-0062_steeranglefeedback.json")
    assert nuscenes_can.matches(folder / "scene-0061_pose.json") == [first]
    assert nuscenes_can.matches(folder / "scene-0061_meta.json") == [first]
    for other in (tmp_path, folder / "notes.json", folder / "scene-0099_pose.json"):
        assert nuscenes_can.matches(other) == []
    with pytest.raises(DriveError, match="no file of a nuScenes scene"):
        nuscenes_can.open(folder)


def test_without_a_pose_the_slow_speed_is_used(tmp_path):
    drive = open_one(write_scene(tmp_path / "can_bus", pose=None))
    np.testing.assert_allclose(drive.telemetry.samples("speed_mps")[1], np.full(40, 8.0))
    assert drive.lost == ("scene-0061_pose.json is absent",)


def test_a_brake_switch_that_is_not_documented_is_left_out(tmp_path):
    """Real files hold a 4 where the brake is pressed hard; the documentation ends at 3."""
    kinds = messages(2, lambda t: monitor(t) | {"brake_switch": 4 if t < 5 else 2, "left_signal": 7})
    drive = open_one(write_scene(tmp_path / "can_bus", vehicle_monitor=kinds))
    assert drive.telemetry.samples("brake_pressed")[1].tolist() == [1.0] * 30
    assert "blinker_left" not in drive.telemetry
    assert "vehicle_monitor.brake_switch: 10 of 40 values are not documented: left out" in drive.notes
    assert drive.lost == ()


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "null", '"1"', "true", "[1]", "{}", "1" + "0" * 400, "-1e999", "1e308"]
)
def test_a_value_that_is_no_number_costs_itself(tmp_path, value):
    folder = write_scene(tmp_path / "can_bus")
    file = folder / "scene-0061_steeranglefeedback.json"
    file.write_text(file.read_text().replace('"value": 2.0}', f'"value": {value}' + "}", 1))
    drive = open_one(folder)
    assert drive.lost == ("steeranglefeedback.value: 1 of 2000 values are not numbers",)
    assert len(drive.telemetry.samples("steering_wheel_deg")[0]) == 1999


@pytest.mark.parametrize("vector", [[], [1.0, 2.0], {"z": 1}, [1, 2, "3"], [0, 0, float("nan")]])
def test_a_vector_of_another_shape_is_no_yaw_rate(tmp_path, vector):
    poses = messages(50, lambda t: pose(t) | ({"rotation_rate": vector} if t < 1 else {}))
    drive = open_one(write_scene(tmp_path / "can_bus", pose=poses))
    assert drive.lost == ("pose.rotation_rate: 50 of 1000 values are not numbers",)


@pytest.mark.parametrize("utime", [None, "1", 1.5, True, -5, 0, 2**63, 10**40])
def test_a_message_without_a_time_is_counted(tmp_path, utime):
    poses = messages(50, pose)
    poses[3]["utime"], poses[4] = utime, "not a message"
    drive = open_one(write_scene(tmp_path / "can_bus", pose=poses))
    assert drive.lost == ("scene-0061_pose.json: 2 of 1000 messages have no usable utime",)
    assert len(drive.telemetry.samples("speed_mps")[0]) == 998


def test_a_file_cut_off_anywhere_gives_its_whole_messages(tmp_path):
    folder = write_scene(tmp_path / "can_bus")
    file = folder / "scene-0061_pose.json"
    whole = file.read_bytes()
    for end in range(1, len(whole) - 1, 9973):
        file.write_bytes(whole[:end])
        drive = open_one(folder)
        found = whole[:end].count(b"}")
        assert drive.lost[0] == f"scene-0061_pose.json is damaged: {found} of its messages are whole"
        speed = drive.telemetry.samples("speed_mps")[0]
        assert len(speed) == (found or 40)


def test_bytes_changed_in_the_middle_cost_their_messages(tmp_path):
    folder = write_scene(tmp_path / "can_bus")
    file = folder / "scene-0061_pose.json"
    text = bytearray(file.read_bytes())
    text[5_000:5_020], text[50_000:50_004] = b"\0" * 20, b"\xff\xfe{{"
    file.write_bytes(text)
    drive = open_one(folder)
    (line,) = drive.lost
    assert "is damaged: 99" in line
    assert len(drive.telemetry.samples("speed_mps")[0]) >= 996


@pytest.mark.parametrize(
    "damage", [b"", b"\0" * 99, b"[" * 100_000, b'{"a":' * 20_000, b"null", b"{}", b"3", b"[[], {}]"]
)
def test_a_scene_without_a_readable_signal_is_refused(tmp_path, damage):
    folder = write_scene(tmp_path / "can_bus")
    for kind in nuscenes_can.MESSAGES:
        (folder / f"scene-0061_{kind}.json").write_bytes(damage)
    with pytest.raises(DriveError, match="holds no readable signal"):
        open_one(folder)


def test_messages_out_of_order_and_twice_are_one_sorted_drive(tmp_path):
    poses = messages(50, pose)
    drive = open_one(write_scene(tmp_path / "can_bus", pose=poses[::-1] + poses[:10]))
    assert (np.diff(drive.telemetry.t_ns) > 0).all()
    assert len(drive.telemetry.samples("speed_mps")[0]) == 1000
