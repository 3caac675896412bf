"""Tesla dashcam: the SEI round trip, minutes joined, what the data shows of signs and units, and damage."""

import json
import shutil
import struct

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.picture import number_in
from makers.tesla import FPS, STEP_NS, T0_NS, avcc, insert, minutes, name, protobuf, sei, world, write

from edge import recorders
from edge.cut import cut
from edge.drive import find_drives, open_drive
from edge.errors import DriveError
from edge.formats.tesla_sei import FIELDS, FIXED32, NAMES, VARINT, decode, message_of, pair, read_track
from edge.recorders import comma2k19, donkeycar, native, tesla, udacity
from edge.scan import scan
from edge.video.sei import Framing
from trigger.detect import detect
from trigger.signals import ControlSource

H264 = Framing("h264", 4)


# Bytes to numbers


def test_a_message_survives_the_round_trip_with_emulation_prevention():
    fields = {
        "frame_seq_no": 2**40,
        "vehicle_speed_mps": struct.unpack("<f", b"\x00\x00\x01\x41")[0],
        "latitude_deg": struct.unpack("<d", b"\x00\x00\x00\x00\x00\x03\x42\x40")[0],
        "longitude_deg": struct.unpack("<d", b"\x00\x00\x02\x00\x00\x00\x5e\xc0")[0],
    }
    unit = sei(protobuf(**fields))
    assert unit.count(b"\x00\x00\x03") >= 3
    assert b"\x00\x00\x00" not in unit
    message = message_of(unit)
    assert message == protobuf(**fields)
    assert decode(message) == dict.fromkeys(NAMES, 0.0) | fields


@pytest.mark.parametrize("marks", [1, 15, 300])
def test_any_number_of_marks(marks):
    assert message_of(sei(b"\x08\x01", marks)) == b"\x08\x01"


@pytest.mark.parametrize(
    "unit",
    [
        b"",
        b"\x06",
        b"\x06\x05",
        b"\x06\x06\x01\xc4\x80",
        b"\x06\x05\x11" + bytes(17) + b"\x80",
        sei(b"\x08\x01", marks=0),
        b"\x06\x05\x03\x42\x42\x80",
        b"\x67\x05\x03\x42\x69\x08\x01\x80",
    ],
)
def test_other_units_are_not_teslas(unit):
    assert message_of(unit) is None


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x08",
        b"\x08\x80",
        b"\x08" + b"\xff" * 11,
        b"\x25\x00\x00\x20",
        b"\x59" + bytes(7),
        b"\x0b\x0c",
        b"\x0d\x00\x00\x00\x00",
        b"\x02\x00",
        b"\xa2\x01\x7f\x00",
    ],
)
def test_a_damaged_message_is_none(message):
    assert decode(message) is None


def test_fields_of_later_versions_are_passed_over():
    later = b"\xa2\x01\x03abc" + b"\xa8\x01\x05" + b"\xb1\x01" + bytes(8) + b"\xbd\x01" + bytes(4)
    assert decode(later + protobuf(gear=1))["gear"] == 1.0


@given(st.binary(max_size=120))
def test_no_bytes_make_the_reader_raise(junk):
    assert decode(junk) is None or set(decode(junk)) == set(NAMES)
    message_of(b"\x06\x05" + junk)
    list(pair([(junk, 1), (avcc(b"\x06\x05" + junk, b"\x65"), 2)], H264))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.integers(1, 2**40)
            if kind == VARINT
            else st.floats(allow_nan=False, width=32 if kind == FIXED32 else 64)
            for name, kind in FIELDS.values()
        },
    ).filter(any)
)
def test_what_is_written_is_read(fields):
    if any(fields.values()):
        assert decode(message_of(sei(protobuf(**fields)))) == dict.fromkeys(NAMES, 0.0) | fields


def test_a_message_belongs_to_the_next_slice():
    one, two, three = (sei(protobuf(frame_seq_no=n)) for n in (1, 2, 3))
    recovery, banner = b"\x06\x06\x01\xc4\x80", b"\x06\x05\x14" + bytes(range(20)) + b"\x80"
    packets = [
        (avcc(one, recovery, banner, b"\x65slice", b"\x65slice", two), 10),  # two waits for the next slice
        (avcc(b"\x41slice"), 20),
        (avcc(recovery, b"\x41slice"), 30),
        (avcc(banner, three, b"\x41slice"), 40),
    ]
    said = [(t_ns, message and decode(message)["frame_seq_no"]) for t_ns, message in pair(packets, H264)]
    assert said == [(10, 1), (20, 2), (30, None), (40, 3)]


# Signals


def test_each_sample_has_its_frames_time_and_the_signals_their_meaning(tmp_path):
    frames = world()
    write(tmp_path, frames)
    drive = tesla.open(tmp_path)
    np.testing.assert_array_equal(drive.telemetry.t_ns, drive.cameras["front"].frame_times())
    assert (drive.t0_ns, drive.telemetry.t_ns[0], len(drive.telemetry)) == (T0_NS, T0_NS, 600)
    for column, field, factor in (
        ("speed_mps", "vehicle_speed_mps", 1.0),
        ("lat_deg", "latitude_deg", 1.0),
        ("lon_deg", "longitude_deg", 1.0),
        ("heading_deg", "heading_deg", 1.0),
        ("steering_wheel_deg", "steering_wheel_angle", 1.0),
        ("gas_fraction", "accelerator_pedal_position", 0.01),
        ("accel_lat_mps2", "linear_acceleration_mps2_x", 1.0),
        ("accel_long_mps2", "linear_acceleration_mps2_y", -1.0),
        ("brake_pressed", "brake_applied", 1.0),
    ):
        recorded = np.array([f[field] for f in frames]) * factor
        np.testing.assert_allclose(drive.telemetry.columns[column], recorded, rtol=1e-6, atol=1e-6, err_msg=column)
    assert (drive.lost, drive.consent) == ((), None)
    assert not [note for note in drive.notes if "left out" in note or "opposite" in note]


def test_reverse_is_backward(tmp_path):
    frames = [f | {"gear": 2} for f in world(4)] + world(4)
    write(tmp_path, frames)
    speed = tesla.open(tmp_path).telemetry.samples("speed_mps")[1]
    assert (speed[:40] < 0).all()
    assert (speed[40:] > 0).all()


def test_no_fix_is_no_position(tmp_path):
    nowhere = {"latitude_deg": 0.0, "longitude_deg": 0.0, "heading_deg": 0.0}
    write(tmp_path, [f | nowhere if i < 150 else f for i, f in enumerate(world())])
    telemetry = tesla.open(tmp_path).telemetry
    for column in ("lat_deg", "lon_deg", "heading_deg"):
        assert telemetry.samples(column)[0][0] == T0_NS + 150 * STEP_NS
    assert len(telemetry.samples("speed_mps")[0]) == 600


@pytest.mark.parametrize(("wheel", "factor"), [(2500.0, 1.0), (-2500.0, -1.0), (43.6, 57.3), (-43.6, -57.3)])
def test_sign_and_unit_of_the_wheel_come_from_the_path(tmp_path, wheel, factor):
    frames = world(wheel=wheel)
    write(tmp_path, frames)
    drive = tesla.open(tmp_path)
    recorded = np.array([f["steering_wheel_angle"] for f in frames])
    np.testing.assert_allclose(drive.telemetry.samples("steering_wheel_deg")[1], recorded * factor, atol=0.1)
    (note,) = [note for note in drive.notes if "steering" in note]
    assert ("turned" in note) == (factor < 0)
    assert ("degrees" in note) == (abs(factor) == 1)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"turns": 0.0005}, "sign is not documented"),  # hardly a bend
        ({"turns": lambda t: 0.05 * ((t > 20) & (t < 23))}, "over 4 s of turning"),  # one corner
        ({"wheel": 300.0}, "unit"),  # neither degrees nor radians of any car
        (
            {"compass": lambda h: -h},
            "heading_deg is left out",
        ),  # a heading that the positions contradict proves nothing
        ({"compass": lambda h: 90 - h}, "heading_deg is left out"),
        ({"compass": lambda h: h + 90}, "heading_deg is left out"),
    ],
)
def test_without_evidence_there_is_no_steering(tmp_path, options, says):
    write(tmp_path, world(**options))
    drive = tesla.open(tmp_path)
    assert "steering_wheel_deg" not in drive.telemetry
    assert any(says in note for note in drive.notes)


def test_what_is_said_in_reverse_is_no_evidence(tmp_path):
    frames = world()
    for f in frames[300:]:
        f |= {
            "gear": 2,
            "heading_deg": (f["heading_deg"] + 180) % 360,
            "steering_wheel_angle": -f["steering_wheel_angle"],
        }
    write(tmp_path, frames)
    angles = tesla.open(tmp_path).telemetry.samples("steering_wheel_deg")[1]
    np.testing.assert_allclose(angles, [f["steering_wheel_angle"] for f in frames], rtol=1e-6)


def test_steering_that_does_not_follow_the_path_is_left_out(tmp_path):
    angles = np.random.default_rng(0).normal(0, 30, 600)
    write(tmp_path, [f | {"steering_wheel_angle": a} for f, a in zip(world(), angles, strict=True)])
    assert "steering_wheel_deg" not in tesla.open(tmp_path).telemetry


@pytest.mark.parametrize("axes", [(("y", 1.0), ("x", 1.0)), (("x", -1.0), ("y", 1.0)), (("y", -1.0), ("x", -1.0))])
def test_axes_of_acceleration_come_from_the_motion(tmp_path, axes):
    frames = world(axes=axes)
    write(tmp_path, frames)
    telemetry = tesla.open(tmp_path).telemetry
    for column, (axis, sign) in zip(("accel_lat_mps2", "accel_long_mps2"), axes, strict=True):
        recorded = np.array([f[f"linear_acceleration_mps2_{axis}"] for f in frames])
        np.testing.assert_allclose(telemetry.samples(column)[1], recorded * sign)


def test_one_axis_is_not_taken_for_both(tmp_path):
    def as_much_as_it_gains(t):
        gained = 4.0 * 2 * np.pi / 12.0 * np.cos(2 * np.pi * t / 12.0)
        return gained / (10.0 + 4.0 * np.sin(2 * np.pi * t / 12.0)) ** 2

    write(tmp_path, world(axes=(("x", 1.0), ("x", 1.0)), turns=as_much_as_it_gains))
    drive = tesla.open(tmp_path)
    assert not {"accel_long_mps2", "accel_lat_mps2"} & set(drive.telemetry)
    assert any("one axis follows both" in note for note in drive.notes)


@pytest.mark.parametrize("factor", [0.1, 9.81])
def test_acceleration_of_another_unit_is_left_out(tmp_path, factor):
    axes = ("linear_acceleration_mps2_x", "linear_acceleration_mps2_y")
    write(tmp_path, [f | {axis: f[axis] * factor for axis in axes} for f in world()])
    drive = tesla.open(tmp_path)
    assert not {"accel_long_mps2", "accel_lat_mps2"} & set(drive.telemetry)
    assert sum("neither" in note for note in drive.notes) == 2


@pytest.mark.parametrize(("pedal", "peak"), [(100.0, 0.523), (1.0, 0.523), (0.0, 0.0), (2.2, None)])
def test_the_pedals_scale_is_taken_only_where_it_shows(tmp_path, pedal, peak):
    frames = world(pedal=pedal)
    frames[70]["accelerator_pedal_position"] = 40.0  # a flipped bit is no scale
    write(tmp_path, frames)
    drive = tesla.open(tmp_path)
    if peak is None:
        assert "gas_fraction" not in drive.telemetry
        assert any("per cent or fraction?" in note for note in drive.notes)
    else:
        assert drive.telemetry.samples("gas_fraction")[1].max() == pytest.approx(peak, abs=0.01)


def test_the_pedal_under_autopilot_proves_no_scale(tmp_path):
    write(tmp_path, world(pedal=1.0, state=lambda t: np.ones(t.size)))
    assert "gas_fraction" not in tesla.open(tmp_path).telemetry


# Engagement


def states(t):
    """Self-driving for 20 s, then following only for 10 s, then by hand; a state of tomorrow at the end."""
    return np.select([t < 20, t < 30, t < 55], [1, 3, 0], 9)


def test_engagement_and_who_drove(tmp_path):
    write(tmp_path, world(state=states))
    drive = tesla.open(tmp_path)
    at = T0_NS + np.array([10, 25, 40, 57]) * 1_000_000_000
    human, system, unknown = float(ControlSource.HUMAN), float(ControlSource.SYSTEM), float(ControlSource.UNKNOWN)
    assert drive.telemetry.at("control_source_steering", at, 1).tolist() == [system, human, human, unknown]
    assert drive.telemetry.at("control_source_speed", at, 1).tolist() == [system, system, human, unknown]
    np.testing.assert_array_equal(drive.telemetry.at("engaged", at, 1), [1, 1, 0, np.nan])
    disengaged = [e for e in detect(drive.telemetry, drive.vehicle).events if e.kind == "disengagement"]
    assert [(e.t_ns - T0_NS) / 1e9 for e in disengaged] == [30.0]  # giving up the wheel alone is none
    seconds = [((t_ns - T0_NS) / 1e9, state) for t_ns, state in drive.static["autopilot_changes"]]
    assert seconds == [(0.0, 1), (20.0, 3), (30.0, 0), (55.0, 9)]


def test_without_sei_there_are_pictures_and_a_note(tmp_path):
    write(tmp_path, [None] * 100)
    drive = tesla.open(tmp_path)
    assert (len(drive.telemetry), drive.engagement, dict(drive.static)) == (0, "", {})
    assert len(drive.cameras["front"].frame_times()) == 100
    assert any("no SEI in any frame" in note for note in drive.notes)
    assert detect(drive.telemetry, drive.vehicle).absent["disengagement"] == "engaged"


def test_frames_without_sei_and_frames_the_recorder_missed_are_told_apart(tmp_path):
    frames = world(20)
    for i, f in enumerate(frames):
        f["frame_seq_no"] += 4 * (i >= 120)  # four frames never reached the file
    frames[50]["frame_seq_no"] += 1024  # a flipped bit is no loss
    frames[90]["frame_seq_no"] += 2**30
    frames[60:70] = [None] * 10  # parked
    write(tmp_path, frames)
    drive = tesla.open(tmp_path)
    assert drive.lost == ("4 frames that the recorder counted are not in the files",)
    assert "10 of 200 frames have no SEI (parked, for example)" in drive.notes
    assert len(drive.telemetry.samples("speed_mps")[0]) == 190


def test_a_count_that_leaps_is_no_loss(tmp_path):
    write(tmp_path, [f | {"frame_seq_no": i + 10_000 * (i > 99)} for i, f in enumerate(world(20))])
    assert tesla.open(tmp_path).lost == ()


def test_numbers_no_car_has_are_dropped_and_counted(tmp_path):
    frames = world()
    frames[5]["vehicle_speed_mps"] = 1e30
    frames[6]["latitude_deg"] = float("inf")
    frames[7]["heading_deg"] = float("nan")
    frames[8]["accelerator_pedal_position"] = -3.0
    write(tmp_path, frames)
    drive = tesla.open(tmp_path)
    assert drive.lost == ("SEI: 4 values are outside what a car can do",)
    assert np.isnan(drive.telemetry.columns["speed_mps"][5])
    assert "steering_wheel_deg" in drive.telemetry


def test_another_camera_speaks_where_the_front_is_silent(tmp_path):
    write(tmp_path, [None] * 600)
    write(tmp_path, world(), camera="back")
    drive = tesla.open(tmp_path)
    assert set(drive.cameras) == {"front", "back"}
    assert len(drive.telemetry) == 600


# Folders, minutes, clocks


def test_six_cameras_and_three_minutes_are_one_drive(tmp_path):
    minutes(tmp_path, world(180), tesla.CAMERAS, late_s=(0, 1, 0))
    for junk in (".DS_Store", f"._{name(0)}", "thumb.png", "event.mp4", "2026-03-01_10-00-00-dash.mp4", "x.csv"):
        (tmp_path / junk).write_bytes(b"junk")
    assert tesla.matches(tmp_path) == [tmp_path]
    drive = tesla.open(tmp_path)
    assert tuple(drive.cameras) == tesla.CAMERAS
    for camera in drive.cameras.values():
        np.testing.assert_array_equal(camera.frame_times(), T0_NS + np.arange(1800) * STEP_NS)
    np.testing.assert_array_equal(drive.telemetry.t_ns, T0_NS + np.arange(1800) * STEP_NS)
    assert [number_in(f) for _, f in drive.cameras["back"].frames(T0_NS + 599 * STEP_NS, T0_NS + 602 * STEP_NS)] == [
        599,
        600,
        601,
    ]
    assert drive.lost == ()


def test_a_folder_of_several_drives_gives_one_path_each(tmp_path):
    for start_s, camera in ((0, "front"), (0, "back"), (60, "front"), (60, "back"), (126, "back"), (500, "front")):
        write(tmp_path, [None] * 20, start_s, camera)
    wanted = [name(0), name(126, "back"), name(500)]
    assert [path.name for path in tesla.matches(tmp_path)] == wanted
    drives = [tesla.open(path) for path in tesla.matches(tmp_path)]
    assert [len(d.cameras["back"].frame_times()) if "back" in d.cameras else 0 for d in drives] == [40, 20, 0]
    assert len({drive.id for drive in drives}) == 3
    alone = tesla.open(tmp_path / name(60))
    assert [len(camera.frame_times()) for camera in alone.cameras.values()] == [20, 20]
    assert tesla.matches(tmp_path / name(60, "back")) == [tmp_path / name(60, "back")]
    with pytest.raises(DriveError, match="holds 3 Tesla drives"):
        tesla.open(tmp_path)


@pytest.mark.parametrize(
    "other",
    ["front.mp4", "2026-03-01_10-00-front.mp4", "2026-13-01_10-00-00-front.mp4", "2026-03-01_10-00-00-front.mp4.part"],
)
def test_other_folders_are_not_claimed(tmp_path, other):
    (tmp_path / other).write_bytes(b"")
    assert tesla.matches(tmp_path) == tesla.matches(tmp_path / other) == []
    assert tesla.matches(tmp_path / "absent") == []


def test_a_late_name_is_a_gap_and_a_count_bridges_it(tmp_path):
    frames = world(40)
    write(tmp_path / "gap", frames[:200])
    write(tmp_path / "gap", [f | {"frame_seq_no": 5 + i} for i, f in enumerate(frames[200:])], 30)
    assert (np.diff(tesla.open(tmp_path / "gap").telemetry.t_ns) / 1e9).max() == pytest.approx(10.1)
    frames[199]["frame_seq_no"] += 16  # one flipped bit does not shift what follows
    write(tmp_path / "counted", frames[:200])
    frames[210]["frame_seq_no"] += 16
    write(tmp_path / "counted", frames[210:], 22)
    drive = tesla.open(tmp_path / "counted")
    assert (np.diff(drive.telemetry.t_ns) / 1e9).max() == pytest.approx(1.1)
    assert drive.lost == (f"10 frames before {name(22)[:19]} are in no file that can be read",)


def test_cameras_named_a_second_apart_are_one_minute(tmp_path):
    for start_s in (0, 20):
        write(tmp_path, world(20), start_s)
        write(tmp_path, [None] * 200, start_s + 1, "left_pillar")
    drive = tesla.open(tmp_path)
    for camera in drive.cameras.values():
        np.testing.assert_array_equal(camera.frame_times(), T0_NS + np.arange(400) * STEP_NS)


def test_overlapping_minutes_count_once(tmp_path):
    write(tmp_path, world(20))
    write(tmp_path, [f | {"frame_seq_no": i, "brake_applied": True} for i, f in enumerate(world(20))], 15)
    drive = tesla.open(tmp_path)
    np.testing.assert_array_equal(drive.telemetry.t_ns, drive.cameras["front"].frame_times())
    assert len(drive.telemetry) == 350
    assert drive.telemetry.columns["brake_pressed"][150:200].tolist() == [f["brake_applied"] for f in world(20)[150:]]


def test_a_file_need_not_begin_at_time_stamp_zero(tmp_path):
    for start_s in (0, 20):
        write(tmp_path, world(20), start_s, late=5120)
    first, second = np.split(tesla.open(tmp_path).cameras["front"].frame_times(), 2)
    assert first[0] == T0_NS + 5 * STEP_NS
    assert second[0] - first[-1] == STEP_NS


@pytest.mark.parametrize(
    ("event", "static"),
    [
        (
            json.dumps({"reason": "user_interaction_honk", "city": "Springfield", "est_lat": "37.77"}),
            "user_interaction_honk",
        ),
        (json.dumps({"reason": "12 Main Street, Springfield"}), None),
        (json.dumps(["reason"]), None),
        ("{", None),
        ("\xff\xfe", None),
        ("[" * 50_000, None),
        (" " * 100_000 + "{}", None),
    ],
)
def test_an_event_gives_its_reason_and_no_place(tmp_path, event, static):
    write(tmp_path, world(2))
    (tmp_path / "event.json").write_text(event)
    drive = tesla.open(tmp_path)
    assert drive.static.get("reason") == static
    assert "Springfield" not in repr(drive)


def test_the_id_is_that_of_the_files_wherever_they_lie(tmp_path):
    write(tmp_path / "a", world(2))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    write(tmp_path / "c", world(2), start_s=1)
    one, same, other = (tesla.open(tmp_path / folder).id for folder in "abc")
    assert one == same != other


# A clip across the border


@pytest.fixture
def eventful(tmp_path):
    """Two minutes, self-driving until 0.7 s before the border."""
    frames = world(120, state=lambda t: (t < 59.25).astype(float))
    return minutes(tmp_path / "SavedClips/2026-03-01_10-02-00", frames, ("front", "back")), frames


def position_bytes(frames):
    numbers = {f[name] for f in frames for name in ("latitude_deg", "longitude_deg")}
    return {struct.pack("<d", number) for number in numbers}


@pytest.mark.parametrize("position", [True, False])
def test_a_clip_crosses_the_border_and_its_video_holds_no_position(eventful, tmp_path, position):
    folder, frames = eventful
    drive = tesla.open(folder)
    recorded = (folder / name(0)).read_bytes()
    assert sum(where in recorded for where in position_bytes(frames[:600])) > 1000
    clips = list(cut(scan(drive, 0.0), tmp_path / "out", position))
    (written,) = [w for w in clips if any(e.kind == "disengagement" for e in w.stretch.events)]
    assert written.stretch.first < 59 < 60 < written.stretch.end
    for camera in ("front", "back"):
        video = (written.folder / f"{camera}.mp4").read_bytes()
        assert not [where for where in position_bytes(frames) if where in video]
        with av.open(str(written.folder / f"{camera}.mp4")) as container:
            shown = [number_in(frame) for frame in container.decode(video=0)]
        first = shown[0]
        assert shown == list(range(first, first + len(shown)))
        assert first <= written.stretch.first * FPS < 600 < shown[-1]
    telemetry = native.open(written.folder).telemetry
    assert ("lat_deg" in telemetry) == position
    assert any(e.kind == "disengagement" for e in detect(telemetry, drive.vehicle).events)


# Damage


def opened(path):
    """The drive, or None where it was refused; anything else fails the test."""
    try:
        drive = tesla.open(path)
    except DriveError:
        return None
    assert drive.seconds < 3600
    detect(drive.telemetry, drive.vehicle)
    return drive


def test_a_minute_that_cannot_be_opened_costs_itself(tmp_path):
    minutes(tmp_path, world(180), ("front", "back"))
    for damage in (b"", (tmp_path / name(60)).read_bytes()[:30_000]):
        (tmp_path / name(60)).write_bytes(damage)
        drive = tesla.open(tmp_path)
        assert any(f"{name(60)} cannot be opened" in line for line in drive.lost)
        assert len(drive.cameras["front"].frame_times()) == 1200
        np.testing.assert_array_equal(drive.cameras["back"].frame_times(), T0_NS + np.arange(1800) * STEP_NS)
        assert drive.cameras["front"].frame_times()[600] == T0_NS + 1200 * STEP_NS
    for camera in ("front", "back"):
        (tmp_path / name(0, camera)).write_bytes(b"")
    assert tesla.open(tmp_path).t0_ns == T0_NS + 60_000_000_000
    for path in tmp_path.glob("*.mp4"):
        path.write_bytes(b"")
    with pytest.raises(DriveError, match="none of its 6 files can be opened"):
        tesla.open(tmp_path)


def test_a_camera_without_a_whole_file_is_left_out(tmp_path):
    minutes(tmp_path, world(60), ("front", "back"))
    (tmp_path / name(0)).write_bytes(b"")
    drive = tesla.open(tmp_path)
    assert set(drive.cameras) == {"back"}
    assert "front: none of 1 files can be opened" in drive.lost


@pytest.mark.parametrize("options", [{}, {"movflags": "+faststart"}])
def test_a_file_cut_off_anywhere_is_refused_or_salvaged(tmp_path, options):
    path = write(tmp_path, world(), **options)
    whole = path.read_bytes()
    salvaged = []
    for size in range(0, len(whole), 4096):
        path.write_bytes(whole[:size])
        drive = opened(path)
        if drive:
            assert drive.lost
            salvaged.append(len(drive.telemetry))
    assert salvaged == sorted(salvaged)
    assert bool(salvaged) == bool(options)  # with the index at the end, nothing is left to go by


def test_flipped_bits_in_the_sei_cost_single_samples(tmp_path):
    path = write(tmp_path, world(20))
    whole = path.read_bytes()
    starts = [i for i in range(len(whole)) if whole.startswith(b"\x42\x42\x42\x69", i)]
    assert len(starts) == 200
    rng = np.random.default_rng(1)
    for _ in range(30):
        data = bytearray(whole)
        for start in rng.choice(starts, 20, replace=False):
            data[start + int(rng.integers(-3, 90))] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        drive = opened(path)
        assert drive
        assert len(drive.telemetry.samples("speed_mps")[0]) >= 180


@pytest.mark.parametrize(("timescale", "ticks"), [(1, 1024), (1, 2**31 - 1), (10_240, 2**31 - 1)])
def test_damaged_time_stamps_are_no_drive_of_years(tmp_path, timescale, ticks):
    minutes(tmp_path, world(120), ("front", "back"))
    path = tmp_path / name(60)
    data = bytearray(path.read_bytes().replace(b"edts", b"free"))
    for box, offset, number in ((b"mdhd", 16, timescale), (b"stts", 16, ticks)):
        at = data.index(box) + offset
        data[at : at + 4] = struct.pack(">I", number)
    path.write_bytes(data)
    drive = opened(tmp_path)
    assert any(name(60) in line for line in drive.lost)
    assert [len(camera.frame_times()) for camera in drive.cameras.values()] == [600, 1200]


def test_a_tree_of_clips_is_searched_and_only_drives_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(recorders, "RECORDERS", (native, comma2k19, donkeycar, tesla, udacity))
    for folder, start_s in (("RecentClips", 0), ("RecentClips", 900), ("SavedClips/2026-03-01_10-02-00", 60)):
        write(tmp_path / "TeslaCam" / folder, [None] * 10, start_s)
    (tmp_path / "TeslaCam/SentryClips").mkdir()
    found = [(recorder.NAME, path.name) for recorder, path in find_drives(tmp_path)]
    assert found == [("tesla", name(0)), ("tesla", name(900)), ("tesla", "2026-03-01_10-02-00")]
    assert open_drive(tmp_path / "TeslaCam/SavedClips").recorder == "tesla"


@pytest.mark.real
def test_real_packets_carry_it_too(real, tmp_path):
    frames = world(30)
    source = real / "udacity_ch2_001/ch2_001_head.mp4"
    with av.open(str(source)) as container:
        shown = [packet.pts for packet in container.demux(video=0) if packet.size][:300]
    units = [[sei(protobuf(**frames[number]))] for number in np.argsort(np.argsort(shown))]  # it has B-frames
    path = insert(str(source), tmp_path / name(0), units, limit=300)
    track = read_track(path)
    assert (track.frame_ns.size, track.frame.size, track.damaged) == (300, 300, 0)
    np.testing.assert_array_equal(track.values["frame_seq_no"], 7000 + np.arange(300))
    drive = tesla.open(tmp_path)
    np.testing.assert_array_equal(drive.telemetry.t_ns, drive.cameras["front"].frame_times())
    (written, *_) = cut(scan(drive, 1.0), tmp_path / "out", position=False)
    copied = (written.folder / "front.mp4").read_bytes()
    assert not [where for where in position_bytes(frames) if where in copied]
