"""A comma2k19 segment: signs, units, and what the raw CAN says of who drove."""

import shutil

import av
import numpy as np
import pytest
from conftest import picture

from edge.drive import open_drive
from edge.errors import DriveError
from edge.recorders.comma2k19 import CRUISE_ACTIVE, GAS_PEDAL, CanBits, _Can
from edge.remux import copy_stretch
from trigger.detect import detect
from trigger.rate import rate
from trigger.signals import ControlSource

SEGMENT = "comma2k19/Example_1/b0c9d2329ad1606b_2018-08-02--08-34-47/40"


def can(address, *frames):
    data = np.array([f.rstrip(b"\0") for f in frames], "S8")
    n = len(frames)
    return _Can(np.arange(n), np.zeros(n, np.int64), np.full(n, address), data)


def test_bits_are_counted_as_a_dbc_counts_them():
    messages = can(705, b"\0\0\0\0\0\0\x4e\0", b"\0\0\0\0\0\0\0\0")
    assert messages.read(GAS_PEDAL)[1].tolist() == [78.0, 0.0]
    assert can(466, b"\x20", b"\x10").read(CRUISE_ACTIVE)[1].tolist() == [1.0, 0.0]
    speed = can(180, b"\0\0\0\0\0\x0b\x7a\0").read(CanBits(0, 180, 47, 16))
    assert speed[1].tolist() == [2938.0]


def write_segment(folder, n=300, start_s=100.0, video=False):
    if video:
        write_video(folder / "video.hevc", range(round(start_s), round(start_s) + 60))
        (folder / "global_pose").mkdir()
        with (folder / "global_pose/frame_times").open("wb") as file:
            np.save(file, start_s + np.arange(60) / 20)
    for name, values in {
        "CAN/speed": np.full((n, 1), 10.0),
        "CAN/steering_angle": np.sin(np.arange(n) / 30),
        "IMU/gyro": np.zeros((n, 3)),
    }.items():
        (folder / "processed_log" / name).mkdir(parents=True)
        for part, array in (("t", start_s + np.arange(n) / 100), ("value", values)):
            with (folder / "processed_log" / name / part).open("wb") as file:
                np.save(file, array)
    return folder


def write_video(path, numbers):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="hevc") as container:
        stream = container.add_stream("libx265", rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"x265-params": "bframes=0:keyint=20:log-level=0"}
        for number in numbers:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="rgb24")))
        container.mux(stream.encode(None))


def test_segments_of_a_route_are_one_drive_and_windows_cross_their_border(tmp_path):
    route = tmp_path / "b0c9d2329ad1606b|2018-08-02--08-34-47"
    for number, start_s in ((9, 100.0), (10, 103.0)):  # 10 comes after 9, not before
        write_segment(route / str(number), start_s=start_s, video=True)
    drive = open_drive(route)
    assert drive.telemetry.duration_s == pytest.approx(5.99)
    camera = drive.cameras["front"]
    np.testing.assert_allclose(camera.frame_times() / 1e9, 100 + np.arange(120) / 20)
    assert not [line for line in drive.lost if "hevc" in line]
    cut = copy_stretch(camera, 102_500_000_000, 104_000_000_000, tmp_path / "cut.mp4")
    assert len(cut.frame_times()) == 30
    assert len(open_drive(route / "9").cameras["front"].frame_times()) == 60


def test_another_car_keeps_what_needs_no_can(tmp_path):
    drive = open_drive(write_segment(tmp_path / "40"))
    assert "engaged" not in drive.telemetry
    assert any("not that of a Toyota" in note for note in drive.notes)
    assert detect(drive.telemetry, drive.vehicle).absent["disengagement"] == "engaged"


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_bytes(p.read_bytes()[:500])])
def test_a_damaged_array_costs_its_signal(tmp_path, damage):
    folder = write_segment(tmp_path / "40")
    damage(folder / "processed_log/CAN/steering_angle/value")
    drive = open_drive(folder)
    assert "steering_wheel_deg" not in drive.telemetry
    assert "speed_mps" in drive.telemetry
    assert any("steering_angle/value" in line for line in drive.lost)


def test_nothing_readable_is_refused(tmp_path):
    folder = write_segment(tmp_path / "40")
    for path in (folder / "processed_log").rglob("value"):
        path.write_bytes(b"")
    with pytest.raises(DriveError, match="no readable signal"):
        open_drive(folder)


@pytest.mark.real
def test_the_example_segment(real):
    drive = open_drive(real / SEGMENT)
    telemetry = drive.telemetry
    assert not [note for note in drive.notes if "opposite" in note]
    truth = np.load(real / "comma2k19/decoded_can.npz")
    for name, key, factor in (("engaged", "cruise_active", 1), ("gas_fraction", "gas_pct", 0.01)):
        times, values = telemetry.samples(name)
        at = np.round(truth[f"{key}/t"] * 1e9).astype(np.int64)
        np.testing.assert_allclose(values[np.searchsorted(times, at)], truth[f"{key}/v"] * factor)
    before_and_after = telemetry.t_ns[0] + np.array([8_900_000_000, 9_100_000_000])
    sources = telemetry.at("control_source_speed", before_and_after, 1.0)
    assert sources.tolist() == [ControlSource.HUMAN, ControlSource.SYSTEM]


@pytest.mark.real
def test_no_disengagement_in_the_example_although_actuation_drops_out(real):
    drive = open_drive(real / SEGMENT)
    assert detect(drive.telemetry, drive.vehicle).events == ()
    truth = np.load(real / "comma2k19/decoded_can.npz")
    request = truth["op_steer_request/v"]
    assert (np.diff(request) == -1).sum() == 5  # the drop-outs are real


@pytest.mark.real
def test_rates_on_real_clocks_stay_physical(real):
    telemetry = open_drive(real / SEGMENT).telemetry
    assert np.nanmax(np.abs(rate(*telemetry.samples("steering_wheel_deg"), 0.1))) <= 25.0
    assert -2.6 < np.nanmin(rate(*telemetry.samples("speed_mps"), 0.5)) < -2.3


@pytest.mark.real
def test_a_mirrored_steering_column_is_noticed(real, tmp_path):
    shutil.copytree(real / SEGMENT, tmp_path / "40")
    path = tmp_path / "40/processed_log/CAN/steering_angle/value"
    mirrored = -np.load(path)
    path.chmod(0o644)
    with path.open("wb") as file:
        np.save(file, mirrored)
    assert any("opposite signs" in note for note in open_drive(tmp_path / "40").notes)
