"""The simulator's log: mirrored steering, miles, names as clocks, paths of other machines, and damaged rows."""

import numpy as np
import pytest
from makers.udacity_sim import HEADER, STEP_MS, T0_NS, row, stamp, write_sim

from edge.drive import Drive
from edge.errors import DriveError
from edge.inspect import inspect
from edge.recorders import udacity, udacity_sim
from trigger.detect import detect
from trigger.signals import ControlSource


def open_sim(folder) -> Drive:
    (found,) = udacity_sim.matches(folder)
    return udacity_sim.open(found)


def test_right_is_positive_there_left_here_and_miles_become_metres(tmp_path):
    rows = [row(i, steering=0.4 if i < 20 else -0.1, brake=0.2, speed="4.4704E+01") for i in range(40)]
    drive = open_sim(write_sim(tmp_path / "sim", rows=rows))
    telemetry = drive.telemetry
    assert set(telemetry.samples("steering_normalised")[1]) == {-0.4, 0.1}
    assert set(telemetry.samples("gas_fraction")[1]) == {0.5}
    assert set(telemetry.samples("brake_fraction")[1]) == {0.2}
    np.testing.assert_allclose(telemetry.samples("speed_mps")[1], 44.704 * 0.44704)
    for axis in ("steering", "speed"):
        assert set(telemetry.samples(f"control_source_{axis}")[1]) == {ControlSource.HUMAN}
    assert (drive.lost, drive.static) == ((), {"simulated": True})


def test_the_name_of_a_picture_is_its_time(tmp_path):
    drive = open_sim(write_sim(tmp_path / "sim"))
    assert drive.t0_ns == T0_NS
    assert list(drive.cameras) == ["front", "left", "right"]
    for camera in drive.cameras.values():
        assert camera.frame_times().tolist() == [T0_NS + i * STEP_MS * 1_000_000 for i in range(40)]
        assert camera.size == (64, 48)
    assert sum(1 for _ in drive.cameras["left"].frames()) == 40
    assert any("treated as UTC" in note for note in drive.notes)
    detect(drive.telemetry, drive.vehicle)


@pytest.mark.parametrize("folder", ["/home/ann/IMG/", "IMG/", "", "D:\\x\\IMG\\"])
def test_only_the_file_name_of_a_path_counts(tmp_path, folder):
    """Also where a path points out of the recording: nothing outside IMG/ is opened."""
    (tmp_path / "center_2016_12_01_13_30_48_287.jpg").write_bytes(b"outside")
    drive = open_sim(write_sim(tmp_path / "sim", rows=[row(i, folder=folder) for i in range(40)], header=True))
    assert drive.lost == ()
    again = open_sim(write_sim(tmp_path / "b", rows=[row(i, folder="../../") for i in range(40)]))
    assert {p.parent for p in again.cameras["front"].paths} == {tmp_path / "b" / "IMG"}
    assert again.id == drive.id


def test_the_folder_its_log_and_nothing_else_are_claimed(tmp_path):
    folder = write_sim(tmp_path / "sim", n=2)
    assert udacity_sim.matches(folder) == udacity_sim.matches(folder / "driving_log.csv") == [folder]
    assert (
        udacity_sim.matches(folder / "IMG")
        == udacity_sim.matches(tmp_path)
        == udacity_sim.matches(tmp_path / "no")
        == []
    )
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "driving_log.csv").write_text("frame_id,steering_angle,public\n1479425441182877835,0.1,1\n")
    assert udacity_sim.matches(tmp_path / "other") == []
    assert udacity.matches(tmp_path / "other") == [tmp_path / "other"]


def test_missing_and_empty_pictures_are_counted(tmp_path):
    folder = write_sim(tmp_path / "sim")
    (folder / "IMG" / f"center_{stamp(3)}.jpg").write_bytes(b"")
    (folder / "IMG" / f"center_{stamp(4)}.jpg").unlink()
    for i in range(40):
        (folder / "IMG" / f"right_{stamp(i)}.jpg").unlink()
    drive = open_sim(folder)
    assert set(drive.cameras) == {"front", "left"}
    assert len(drive.cameras["front"].frame_times()) == 38
    assert drive.lost == (
        "camera front: 2 of 40 images are missing, empty or damaged",
        "camera right: 40 of 40 images are missing, empty or damaged",
    )


def test_without_pictures_there_is_telemetry_only(tmp_path):
    folder = write_sim(tmp_path / "sim", images=False)
    (folder / "IMG").rmdir()
    drive = open_sim(folder)
    assert (drive.cameras, len(drive.telemetry)) == ({}, 40)
    assert any("telemetry only" in note for note in drive.notes)
    assert len(drive.lost) == 3


def test_bad_rows_and_values_cost_themselves(tmp_path):
    rows = [row(i) for i in range(40)]
    rows[2], rows[3] = rows[2][:60], "\0" * 50
    rows[5] = row(5).replace("2016_12_01", "2016_13_41").replace("a", "\ufffd")
    rows[6] = row(6, steering="0,25", speed="30,1")  # a decimal comma: nine columns
    rows[7] = row(7).replace("2016", "9999")  # past what int64 ns can hold
    rows[8], rows[9], rows[10] = row(8, steering="-inf"), row(9, throttle=""), row(10, speed="1e308")
    rows[11] = row(11) + "\0\0"
    rows[12] = '"' * 200_000
    drive = open_sim(write_sim(tmp_path / "sim", rows=rows))
    assert drive.lost[0] == "driving_log.csv: 6 unreadable rows, 3 values that are not numbers"
    assert len(drive.telemetry) == len(drive.cameras["front"].frame_times()) == 34
    assert len(drive.telemetry.samples("speed_mps")[0]) == 33


def test_time_going_backward_pauses_and_repeated_times_are_said(tmp_path):
    rows = [row(i) for i in (0, 2, 1, 3, 3, 4, 200, 201)]
    rows[4] = row(3, steering=-1)
    drive = open_sim(write_sim(tmp_path / "sim", n=8, rows=rows))
    t_ns, steering = drive.telemetry.samples("steering_normalised")
    assert ((t_ns - T0_NS) // 100_000_000).tolist() == [0, 1, 2, 3, 4, 200, 201]
    assert steering[3] == 1.0
    for part in ("backward at 1 rows", "1 rows have the time of another", "no sample for 20 s from 0 s on"):
        assert any(part in note for note in drive.notes), part
    inspect(drive)


def test_values_outside_the_simulators_range_are_said(tmp_path):
    drive = open_sim(write_sim(tmp_path / "sim", rows=[row(i, throttle=50) for i in range(40)]))
    assert any("gas_fraction lie outside" in note for note in drive.notes)


def test_a_log_without_a_usable_row_is_refused(tmp_path):
    folder = write_sim(tmp_path / "sim", n=2, rows=[HEADER, "a,b"])
    with pytest.raises(DriveError, match="no usable row among 1"):
        open_sim(folder)
    for damage in (b"", b"\0" * 1000, b"\xff\xfe" * 500):
        (folder / "driving_log.csv").write_bytes(damage)
        assert udacity_sim.matches(folder) == []
        with pytest.raises(DriveError, match="no usable row"):
            udacity_sim.open(folder)
    (folder / "driving_log.csv").unlink()
    with pytest.raises(DriveError, match="cannot be read"):
        udacity_sim.open(folder)


def test_a_log_cut_off_anywhere_gives_its_beginning(tmp_path):
    folder = write_sim(tmp_path / "sim", images=False)
    whole = (folder / "driving_log.csv").read_bytes()
    for end in range(400, len(whole), 397):
        (folder / "driving_log.csv").write_bytes(whole[:end])
        drive = open_sim(folder)
        assert len(drive.telemetry) in (end // len(row(0)), end // len(row(0)) + 1, end // len(row(0)) - 1)
