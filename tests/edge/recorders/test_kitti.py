"""KITTI raw: files keep the time of their line, headings turn the other way round, and damaged files are counted."""

import numpy as np
import pytest
from makers.kitti import NAME, STEP_NS, T0_NS, sample, stamps, write_kitti

from edge.drive import Drive
from edge.errors import DriveError
from edge.inspect import inspect
from edge.recorders import kitti
from trigger.detect import detect
from trigger.signals import ControlSource


def open_kitti(folder) -> Drive:
    (found,) = kitti.matches(folder)
    return kitti.open(found)


def test_the_published_first_sample(tmp_path):
    telemetry = open_kitti(write_kitti(tmp_path / NAME)).telemetry
    assert telemetry.t_ns.tolist() == [T0_NS + i * STEP_NS for i in range(30)]
    first = {name: telemetry.samples(name)[1][0] for name in telemetry}
    assert first == {
        "lat_deg": 49.015003823272,
        "lon_deg": 8.4342971002335,
        "speed_mps": 13.172716663769,
        "accel_long_mps2": -0.34030092211055,
        "accel_lat_mps2": -0.31686915378551,
        "yaw_rate_dps": pytest.approx(-1.0777, abs=1e-4),
        "heading_deg": pytest.approx(239.468, abs=1e-3),
        "control_source_steering": ControlSource.HUMAN,
        "control_source_speed": ControlSource.HUMAN,
    }
    course = np.degrees(np.arctan2(-11.275641809511, -6.811441479104)) % 360  # clockwise from north, of east and north
    assert first["heading_deg"] == pytest.approx(course, abs=1.0)


@pytest.mark.parametrize(("yaw", "heading"), [(0.0, 90.0), (np.pi / 2, 0.0), (np.pi, 270.0), (-np.pi / 2, 180.0)])
def test_east_is_ninety_and_left_turns_lower_the_heading(tmp_path, yaw, heading):
    folder = write_kitti(tmp_path / NAME, n=3)
    (folder / "oxts/data/0000000001.txt").write_bytes(sample(p5=yaw))
    assert open_kitti(folder).telemetry.samples("heading_deg")[1][1] == pytest.approx(heading)


def test_cameras_keep_their_own_times_and_the_colour_one_is_the_front(tmp_path):
    drive = open_kitti(write_kitti(tmp_path / NAME, cameras=("image_00", "image_01", "image_02", "image_03")))
    assert list(drive.cameras) == ["front", "image_00", "image_01", "image_03"]
    assert drive.cameras["front"].frame_times()[0] == T0_NS - 13_000_000
    assert drive.t0_ns == T0_NS - 23_000_000  # image_03 was first
    assert sum(1 for _ in drive.cameras["front"].frames()) == 30
    assert (drive.id, drive.lost) == (f"kitti-{NAME}", ())
    inspect(drive)
    detect(drive.telemetry, drive.vehicle)


def test_the_drive_and_nothing_else_is_claimed(tmp_path):
    folder = write_kitti(tmp_path / "2011_09_26" / NAME, n=2)
    assert kitti.matches(folder) == [folder]
    for other in (tmp_path, folder.parent, folder / "oxts", folder / "image_02", tmp_path / "absent"):
        assert kitti.matches(other) == []
    renamed = write_kitti(tmp_path / "mine", n=2)
    assert kitti.matches(renamed) == [renamed]
    assert kitti.open(renamed).id == kitti.open(renamed.rename(tmp_path / "yours")).id
    assert kitti.matches(write_kitti(tmp_path / "pictures_only", n=2, oxts=False)) == []


def test_a_file_keeps_its_time_where_others_are_missing(tmp_path):
    folder = write_kitti(tmp_path / NAME)
    lines = stamps(30)
    lines[4], lines[6] = "", "2011-99-26 13:02:25.5"
    (folder / "oxts/timestamps.txt").write_text("\n".join(lines[:29]) + "\n")
    (folder / "oxts/data/0000000010.txt").unlink()
    (folder / "oxts/data/0000000011.txt").write_bytes(b"")
    (folder / "oxts/data/notes.txt").write_text("junk")
    (folder / "oxts/data/._0000000001.txt").write_text("junk")
    (folder / "image_02/data/0000000003.png").unlink()
    (folder / "image_02/data/0000000004.png").write_bytes(b"")
    drive = open_kitti(folder)
    kept = [i for i in range(29) if i not in (4, 6, 10, 11)]
    assert ((drive.telemetry.t_ns - T0_NS) // STEP_NS).tolist() == kept
    assert drive.cameras["front"].frame_times()[3] == T0_NS + 7_000_000 + 5 * STEP_NS
    assert drive.lost == (
        "oxts/timestamps.txt: 1 lines could not be read",
        "oxts: 2 of 27 files are missing, empty or damaged",
        "oxts: 3 of 29 files have no time",
        "image_02: 2 of 30 files are missing, empty or damaged",
        "image_00/data is absent",
        "image_01/data is absent",
        "image_03/data is absent",
    )


def test_wrong_numbers_cost_themselves_and_cut_off_files_their_sample(tmp_path):
    folder = write_kitti(tmp_path / NAME)
    damaged = [
        sample()[:100],
        b"\0" * 500,
        b"\xff" * 500,
        sample() + b" 1",
        sample(p8="fast"),
        sample(p8="nan", p9="inf"),
        sample(p14="-inf", p22="1e308"),
    ]
    for i, content in enumerate(damaged):
        (folder / f"oxts/data/{i + 3:010d}.txt").write_bytes(content)
    drive = open_kitti(folder)
    assert drive.lost[:2] == ("oxts: 5 of 30 files do not hold 30 numbers", "oxts: 3 values that are not numbers")
    assert len(drive.telemetry) == 25
    assert len(drive.telemetry.samples("speed_mps")[0]) == len(drive.telemetry.samples("yaw_rate_dps")[0]) == 24


def test_values_no_car_has_are_said(tmp_path):
    folder = write_kitti(tmp_path / NAME)
    for i in range(30):
        (folder / f"oxts/data/{i:010d}.txt").write_bytes(sample(p8=47_000))
    assert any("speed_mps lie outside" in note for note in open_kitti(folder).notes)


def test_time_that_stands_still_or_goes_backward_is_sorted_and_said(tmp_path):
    folder = write_kitti(tmp_path / NAME)
    lines = stamps(30)
    lines[5], lines[6], lines[20] = lines[6], lines[5], lines[19]
    for stream in ("oxts", "image_02"):
        (folder / stream / "timestamps.txt").write_text("\n".join(lines))
    drive = open_kitti(folder)
    front = drive.cameras["front"]
    assert (np.diff(front.frame_times()) > 0).all()
    assert [p.stem[-2:] for p in front.paths[4:8]] == ["04", "06", "05", "07"]
    assert len(drive.telemetry) == len(front.paths) == 29
    assert sum("goes backward at 2 files" in note for note in drive.notes) == 2


@pytest.mark.parametrize("missing", ["oxts", "oxts/timestamps.txt", "oxts/data", "image_02", "image_02/timestamps.txt"])
def test_one_part_without_the_other(tmp_path, missing):
    folder = write_kitti(tmp_path / NAME)
    (folder / missing).rename(tmp_path / "away")
    drive = open_kitti(folder)
    blind = missing.startswith("image")
    assert (len(drive.cameras), len(drive.telemetry) > 0) == (0 if blind else 1, blind)
    assert any(missing.split("/")[0] in line for line in drive.lost)
    assert any("telemetry only" in note for note in drive.notes) == blind
    inspect(drive)
    detect(drive.telemetry, drive.vehicle)


@pytest.mark.parametrize("damage", [b"", b"\0" * 99, b"\xff\xfe\n" * 9, b"9999-01-01 00:00:00.0\n" * 30])
def test_a_drive_without_any_time_is_refused(tmp_path, damage):
    folder = write_kitti(tmp_path / NAME)
    for stream in ("oxts", "image_02"):
        (folder / stream / "timestamps.txt").write_bytes(damage)
    with pytest.raises(DriveError, match="no sample and no picture"):
        open_kitti(folder)
