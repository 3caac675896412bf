"""A comma2k19 segment: signs, units, and what the raw CAN of its two cars says of who drove."""

import shutil

import numpy as np
import pytest
from makers.comma2k19 import HZ, START_S, civic, rav4, save, write_can, write_segment

from edge.drive import open_drive
from edge.errors import DriveError
from edge.formats.comma2k19_can import CIVIC, RAV4
from edge.video.remux import copy_stretch
from trigger.detect import detect
from trigger.rate import rate
from trigger.signals import ControlSource

SEGMENT = "comma2k19/Example_1/b0c9d2329ad1606b_2018-08-02--08-34-47/40"
HUMAN, SYSTEM, SHARED = float(ControlSource.HUMAN), float(ControlSource.SYSTEM), float(ControlSource.SHARED)


def test_checksums_are_those_of_frames_from_the_cars():
    """A RAV4's, as the example segment has them; a Civic's, from opendbc's own test of Honda's sum."""
    frame = np.frombuffer(bytes.fromhex("0014df14bbca3a91"), np.uint8)[None]
    assert RAV4.checksum(705, frame).tolist() == [0x91]
    for counter, wanted in enumerate((11, 10, 9, 8)):
        frame = np.array([[0x41, 0x05, 0, 0, counter << 4]], np.uint8)  # LKAS_HUD
        assert CIVIC.checksum(829, frame).tolist() == [wanted]


def drive_of(folder, frames, **options):
    return open_drive(write_can(write_segment(folder / "40"), frames, **options))


def last(drive, name):
    return drive.telemetry.samples(name)[1][-1]


@pytest.mark.parametrize(
    ("car", "said", "pressed", "speed", "steering"),
    [
        (rav4, {}, (0, 0, 0), HUMAN, HUMAN),
        (rav4, {"gas": 29.0}, (1, 0, 0), HUMAN, HUMAN),
        (rav4, {"engaged": True}, (0, 0, 0), SYSTEM, SYSTEM),
        (rav4, {"engaged": True, "gas": 5.0}, (1, 0, 0), SHARED, SYSTEM),
        (rav4, {"engaged": True, "torque": -101, "brake": True}, (0, 1, 1), SYSTEM, SHARED),
        (rav4, {"engaged": True, "torque": 100}, (0, 0, 0), SYSTEM, SYSTEM),
        (civic, {}, (0, 0, 0), HUMAN, HUMAN),
        (civic, {"engaged": True}, (0, 0, 0), SYSTEM, SYSTEM),
        (civic, {"engaged": True, "gas": 3}, (1, 0, 0), SHARED, SYSTEM),
        (civic, {"engaged": True, "torque": 1201, "brake": True}, (0, 1, 1), SYSTEM, SHARED),
        (civic, {"switch": True}, (0, 1, 0), HUMAN, HUMAN),
    ],
)
def test_who_drove_and_with_what(tmp_path, car, said, pressed, speed, steering):
    drive = drive_of(tmp_path, [car(0.0)] * 2 + [car(0.0, **said)] * HZ)
    assert last(drive, "engaged") == said.get("engaged", False)
    assert tuple(last(drive, f"{control}_pressed") for control in ("gas", "brake", "steering")) == pressed
    assert (last(drive, "control_source_speed"), last(drive, "control_source_steering")) == (speed, steering)
    assert ("gas_fraction" in drive.telemetry) == (car is rav4)
    if car is rav4:
        assert last(drive, "gas_fraction") == said.get("gas", 0.0) / 100
    assert drive.static["car"] == ("Toyota RAV4 2017" if car is rav4 else "Honda Civic 2016")


def test_a_switch_that_flickers_is_no_brake(tmp_path):
    drive = drive_of(tmp_path, [civic(0.0, switch=i in (5, 9, 10)) for i in range(20)])
    assert np.flatnonzero(drive.telemetry.samples("brake_pressed")[1]).tolist() == [10]


def test_frames_that_the_computer_sent_are_not_the_cars(tmp_path):
    drive = drive_of(tmp_path, [rav4(0.0, engaged=True)] * 9, bus=128)
    assert "engaged" not in drive.telemetry


def test_damaged_frames_are_no_disengagement(tmp_path):
    steps = [rav4(i / HZ, engaged=True) for i in range(200)]
    lost = [(address, b"" if 60 <= i < 160 else data) for i, step in enumerate(steps) for address, data in step]
    drive = drive_of(tmp_path, [lost[i : i + 4] for i in range(0, 800, 4)])
    assert drive.telemetry.samples("engaged")[1].tolist() == [1.0] * 100
    assert "CAN PCM_CRUISE: 100 of 200 frames have a wrong checksum" in drive.lost
    assert not [e for e in detect(drive.telemetry, drive.vehicle).events if e.kind == "disengagement"]


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
    assert any("neither of the dataset's cars" in note for note in drive.notes)
    assert detect(drive.telemetry, drive.vehicle).absent["disengagement"] == "engaged"


def half(path):
    """Another length in the header: numpy would read the first part and say nothing."""
    path.write_bytes(path.read_bytes().replace(b"(300,)", b"(100,)"))


@pytest.mark.parametrize("damage", [lambda p: p.unlink(), lambda p: p.write_bytes(p.read_bytes()[:500]), half])
def test_a_damaged_array_costs_its_signal(tmp_path, damage):
    folder = write_segment(tmp_path / "40")
    damage(folder / "processed_log/CAN/steering_angle/value")
    drive = open_drive(folder)
    assert "steering_wheel_deg" not in drive.telemetry
    assert "speed_mps" in drive.telemetry
    assert any("steering_angle/value" in line for line in drive.lost)


def test_times_that_cannot_be_cost_their_samples(tmp_path):
    folder = write_segment(tmp_path / "40", video=True)
    seconds = START_S + np.arange(300) / 100
    seconds[10], seconds[20:52] = 1e300, 0.0
    save(folder / "processed_log/CAN/speed", t=seconds)
    save(folder / "global_pose", frame_times=np.append(START_S + np.arange(59) / 20, 7.0))
    drive = open_drive(folder)
    assert len(drive.telemetry.samples("speed_mps")[0]) == 267
    assert drive.seconds == 3
    assert "CAN/speed: 33 of 300 times are damaged" in drive.lost
    assert "40/video.hevc is left out: its frame times are damaged" in drive.lost


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
    for name, key, turned in (
        ("engaged", "cruise_active", lambda v: v),
        ("gas_fraction", "gas_pct", lambda v: v * 0.01),
        ("gas_pressed", "gas_released", lambda v: 1 - v),
        ("brake_pressed", "brake_pressed", lambda v: v),
        ("steering_pressed", "steer_torque_driver", lambda v: np.abs(v) > 100),
    ):
        times, values = telemetry.samples(name)
        at = np.round(truth[f"{key}/t"] * 1e9).astype(np.int64)
        np.testing.assert_allclose(values[np.searchsorted(times, at)], turned(truth[f"{key}/v"]))
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
