"""CSV beside video or images: the right labels, the right times, and the files that must not be believed."""

import numpy as np
import pytest
from makers.udacity import STEP, T0, rows, write_images, write_labels, write_video

from edge.drive import find_drives, open_drive
from edge.errors import DriveError
from trigger.signals import ControlSource


def test_video_and_labels_are_one_drive(tmp_path):
    write_labels(tmp_path)
    write_video(tmp_path)
    drive = open_drive(tmp_path)
    t_ns, degrees = drive.telemetry.samples("steering_wheel_deg")
    np.testing.assert_allclose(degrees, np.degrees([a for _, a in rows()]))
    assert t_ns.tolist() == [t for t, _ in rows()]
    np.testing.assert_allclose(drive.cameras["front"].frame_times(), t_ns, atol=500)
    assert set(drive.telemetry.samples("control_source_steering")[1]) == {ControlSource.HUMAN}
    assert open_drive(tmp_path / "front.mp4").id == drive.id


def test_images_are_a_camera_and_damaged_ones_are_counted(tmp_path):
    write_labels(tmp_path)
    write_images(tmp_path / "center")
    (tmp_path / "center" / f"{T0 + 3 * STEP}.jpg").write_bytes(b"")
    (tmp_path / "center" / f"{T0 + 5 * STEP}.jpg").write_bytes(b"\xff\xd8 not a picture")
    (tmp_path / "center" / "._junk.jpg").write_bytes(b"x")
    drive = open_drive(tmp_path)
    camera = drive.cameras["front"]
    assert camera.lost == ("center: 2 of 20 images are missing, empty or damaged",)
    assert [t for t, _ in camera.frames()] == camera.frame_times().tolist()
    assert len(camera.frame_times()) == 18


def test_predictions_beside_labels_are_not_labels(tmp_path):
    write_labels(tmp_path)
    for name in ("komanda.csv", "autumn.csv"):
        lines = ["frame_id,steering_angle"] + [f"{t},{a + 0.1}" for t, a in rows()]
        (tmp_path / name).write_text("\n".join(lines))
    write_video(tmp_path)
    np.testing.assert_allclose(
        open_drive(tmp_path).telemetry.samples("steering_wheel_deg")[1], np.degrees([a for _, a in rows()])
    )


def test_two_label_files_for_one_video_are_a_question(tmp_path):
    write_labels(tmp_path)
    write_labels(tmp_path, "other.csv")
    write_video(tmp_path)
    with pytest.raises(DriveError, match=r"2 label files \(labels\.csv, other\.csv\)"):
        open_drive(tmp_path)


def test_random_angles_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    write_labels(tmp_path, labels=rows(angle=lambda i: rng.uniform(-1, 1)))
    with pytest.raises(DriveError, match="not steering angles"):
        open_drive(tmp_path)


def test_nan_broken_rows_and_nul_bytes_cost_single_rows(tmp_path):
    path = write_labels(tmp_path)
    lines = path.read_text().splitlines()
    lines[5] = f"{T0 + 4 * STEP},nan,1"
    lines[9] = "garbage"
    lines[12] = f"\0\0{T0 + 11 * STEP},0.1,1\0"
    lines[14] = f"{T0 + 13 * STEP},0.\0\0\0{T0 + 90 * STEP},0.1,1"  # a block that the disk lost
    path.write_text("\n".join(lines) + "\n")
    drive = open_drive(tmp_path)
    assert drive.lost == ("labels.csv: 2 unreadable rows, 1 values that are not numbers",)
    assert len(drive.telemetry.samples("steering_wheel_deg")[0]) == 97


def test_the_last_row_of_a_file_that_was_cut_off_is_not_believed(tmp_path):
    path = write_labels(tmp_path, header="frame_id,public,steering_angle", labels=[(t, f"1,{a}") for t, a in rows()])
    path.write_text(path.read_text()[: -len(",1\n") - 5])
    drive = open_drive(tmp_path)
    assert drive.lost == ("labels.csv: 1 unreadable rows, 0 values that are not numbers",)
    np.testing.assert_allclose(
        drive.telemetry.samples("steering_wheel_deg")[1], np.degrees([a for _, a in rows()][:-1])
    )


def test_time_going_backward_is_sorted_and_said(tmp_path):
    labels = rows()
    labels[10], labels[11] = labels[11], labels[10]
    write_labels(tmp_path, labels=labels)
    drive = open_drive(tmp_path)
    assert (np.diff(drive.telemetry.t_ns) > 0).all()
    assert any("backward at 1 rows" in note for note in drive.notes)


@pytest.mark.parametrize("header", ["frame_id,speling_angle,public", "when,steering_angle,public"])
def test_a_missing_column_is_refused_with_what_was_found(tmp_path, header):
    path = write_labels(tmp_path, header=header)
    with pytest.raises(DriveError, match=r"labels\.csv|not a recording"):
        open_drive(path)


def test_names_of_swerves_own_signals_are_understood(tmp_path):
    lines = ["t_ns,speed_mps,engaged,steering_wheel_deg"]
    lines += [f"{t},12.5,{int(i > 50)},{np.degrees(a)}" for i, (t, a) in enumerate(rows())]
    (tmp_path / "mine.csv").write_text("\n".join(lines) + "\n")
    drive = open_drive(tmp_path)
    assert drive.vehicle.wheelbase_m is None
    source = drive.telemetry.samples("control_source_steering")[1]
    assert source.tolist() == [1.0] * 51 + [2.0] * 49


def test_without_a_word_on_who_drove_there_are_no_labels(tmp_path):
    lines = ["t_ns,speed_mps,steering_wheel_deg"] + [f"{t},12.5,{np.degrees(a)}" for t, a in rows()]
    (tmp_path / "mine.csv").write_text("\n".join(lines) + "\n")
    drive = open_drive(tmp_path)
    assert "control_source_steering" not in drive.telemetry
    assert any("no labels" in note for note in drive.notes)


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir(), lambda p: p.write_text("hello")])
def test_nothing_there_is_said(tmp_path, make):
    make(tmp_path / "x")
    with pytest.raises(DriveError):
        open_drive(tmp_path / "x")


@pytest.mark.real
def test_challenge_drive(real):
    drive = open_drive(real / "udacity_ch2_001")
    times, frames = drive.telemetry.t_ns, drive.cameras["front"].frame_times()
    assert len(frames) == len(times) == 4000
    assert np.abs(frames - times).max() < 20_000  # 90 kHz ticks
    assert open_drive(real / "udacity_ch2_001" / "center").cameras["front"].frame_times().size == 401
    assert float(drive.telemetry.samples("steering_wheel_deg")[1][0]) == pytest.approx(np.degrees(-0.0169280299332))


@pytest.mark.real
def test_six_telemetry_files(real):
    drives = {p.name: recorder.open(p) for recorder, p in find_drives(real / "udacity_ch2_002_telemetry")}
    assert len(drives) == 6
    headerless, named = drives["HMB_1_interpolated.csv"], drives["train_round2_part1.txt"]
    assert (len(headerless.telemetry), len(named.telemetry)) == (13_203, 4_401)
    # The same 220 s: every centre frame of one is a row of the other, to the nanosecond.
    assert np.isin(named.telemetry.t_ns, headerless.telemetry.t_ns).all()
    assert not [n for d in drives.values() for n in d.notes if "opposite signs" in n]
    assert any("7435 s" in note for note in drives["val_round1.txt"].notes)
