"""openpilot routes: logs written with the real schema and read back; signs, who drove, borders, damage."""

import bz2
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from makers.openpilot import (
    DONGLE,
    NEW,
    OLD,
    START_S,
    drive_messages,
    encode_index,
    event,
    streamed,
    write,
    write_route,
    write_video,
)
from openpilot_logging.cereal import log as schema

from edge.cut import cut
from edge.errors import DriveError
from edge.formats.openpilot_cameras import MAX_FRAMES, frame_times
from edge.formats.openpilot_log import _schema, read_log
from edge.formats.openpilot_reasons import OF_DRIVER, OF_SYSTEM, PEDALS
from edge.recorders import comma2k19, donkeycar, native, openpilot, udacity
from edge.scan import scan
from edge.video.remux import copy_stretch
from trigger.detect import detect
from trigger.signals import ControlSource, EndReason
from trigger.telemetry import Telemetry

HUMAN, SYSTEM, SHARED = ControlSource.HUMAN, ControlSource.SYSTEM, ControlSource.SHARED


def opened(path):
    (where,) = openpilot.matches(path)
    return openpilot.open(where)


def newer(number, t_s=START_S):
    """A message of a kind that the schema lacks, by the number of the union's member."""
    message = bytearray(event(t_s, "userFlag"))
    where = 16 + 2 * schema.Event.schema.node.struct.discriminantOffset
    message[where : where + 2] = number.to_bytes(2, "little")
    return bytes(message)


# Paths


@pytest.mark.parametrize("name", [f"{DONGLE}|{OLD}--0", f"{DONGLE}_{NEW}--0", f"{OLD}--0", f"{NEW}--0"])
@pytest.mark.parametrize("file", ["rlog", "rlog.bz2", "rlog.zst", "raw_log.bz2", "qlog.zst"])
def test_every_name_and_packing_gives_the_same_drive(tmp_path, name, file):
    folder = write(tmp_path / name / file, drive_messages(seconds=1.0))
    for path in (folder, tmp_path):
        drive = opened(path)
        assert drive.id == f"openpilot-{name.replace('|', '_')}"
        assert drive.telemetry.samples("speed_mps")[1].tolist() == [15.0] * 100
        assert drive.t0_ns == round(START_S * 1e9)
        assert drive.lost == ()
    assert not [r.NAME for r in (native, comma2k19, donkeycar, udacity) if r.matches(folder) or r.matches(tmp_path)]


def test_loose_files_of_the_explorer(tmp_path):
    for number in (0, 1):
        stem = f"{DONGLE}_{NEW}--{number}"
        index = encode_index("roadEncodeIdx", START_S + 3 * number, range(60))
        write(tmp_path / f"{stem}--rlog.zst", drive_messages(START_S + 3 * number, 3.0) + index)
        write_video(tmp_path / f"{stem}--fcamera.hevc", range(60 * number, 60 * number + 60))
        (tmp_path / f"{stem}--dcamera.hevc").write_bytes(b"a face")
    assert [p.name for p in openpilot.matches(tmp_path)] == [f"{DONGLE}_{NEW}--0--rlog.zst"]
    drive = opened(tmp_path)
    assert drive.id == f"openpilot-{DONGLE}_{NEW}"
    assert len(drive.cameras["front"].frame_times()) == 120
    assert openpilot.matches(tmp_path / f"{DONGLE}_{NEW}--1--dcamera.hevc") == []
    assert opened(tmp_path / f"{DONGLE}_{NEW}--1--rlog.zst").id == f"openpilot-{DONGLE}_{NEW}--1"


def test_a_route_is_named_by_its_first_segment_and_a_later_one_is_itself(tmp_path):
    for route, numbers in ((NEW, (9, 10, 12)), (OLD, (0, 1))):  # 10 comes after 9, not before
        for number in numbers:
            write(tmp_path / f"{route}--{number}" / "rlog.zst", drive_messages(START_S + number * 2, 2.0))
    assert [p.name for p in openpilot.matches(tmp_path)] == [f"{NEW}--9", f"{OLD}--0"]
    whole = opened(tmp_path / f"{NEW}--9")
    assert whole.id == f"openpilot-{NEW}"
    assert whole.telemetry.duration_s == pytest.approx(7.994)
    assert [n for n in whole.notes if "missing" in n] == ["segments are missing from 11 on"]
    alone = opened(tmp_path / f"{NEW}--10")
    assert (alone.id, alone.telemetry.duration_s) == (f"openpilot-{NEW}--10", pytest.approx(1.994))


@pytest.mark.parametrize("name", ["rlog.zst", f"{DONGLE}|{OLD}/0/rlog", f"{NEW}--x/rlog", f"{NEW}--0/dcamera.hevc"])
def test_what_is_not_a_segment_is_left_to_others(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    assert [found for p in (tmp_path, *tmp_path.rglob("*")) for found in openpilot.matches(p)] == []


def test_a_segment_that_is_still_written_is_left_alone(tmp_path):
    for number in (0, 1):
        write(tmp_path / f"{NEW}--{number}" / "rlog", drive_messages(START_S + 2 * number, 2.0))
    (tmp_path / f"{NEW}--1" / "rlog.lock").touch()
    drive = opened(tmp_path)
    assert drive.telemetry.duration_s < 2.0
    assert "segment 1 is still being written: left out" in drive.notes
    with pytest.raises(DriveError, match="still being written"):
        openpilot.open(tmp_path / f"{NEW}--1")


# Signals


def test_signs_and_units(tmp_path):
    def car(t_s):
        return {"gas": 0.25 if t_s > 1 else 0.0, "gasPressed": t_s > 1, "brake": 0.3, "leftBlinker": True}

    messages = drive_messages(seconds=2.0, car=car)
    messages += [event(START_S + i / 20, "livePose", {"angularVelocityDevice.z": -0.1}) for i in range(40)]
    valid = {"angularVelocityDevice.z": -0.1, "angularVelocityDevice.valid": True}
    messages += [event(START_S + 1 + i / 20, "livePose", valid) for i in range(20)]
    fix = {"latitude": 37.5, "longitude": -122.25, "bearingDeg": 270.0, "speed": 15.0}
    messages += [event(START_S + 0.5, "gpsLocationExternal", fix | {"hasFix": True})]
    messages += [event(START_S + 0.6, "gpsLocationExternal", fix | {"flags": 1, "speed": 0.1})]
    messages += [event(START_S + 0.7, "gpsLocationExternal", {"hasFix": True})]  # at 0, 0
    messages += [event(START_S + 0.8, "gpsLocationExternal", fix)]  # no fix
    messages += [event(START_S, "carParams", wheelbase=2.7, steerRatio=13.5, carFingerprint="A CAR", carVin="SECRET")]
    messages += [event(START_S - 900, "initData", version="0.9.8", dongleId="SECRET")]  # of the start of the route
    drive = opened(write(tmp_path / f"{NEW}--0" / "rlog.zst", messages))
    values = {name: drive.telemetry.samples(name)[1] for name in drive.telemetry}
    np.testing.assert_allclose(values["steering_wheel_deg"], 10 * np.sin(np.arange(200) / 100), atol=1e-5)
    assert values["accel_long_mps2"].tolist() == [0.5] * 200
    assert set(values["gas_fraction"].tolist()) == {0.0, 0.25}
    assert values["gas_pressed"].sum() == 99
    assert (values["blinker_left"].all(), values["blinker_right"].any()) == (True, False)
    np.testing.assert_allclose(values["yaw_rate_dps"], np.full(20, np.degrees(0.1)), rtol=1e-6)
    assert (values["lat_deg"].tolist(), values["lon_deg"].tolist()) == ([37.5] * 2, [-122.25] * 2)
    assert values["heading_deg"].tolist() == [270.0]
    assert not {"brake_fraction", "steering_torque_nm"} & set(values)
    assert (drive.vehicle.wheelbase_m, drive.vehicle.steering_ratio) == (2.7, 13.5)
    assert (drive.static["car"], drive.static["openpilot"]) == ("A CAR", "0.9.8")
    assert "SECRET" not in repr(drive) + json.dumps(drive.static)
    assert drive.lost == ()


def test_calibrated_yaw_rate_where_the_log_is_older(tmp_path):
    def turning(z, valid):
        message = schema.Event.new_message()
        message.logMonoTime = round(START_S * 1e9)
        measured = message.init("liveLocationKalmanDEPRECATED").angularVelocityCalibrated
        measured.value, measured.valid = [0.0, 0.0, z][: 3 if z else 0], valid
        return message.to_bytes()

    drive = opened(write(tmp_path / f"{OLD}--0" / "rlog.bz2", [*drive_messages(seconds=1.0), turning(0.2, True)]))
    assert drive.telemetry.samples("yaw_rate_dps")[1].tolist() == [pytest.approx(-np.degrees(0.2))]
    drive = opened(write(tmp_path / f"{OLD}--0" / "rlog.bz2", [*drive_messages(seconds=1.0), turning(0.2, False)]))
    assert "yaw_rate_dps" not in drive.telemetry
    drive = opened(write(tmp_path / f"{OLD}--0" / "rlog.bz2", [*drive_messages(seconds=1.0), turning(None, False)]))
    assert ("yaw_rate_dps" not in drive.telemetry, drive.lost) == (True, ())


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_mirrored_steering_angle_is_noticed(tmp_path, mirrored):
    messages = drive_messages(seconds=10.0)  # steers left first; left is negative about an axis that points down
    for i in range(200):
        z = (1 if mirrored else -1) * 0.2 * math.sin(i / 20)
        turning = {"angularVelocityDevice.z": z, "angularVelocityDevice.valid": True}
        messages.append(event(START_S + i / 20, "livePose", turning))
    drive = opened(write(tmp_path / f"{NEW}--0" / "rlog", messages))
    assert any("opposite signs" in note for note in drive.notes) == mirrored


@pytest.mark.parametrize(
    ("gas", "taken"), [((0.0, 0.4, 1.0), True), ((0.0, 1.0), False), ((0.0, 0.0), False), ((0.0, 37.5), False)]
)
def test_gas_is_a_fraction_only_where_it_is_a_pedal(tmp_path, gas, taken):
    def car(t_s):
        value = gas[int(t_s * 100) % len(gas)]
        return {"gas": value, "gasPressed": value > 0}

    drive = opened(write(tmp_path / f"{NEW}--0" / "rlog", drive_messages(seconds=1.0, car=car)))
    assert ("gas_fraction" in drive.telemetry) == taken
    assert any("no fraction of a pedal" in note for note in drive.notes) == (max(gas) > 1)
    assert "gas_pressed" in drive.telemetry


def test_messages_out_of_order_are_sorted(tmp_path):
    messages = drive_messages(seconds=2.0, engaged=((0.5, 1.5),))
    straight = opened(write(tmp_path / "a" / f"{NEW}--0" / "rlog", messages)).telemetry
    shuffled = [messages[i] for i in np.random.default_rng(1).permutation(len(messages))]
    mixed = opened(write(tmp_path / "b" / f"{NEW}--0" / "rlog", shuffled)).telemetry
    np.testing.assert_array_equal(mixed.t_ns, straight.t_ns)
    for name in straight:
        np.testing.assert_array_equal(mixed.columns[name], straight.columns[name])


# What the car says, and the route as a whole


def test_the_vehicle_ahead_and_what_the_car_says(tmp_path):
    def car(t_s):
        return {"stockFcw": t_s > 1.5, "stockAeb": t_s > 1.8}

    messages = drive_messages(seconds=2.0, car=car)
    for i, there in enumerate((True, False, True)):
        lead = {"leadOne.status": there, "leadOne.dRel": 30.0 - i, "leadOne.vRel": -2.5}
        messages.append(event(START_S + i / 2, "radarState", lead))
    telemetry = opened(write(tmp_path / f"{NEW}--0" / "rlog", messages)).telemetry
    assert telemetry.samples("lead_distance_m")[1].tolist() == [30.0, 28.0]
    assert telemetry.samples("lead_closing_mps")[1].tolist() == [2.5, 2.5]  # we are faster: it comes nearer
    assert telemetry.samples("collision_warning")[1].sum() == 49
    assert telemetry.samples("emergency_braking")[1].sum() == 19
    assert "stability_control" not in telemetry  # never set: the car may not say


@pytest.mark.parametrize("mark", [event(START_S + 1, "userFlag"), newer(146, START_S + 1)])
def test_a_bookmark_by_the_screen_or_the_button(tmp_path, mark):
    drive = opened(write(tmp_path / f"{NEW}--0" / "rlog", [*drive_messages(seconds=2.0), mark]))
    t_ns, values = drive.telemetry.samples("bookmark")
    assert (t_ns[0], values.tolist()) == (round((START_S + 1) * 1e9), [1.0, 0.0])
    assert drive.static["bookmarks"] == [t_ns[0]]


REASONS = [
    (["pedalPressed"], {"brakePressed": True}, EndReason.BRAKE),
    (["pedalPressed"], {"gasPressed": True}, EndReason.GAS),
    (["pedalPressed"], {"gasPressed": True, "brakePressed": True}, EndReason.BRAKE),
    (["pedalPressed"], {}, EndReason.BRAKE),  # a paddle
    (["brakeHold"], {}, EndReason.BRAKE),
    (["steerOverride"], {}, EndReason.STEERING),
    (["buttonCancel"], {"brakePressed": True}, EndReason.BUTTON),
    (["canError", "buttonCancel"], {}, EndReason.BUTTON),
    (["speedTooLow", "controlsMismatch"], {}, EndReason.FAULT),
    (["speedTooLow"], {}, EndReason.PLANNED),
    (["doorOpen"], {}, EndReason.UNKNOWN),
    (["pcmDisable"], {}, EndReason.UNKNOWN),
    ([], {"brakePressed": True}, EndReason.UNKNOWN),
]


@pytest.mark.parametrize(("names", "pressed", "reason"), REASONS)
def test_why_an_engagement_ended(tmp_path, names, pressed, reason):
    messages = drive_messages(seconds=3.0, engaged=((0, 2.0),), car=lambda t: pressed if 1.95 < t < 2.1 else {})
    ending = [{"name": name, "userDisable": True} for name in names]
    messages += [event(START_S + 1.99, "onroadEvents", ending), event(START_S + 2.5, "onroadEvents", [])]
    drive = opened(write(tmp_path / f"{NEW}--0" / "rlog", messages))
    t_ns, told = drive.telemetry.samples("end_reason")
    assert (t_ns.tolist(), told.tolist()) == ([round((START_S + 2.003) * 1e9)], [reason])
    assert drive.static["reasons"] == [[t_ns[0], names]]


def test_every_name_that_gives_a_reason_is_in_the_schema():
    car = schema.Event.schema.fields["onroadEventsDEPRECATED"]
    known = set(schema.OnroadEvent.schema.fields["name"].schema.enumerants)
    known |= set(car.schema.elementType.fields["name"].schema.enumerants)
    named = PEDALS.union(*OF_DRIVER.values(), *OF_SYSTEM.values())
    assert named <= known


def eventful(seconds=30):
    """Messages with their times; engagements end where segments of 6 s meet, and the better receiver comes late."""
    noise = np.random.default_rng(3)
    told = [
        (8.0, "onroadEvents", [{"name": "pedalPressed", "userDisable": True}]),
        (9.0, "onroadEvents", []),
        (11.97, "onroadEvents", [{"name": "buttonCancel", "userDisable": True}]),
        (13.0, "onroadEvents", []),
        (18.05, "onroadEvents", [{"name": "commIssue", "softDisable": True}]),
        (20.0, "onroadEvents", []),
        (14.0, "userFlag", {}),
    ]
    engaged = ((3, 8.01), (10, 11.999), (13, 17.99), (19, 25))
    for i in range(seconds * 50):
        t_s = i / 50
        on = any(a <= t_s < b for a, b in engaged)
        pedals = {"gasPressed": 7.9 < t_s < 8.2, "brakePressed": 17.9 < t_s < 18.1, "gas": 0.3}
        car = {"vEgo": float(noise.normal(15)), "steeringPressed": 5 < t_s < 6.1, "cruiseState.enabled": on} | pedals
        told.append((t_s, "carState", car))
        told.append((t_s + 0.003, "selfdriveState", {"enabled": on}))
        told.append((t_s + 0.003, "controlsState", {}))
        told.append((t_s + 0.004, "carControl", {"enabled": on, "latActive": on and t_s > 14}))
        fix = {"longitude": 1.0 + t_s, "hasFix": True, "speed": 9.0, "bearingDeg": 3.0}
        if i % 5 == 0:
            told.append((t_s + 0.002, "gpsLocation", {"latitude": 37.0} | fix))
        if i % 5 == 0 and t_s > 16:
            told.append((t_s + 0.001, "gpsLocationExternal", {"latitude": 38.0} | fix))
    return [(t_s, event(START_S + t_s, kind, fields)) for t_s, kind, fields in told]


@pytest.mark.parametrize("kept_cells", [1 << 30, 0])
@pytest.mark.parametrize("jitter_s", [0.0, 1.0])
def test_a_route_says_segment_by_segment_what_it_says_in_one_piece(tmp_path, monkeypatch, jitter_s, kept_cells):
    """Also where messages land in the file of the next segment, and where early segments were misunderstood."""
    messages = eventful()
    whole = opened(write(tmp_path / "whole" / f"{NEW}--0" / "rlog", [content for _, content in messages]))
    late = np.random.default_rng(1).uniform(0.0, jitter_s, len(messages))
    for number in range(5):
        inside = [m for (t_s, m), by_s in zip(messages, late, strict=True) if min(4, (t_s + by_s) // 6) == number]
        write(tmp_path / "route" / f"{NEW}--{number}" / "rlog", inside)
    monkeypatch.setattr("edge.gathered.KEPT_CELLS", kept_cells)
    route = opened(tmp_path / "route")
    assert isinstance(route.telemetry, Telemetry) == bool(kept_cells)
    assert set(route.telemetry) == set(whole.telemetry)
    for name in whole.telemetry:
        for here, there in zip(route.telemetry.samples(name), whole.telemetry.samples(name), strict=True):
            np.testing.assert_array_equal(here, there, err_msg=name)
    assert route.static == whole.static
    assert set(whole.telemetry.samples("lat_deg")[1]) == {38.0}
    assert whole.telemetry.samples("end_reason")[1].tolist() == [EndReason.GAS, EndReason.BUTTON, EndReason.FAULT, 0]
    assert detect(route.telemetry, route.vehicle).events == detect(whole.telemetry, whole.vehicle).events


# Who drove


@pytest.mark.parametrize(
    ("control", "car", "steering", "speed"),
    [
        ({"enabled": True, "latActive": True, "longActive": True}, {}, SYSTEM, SYSTEM),
        ({"enabled": True, "latActive": True, "longActive": True}, {"steeringPressed": True}, SHARED, SYSTEM),
        ({"enabled": True, "latActive": True}, {"gasPressed": True}, SYSTEM, SHARED),  # overriding
        ({"enabled": True, "latActive": True, "longActive": True}, {"brakePressed": True}, SYSTEM, SHARED),
        ({"enabled": True, "latActive": True}, {"cruiseState.enabled": True}, SYSTEM, SYSTEM),  # the car's own ACC
        ({"enabled": True, "latActive": True}, {}, SYSTEM, HUMAN),
        ({"enabled": True, "longActive": True}, {"steeringPressed": True}, HUMAN, SYSTEM),  # too slow to steer
        ({}, {"gasPressed": True, "steeringPressed": True}, HUMAN, HUMAN),
        ({}, {"cruiseState.enabled": True}, HUMAN, SYSTEM),
    ],
)
def test_who_drove(tmp_path, control, car, steering, speed):
    messages = drive_messages(seconds=1.0, engaged=((0, 1),))
    messages += [event(START_S + 2, "carState", car), event(START_S + 2.1, "carControl", control)]
    telemetry = opened(write(tmp_path / f"{NEW}--0" / "rlog", messages)).telemetry
    assert telemetry.samples("control_source_steering")[1][-1] == steering
    assert telemetry.samples("control_source_speed")[1][-1] == speed


def test_who_drove_is_unknown_without_the_drivers_state(tmp_path):
    messages = [*drive_messages(seconds=1.0), event(START_S + 3, "carControl", enabled=True, latActive=True)]
    telemetry = opened(write(tmp_path / f"{NEW}--0" / "rlog", messages)).telemetry
    assert telemetry.samples("control_source_steering")[1][-1] == ControlSource.UNKNOWN


@pytest.mark.parametrize("old", [False, True])
def test_a_disengagement_and_its_reason(tmp_path, old):
    kind = "onroadEventsDEPRECATED" if old else "onroadEvents"
    messages = drive_messages(seconds=12.0, engaged=((1, 5.0), (8, 8.2)), old=old)
    brake = {"name": "pedalPressed", "userDisable": True}
    for t_s, events in (
        (3.0, [{"name": "buttonCancel", "userDisable": True}]),
        (4.0, [{"name": "laneChange", "warning": True}, {"name": "commIssue", "softDisable": True}]),
        (5.001, [{"name": "laneChange", "warning": True}, brake]),
        (5.9, [{"name": "doorOpen", "softDisable": True}]),
        (7.0, []),
    ):
        messages.append(event(START_S + t_s, kind, events))
    messages += [event(START_S + 5.5, "userFlag"), event(START_S + 2.5, "userFlag")]
    drive = opened(write(tmp_path / f"{OLD if old else NEW}--0" / "rlog.zst", messages))
    (found,) = [e for e in detect(drive.telemetry, drive.vehicle).events if e.kind == "disengagement"]
    ends = [round((START_S + t) * 1e9) for t in (5.003, 8.203)]
    assert found.t_ns == ends[0]  # 8.0 to 8.2 s is too short to be one
    assert drive.static["reasons"] == [[ends[0], ["commIssue", "pedalPressed"]], [ends[1], []]]
    assert drive.static["bookmarks"] == [round((START_S + t) * 1e9) for t in (2.5, 5.5)]
    assert "openpilot is enabled" in drive.engagement
    telemetry = drive.telemetry
    sources = telemetry.at("control_source_steering", drive.t0_ns + np.array([4_500_000_000, 5_500_000_000]), 1.0)
    assert sources.tolist() == [SYSTEM, HUMAN]


def test_without_engagement_nothing_is_said_of_it(tmp_path):
    messages = [event(START_S + i / 10, "carState", vEgo=10.0) for i in range(30)]
    drive = opened(write(tmp_path / f"{NEW}--0" / "qlog", messages))
    assert (drive.engagement, drive.static["reasons"]) == ("", [])
    assert not [name for name in drive.telemetry if name.startswith(("engaged", "control_source"))]
    assert "qlog only, a tenth of the rate: segments 0" in drive.notes


# Cameras


@pytest.mark.parametrize(
    ("file", "kind", "codec", "name"),
    [
        ("fcamera.hevc", "roadEncodeIdx", "libx265", "front"),
        ("ecamera.hevc", "wideRoadEncodeIdx", "libx265", "wide"),
        ("qcamera.ts", "qRoadEncodeIdx", "libx264", "front"),
        ("qcamera.ts", "roadEncodeIdx", "libx264", "front"),
    ],
)
def test_a_cut_crosses_the_border_of_two_segments(tmp_path, file, kind, codec, name):
    drive = opened(write_route(tmp_path, file, kind, codec))
    camera = drive.cameras[name]
    assert (list(drive.cameras), drive.lost) == ([name], ())
    np.testing.assert_allclose(camera.frame_times() / 1e9, START_S + np.arange(120) / 20, atol=1e-9)
    start_ns = round((START_S + 2.5) * 1e9)
    copied = copy_stretch(camera, start_ns, start_ns + 1_000_000_000, tmp_path / "cut.mp4")
    assert len(copied.frame_times()) == 20
    shown = [frame.to_ndarray(format="gray").astype(int) for _, frame in copied.frames()]
    wanted = [frame.to_ndarray(format="gray").astype(int) for _, frame in camera.frames(start_ns, start_ns + 10**9)]
    assert [np.abs(a - b).max() for a, b in zip(shown, wanted, strict=True)] == [0] * 20


def test_clips_are_cut_from_a_route(tmp_path):
    drive = opened(write_route(tmp_path / "route"))
    (written,) = list(cut(scan(drive, 1.0), tmp_path / "out"))
    assert written.stretch.end - written.stretch.first == 6


def test_the_drivers_camera_is_never_opened(tmp_path):
    folder = write_route(tmp_path, segments=1) / f"{NEW}--0"
    (folder / "dcamera.hevc").write_bytes(b"a face" * 1000)
    data = read_log(folder / "rlog.zst")
    write(folder / "rlog", drive_messages(seconds=3.0) + encode_index("driverEncodeIdx", START_S, range(60)))
    (folder / "rlog.zst").unlink()
    (folder / "dcamera.hevc").chmod(0)
    drive = opened(folder)
    assert list(drive.cameras) == []
    assert "dcamera" not in repr(drive)
    assert not [
        kind for log in (data, read_log(folder / "rlog")) for kind in (*log.tables, *log.told) if "driver" in kind
    ]


def test_the_preview_stands_in_only_where_the_route_has_no_road_camera(tmp_path):
    write_route(tmp_path)
    write_video(tmp_path / f"{NEW}--1" / "qcamera.ts", range(60), "libx264")
    (tmp_path / f"{NEW}--1" / "fcamera.hevc").unlink()
    drive = opened(tmp_path)
    assert len(drive.cameras["front"].frame_times()) == 60
    assert drive.lost == ("fcamera.hevc is absent in 1 of 2 segments",)


def test_a_preview_that_breaks_off_is_kept_as_far_as_it_fits(tmp_path):
    write_route(tmp_path, "qcamera.ts", "qRoadEncodeIdx", "libx264", segments=1)
    video = tmp_path / f"{NEW}--0" / "qcamera.ts"
    whole = video.read_bytes()
    video.write_bytes(whole[: len(whole) * 2 // 3 // 188 * 188])
    drive = opened(tmp_path)
    assert 30 < len(drive.cameras["front"].frame_times()) < 60
    assert any("of 60 frames could not be read" in line for line in drive.lost)
    write_video(video, range(100), "libx264", bf="0", g="20")
    messages = drive_messages(seconds=3.0) + encode_index("qRoadEncodeIdx", START_S, [*range(10), *range(30, 90)])
    write(tmp_path / f"{NEW}--0" / "rlog.zst", messages)
    assert len(opened(tmp_path).cameras["front"].frame_times()) == 90


def test_a_preview_whose_own_stamps_contradict_the_index_is_left_out(tmp_path):
    write_route(tmp_path, "qcamera.ts", "qRoadEncodeIdx", "libx264", segments=1)
    index = encode_index("qRoadEncodeIdx", START_S, range(30)) + encode_index(
        "qRoadEncodeIdx", START_S + 1, range(30, 70)
    )
    write(tmp_path / f"{NEW}--0" / "rlog.zst", drive_messages(seconds=3.0) + index)
    drive = opened(tmp_path)
    assert drive.cameras == {}
    assert drive.lost == ("segment 0: qcamera.ts is left out: its 60 frames do not fit their 70 times",)


@pytest.mark.parametrize("damage", [lambda p: p.write_bytes(b"no video" * 99), lambda p: p.write_bytes(b"")])
def test_a_damaged_video_costs_itself(tmp_path, damage):
    write_route(tmp_path)
    damage(tmp_path / f"{NEW}--0" / "fcamera.hevc")
    drive = opened(tmp_path)
    assert len(drive.cameras["front"].frame_times()) == 60
    assert any(line.startswith("segment 0: ") and "fcamera.hevc" in line for line in drive.lost)
    damage(tmp_path / f"{NEW}--1" / "fcamera.hevc")
    assert opened(tmp_path).cameras == {}


def test_a_video_without_an_index_is_left_out(tmp_path):
    write_route(tmp_path, segments=1)
    write(tmp_path / f"{NEW}--0" / "rlog.zst", drive_messages(seconds=3.0))
    drive = opened(tmp_path)
    assert drive.cameras == {}
    assert drive.lost == ("segment 0: fcamera.hevc is left out: the log has no index of its frames (roadEncodeIdx)",)


def test_a_short_video_and_a_short_index_are_said(tmp_path):
    folder = write_route(tmp_path, segments=1) / f"{NEW}--0"
    write_video(folder / "fcamera.hevc", range(50))
    assert opened(folder).lost == ("fcamera.hevc: 10 of 60 frames could not be read",)
    write_video(folder / "fcamera.hevc", range(80))
    assert opened(folder).lost == ("fcamera.hevc: 20 of 80 frames have no time",)
    index = encode_index("roadEncodeIdx", START_S, [n for n in range(80) if n not in (3, 40, 41)])
    write(folder / "rlog.zst", drive_messages(seconds=3.0) + index)
    drive = opened(folder)
    np.testing.assert_allclose(drive.cameras["front"].frame_times() / 1e9, START_S + np.arange(80) / 20, atol=1e-9)
    assert drive.lost == ("segment 0: fcamera.hevc: the times of 3 of 80 frames are placed between their neighbours'",)


def rows(numbers, t0=10**12, step=50_000_000, sof=True):
    return [(t0 + n * step + 10**8, n, (t0 + n * step) * sof, t0 + n * step + 20_000_000) for n in numbers]


def test_frame_times_prefer_the_start_of_the_exposure():
    times, guessed = frame_times(rows(range(100)), 100)
    assert (times.tolist(), guessed) == ([10**12 + n * 50_000_000 for n in range(100)], 0)
    times, guessed = frame_times(rows(range(100), sof=False)[::-1], 100)
    assert (times[0], len(times), guessed) == (10**12 + 20_000_000, 100, 0)


def test_frames_encoded_before_the_recorder_ran_are_in_neither_file_nor_index():
    times, guessed = frame_times(rows(range(20, 120)), 100)
    assert (times[0], len(times), guessed) == (10**12 + 20 * 50_000_000, 100, 0)
    times, guessed = frame_times(rows(range(2, 120)), 120)  # as many frames as the last number says: two lost
    assert (times[0], len(times), guessed) == (10**12, 120, 2)


@pytest.mark.parametrize("wrong", [(1 << 63, 0, 0), (0, 7, 10**12 + 9), (0, 4_000_000_000, 0), (0, 50, 10**12 + 9**9)])
def test_a_damaged_index_message_is_placed_between_its_neighbours(wrong):
    index = rows(range(100))
    index[30] = (wrong[0] or index[30][0], wrong[1] or 30, wrong[2] or index[30][2], 0)
    times, guessed = frame_times(index, 100)
    np.testing.assert_allclose(times, 10**12 + np.arange(100) * 50_000_000, atol=1)
    assert 1 <= guessed <= 4


@pytest.mark.parametrize("index", [[], rows([0]), [(10**12 + n, n, 5, 5) for n in range(9)], rows(range(9), step=-1)])
def test_no_usable_index_gives_no_times(index):
    assert frame_times(index, 9)[0].size == 0


# Damage


@pytest.mark.parametrize("file", ["rlog", "rlog.bz2", "rlog.zst"])
@pytest.mark.parametrize("share", [0.3012, 0.7012, 0.9992])
def test_a_log_that_breaks_off_keeps_what_stands_before(tmp_path, file, share):
    noise = np.random.default_rng(5)
    messages = drive_messages(seconds=30.0, car=lambda t: {"vEgo": float(noise.normal(15))})
    packed = {"rlog": bytes, "rlog.bz2": lambda data: bz2.compress(data, 1), "rlog.zst": streamed}[file]
    path = write(tmp_path / f"{NEW}--0" / file, messages, packed) / file
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    drive = opened(tmp_path)
    seconds = drive.telemetry.duration_s
    assert 30 * share - (9 if file == "rlog.bz2" else 4) < seconds < 30 * share + 1
    assert drive.lost == (f"segment 0: {file} breaks off or is damaged after {seconds:.1f} s",)
    times, speed = drive.telemetry.samples("speed_mps")
    truth = np.random.default_rng(5).normal(15, size=times.size)
    np.testing.assert_allclose(speed, truth, rtol=1e-6)


def test_the_last_message_alone_is_lost(tmp_path):
    messages = drive_messages(seconds=2.0, engaged=((0, 1),))
    drive = opened(write(tmp_path / f"{NEW}--0" / "rlog", b"".join(messages)[:-8]))
    assert drive.telemetry.samples("engaged")[0].size == 200
    assert drive.telemetry.samples("control_source_speed")[0].size == 199
    assert drive.lost == ("segment 0: rlog breaks off or is damaged after 2.0 s",)


def test_a_log_cut_between_two_messages_has_no_end_mark(tmp_path):
    messages = [*drive_messages(seconds=1.0), event(START_S + 1, "sentinel", type="endOfSegment")]
    drive = opened(write(tmp_path / f"{NEW}--0" / "rlog", messages))
    assert (drive.lost, drive.notes) == ((), ())
    drive = opened(write(tmp_path / f"{NEW}--0" / "rlog", messages[:-1]))
    assert (drive.lost, drive.notes) == (
        (),
        ("no end mark: the recording of segments 0 may have been cut short",),
    )


def test_a_tail_of_zeros_is_no_message(tmp_path):
    drive = opened(write(tmp_path / f"{NEW}--0" / "rlog", b"".join(drive_messages(seconds=2.0)) + bytes(4096)))
    assert drive.telemetry.duration_s == pytest.approx(1.994)
    assert drive.lost == ("segment 0: rlog breaks off or is damaged after 2.0 s",)


def test_frames_that_follow_one_another_are_read(tmp_path):
    data = b"".join(drive_messages(seconds=2.0))
    for file, pack in (("rlog.zst", streamed), ("rlog.bz2", bz2.compress)):
        packed = pack(data[:3000]) + pack(data[3000:])
        assert opened(write(tmp_path / file / f"{NEW}--0" / file, packed, bytes)).lost == ()


def test_the_qlog_gives_the_rest(tmp_path):
    messages = drive_messages(seconds=6.0)
    folder = write(tmp_path / f"{NEW}--0" / "rlog", b"".join(messages[:800])[:-3])
    write(folder / "qlog.zst", messages[::4][::10] + messages[1::4][::10])
    drive = opened(folder)
    assert drive.telemetry.duration_s > 5.8
    assert drive.telemetry.samples("speed_mps")[0].size == 200 + 40
    assert drive.lost[1] == "segment 0: the rest was read from qlog.zst"
    (folder / "rlog").write_bytes(b"")
    assert opened(folder).lost[0] == "segment 0: rlog is empty or damaged from its beginning"


def test_a_message_of_another_hour_is_damage(tmp_path):
    messages = [*drive_messages(seconds=2.0), event(START_S + 3600, "carState", vEgo=9.0), event(9e9, "carState")]
    drive = opened(write(tmp_path / f"{NEW}--0" / "rlog", messages))
    assert drive.telemetry.duration_s < 2.0
    assert drive.lost == ("segment 0: rlog: 2 messages are damaged",)


def test_times_that_no_clock_can_have_are_damage(tmp_path):
    wrong = schema.Event.new_message()
    wrong.logMonoTime = (1 << 64) - 1
    wrong.init("onroadEvents", 0)
    messages = [*drive_messages(seconds=1.0), wrong.to_bytes(), event(18e9, "carState")]
    drive = opened(write(tmp_path / f"{NEW}--0" / "rlog", messages))
    assert drive.lost == ("segment 0: rlog: 2 messages are damaged",)
    assert drive.telemetry.duration_s < 1.0


def test_kinds_that_are_newer_than_the_schema_are_passed_over(tmp_path):
    messages = [newer(147), *drive_messages(seconds=1.0)]  # audioFeedback
    drive = opened(write(tmp_path / f"{NEW}--0" / "rlog", messages))
    assert (drive.lost, drive.static["bookmarks"]) == ((), [])


def test_names_that_are_newer_than_the_schema_are_told_by_number(tmp_path):
    unknown = event(START_S + 1, "onroadEvents", [{"name": "aeb", "userDisable": True}])
    assert unknown.count(b"\x5c\x00") == 1
    messages = [*drive_messages(seconds=2.0, engaged=((0, 1),)), unknown.replace(b"\x5c\x00", b"\xfa\x00")]
    drive = opened(write(tmp_path / f"{NEW}--0" / "rlog", messages))
    assert (drive.static["reasons"][0][1], drive.lost) == (["number 250"], ())


def test_values_nothing_can_measure_are_no_samples(tmp_path):
    def car(t_s):
        return {"vEgo": float("inf") if t_s < 0.5 else 15.0, "aEgo": float("nan"), "steeringAngleDeg": 1e30}

    telemetry = opened(write(tmp_path / f"{NEW}--0" / "rlog", drive_messages(seconds=1.0, car=car))).telemetry
    assert telemetry.samples("speed_mps")[0].size == 50
    assert not {"accel_long_mps2", "steering_wheel_deg"} & set(telemetry)


@pytest.mark.parametrize("content", [b"", b"\0" * 64, b"not a log" * 99, b"BZh91AY&SY", b"\x28\xb5\x2f\xfd\x00"])
@pytest.mark.parametrize("file", ["rlog", "rlog.bz2", "rlog.zst"])
def test_nothing_readable_is_refused(tmp_path, content, file):
    folder = write(tmp_path / f"{NEW}--0" / file, content, bytes)
    with pytest.raises(DriveError, match="no readable signal"):
        opened(folder)


def test_a_segment_without_a_log_is_said(tmp_path):
    write(tmp_path / f"{NEW}--0" / "rlog", drive_messages(seconds=1.0))
    write_video(tmp_path / f"{NEW}--1" / "fcamera.hevc", range(3))
    assert "segment 1: it has no rlog or qlog" in opened(tmp_path).lost
    with pytest.raises(DriveError, match="it has no rlog or qlog"):
        openpilot.open(tmp_path / f"{NEW}--1")


def corpus_messages():
    brake = [{"name": "pedalPressed", "userDisable": True}]
    extra = [event(START_S + 1, "onroadEvents", brake), event(START_S, "userFlag")]
    extra += [event(START_S, "carParams", wheelbase=2.7, carFingerprint="A CAR"), event(START_S, "initData")]
    extra += [event(START_S + 1, "gpsLocationExternal", latitude=1.0, hasFix=True), event(START_S + 1, "livePose")]
    extra += encode_index("roadEncodeIdx", START_S, range(30))
    return extra + drive_messages(seconds=1.5, engaged=((0, 1),))


@pytest.mark.parametrize("file", ["rlog", "rlog.bz2", "rlog.zst"])
def test_no_damage_raises_anything_but_a_drive_error(tmp_path, file):
    path = write(tmp_path / f"{NEW}--0" / file, corpus_messages()) / file
    whole = path.read_bytes()
    write_video(path.parent / "fcamera.hevc", range(30))
    step = 4096 if file == "rlog" else len(whole) // 20
    damaged = [whole[:at] for at in range(0, len(whole), step)]
    random = np.random.default_rng(7)
    for flips in (1, 20, 200) * 15:
        flipped = bytearray(whole)
        for at in random.integers(0, len(whole), flips):
            flipped[at] ^= 1 << random.integers(8)
        damaged.append(bytes(flipped))
    read = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            drive = opened(tmp_path)
            detect(drive.telemetry, drive.vehicle)
            read += 1
        except DriveError:
            continue
    assert read >= (60 if file == "rlog" else 0)


# Packages


def test_edge_is_imported_without_the_packages_and_says_which_are_missing(tmp_path):
    folder = write(tmp_path / f"{NEW}--0" / "rlog.zst", drive_messages(seconds=1.0))
    script = """
import sys
sys.modules |= dict.fromkeys(("capnp", "openpilot_logging", "zstandard"))
import edge.recorders.openpilot as openpilot
from edge.errors import DriveError
try:
    openpilot.open(openpilot.matches(__import__("pathlib").Path(sys.argv[1]))[0])
except DriveError as error:
    print(error.got, error.wanted, error.todo, sep=" / ")
"""
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True)
    assert "zstandard is not installed" in done.stdout
    assert "pip install 'swerve[openpilot]'" in done.stdout


def test_the_schema_is_a_package_of_its_own(tmp_path, monkeypatch):
    folder = write(tmp_path / f"{NEW}--0" / "rlog", drive_messages(seconds=1.0))
    _schema.cache_clear()
    monkeypatch.setattr("edge.formats.openpilot_log.find_spec", lambda name: None)
    with pytest.raises(DriveError, match="openpilot-logging is not installed"):
        opened(folder)
    _schema.cache_clear()


def test_more_frames_than_a_minute_can_hold_are_no_frames():
    assert frame_times(rows([0, 1, MAX_FRAMES + 5]), 2)[0].size == 2
