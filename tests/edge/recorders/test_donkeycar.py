"""A tub: signs, who drove, deleted records, and the damage real tubs have."""

import numpy as np
import pytest
from makers.donkeycar import write_tub

from edge.drive import open_drive
from edge.errors import DriveError
from trigger.detect import detect
from trigger.signals import ControlSource


def test_right_is_positive_there_and_left_is_positive_here(tmp_path):
    drive = open_drive(write_tub(tmp_path / "tub"))
    assert set(drive.telemetry.samples("steering_normalised")[1]) == {-0.5, 0.25}
    assert set(drive.telemetry.samples("gas_fraction")[1]) == {0.0, 0.4}
    assert "brake_fraction" not in drive.telemetry  # a negative throttle brakes or reverses: not told apart
    assert len(drive.cameras["front"].frame_times()) == 100


def test_modes_say_who_drove_and_going_back_is_a_disengagement(tmp_path):
    modes = ["local"] * 60 + ["local_angle"] * 40 + ["user"] * 40
    telemetry = open_drive(write_tub(tmp_path / "tub", n=140, mode=lambda i: modes[i])).telemetry
    steering = telemetry.samples("control_source_steering")[1]
    speed = telemetry.samples("control_source_speed")[1]
    assert steering.tolist() == [ControlSource.SYSTEM] * 100 + [ControlSource.HUMAN] * 40
    assert speed.tolist() == [ControlSource.SYSTEM] * 60 + [ControlSource.HUMAN] * 80
    drive = open_drive(tmp_path / "tub")
    (event,) = detect(telemetry, drive.vehicle).events
    assert (event.kind, event.t_ns - drive.t0_ns) == ("disengagement", 5_000_000_000)


def test_deleted_records_are_hidden(tmp_path):
    drive = open_drive(write_tub(tmp_path / "tub", deleted=[0, 7, 99]))
    assert len(drive.telemetry) == len(drive.cameras["front"].frame_times()) == 97


def test_a_damaged_tub_gives_its_good_records(tmp_path):
    tub = write_tub(tmp_path / "tub")
    catalog = tub / "catalog_0.catalog"
    lines = catalog.read_bytes().splitlines(keepends=True)
    lines[3] = b"\0" * 40 + lines[3]
    lines[5], lines[6], lines[-1] = b"{broken\n", b"[1]\n", lines[-1][:30]
    catalog.write_bytes(b"".join(lines))
    (tub / "images/9_cam_image_array_.jpg").write_bytes(b"")
    (tub / "images/11_cam_image_array_.jpg").unlink()
    (tub / "images/._12_cam_image_array_.jpg").write_bytes(b"junk")
    (tub / "._catalog_0.catalog").write_bytes(b"junk")
    drive = open_drive(tub)
    assert drive.lost == ("catalogs: 3 lines could not be read", "front: 2 of 97 images are missing, empty or damaged")
    assert len(drive.telemetry) == 97
    (tub / "manifest.json").write_text("{")
    assert "manifest.json is damaged" in open_drive(tub).lost[0]
    catalog.write_bytes(b"\0" * 100)
    with pytest.raises(DriveError, match="no readable record"):
        open_drive(tub)


@pytest.mark.parametrize("step_ms", [0, 3])
def test_a_clock_that_is_not_the_drives_is_replaced_and_said(tmp_path, step_ms):
    drive = open_drive(write_tub(tmp_path / "tub", step_ms=step_ms))
    assert np.unique(np.diff(drive.telemetry.t_ns)).tolist() == [50_000_000]
    assert any("clock is not the drive's" in note for note in drive.notes)


@pytest.mark.real
def test_the_test_tub(real):
    drive = open_drive(real / "donkeycar_tub/tub")
    assert len(drive.telemetry) == len(drive.cameras["front"].frame_times()) == 1000
    assert drive.lost == ()
    assert detect(drive.telemetry, drive.vehicle).events == ()  # all driven by hand: nothing to find
