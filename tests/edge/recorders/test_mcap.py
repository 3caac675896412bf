"""MCAP and ROS 2 bags: Autoware's signals, pictures inside messages, a team's own topics, and damage."""

import json
import math
import struct

import numpy as np
import pytest
from makers.bags import (
    OWN,
    STEP_NS,
    STORE,
    at,
    autoware,
    cdr,
    h264,
    header,
    image,
    old_database,
    protobuf_video,
    recording,
    write_bag,
    write_mcap,
)
from makers.native import T0_NS
from mcap.writer import CompressionType, Writer
from rosbags.rosbag2 import StoragePlugin

from edge.cut import cut
from edge.drive import open_drive
from edge.errors import DriveError
from edge.recorders import mcap_ros
from edge.scan import scan
from edge.stored import StoredTelemetry
from trigger.detect import detect
from trigger.signals import ControlSource


def shown(frame):
    """The number a picture tells: see conftest.picture."""
    row = frame.to_ndarray(format="rgb24")[24, :, 1]
    return sum(1 << bit for bit in range(12) if row[bit * 5 + 2] > 130)


def test_autoware_reports_become_signals_with_their_signs(tmp_path):
    path = write_mcap(tmp_path / "drive.mcap", recording())
    assert mcap_ros.matches(path) == mcap_ros.matches(tmp_path) == [path]
    drive = mcap_ros.open(path)
    telemetry = drive.telemetry
    assert telemetry.samples("speed_mps")[1][[0, 49]] == pytest.approx([10.0, 14.9])
    assert telemetry.samples("steering_tire_deg")[1] == pytest.approx(np.full(50, math.degrees(0.1)))
    assert telemetry.samples("yaw_rate_dps")[1] == pytest.approx(np.full(50, math.degrees(0.05)))
    assert set(telemetry.samples("control_source_steering")[1]) == {ControlSource.HUMAN}
    assert drive.t0_ns == T0_NS
    assert drive.lost == ()
    assert [shown(f) for _, f in drive.cameras["front"].frames()] == list(range(50))
    assert drive.cameras["front"].frame_times().tolist() == [T0_NS + i * STEP_NS for i in range(50)]
    copy = tmp_path / "elsewhere.mcap"
    copy.write_bytes(path.read_bytes())
    assert mcap_ros.open(copy).id == drive.id


@pytest.mark.parametrize("compression", list(CompressionType))
def test_every_compression(tmp_path, compression):
    drive = mcap_ros.open(write_mcap(tmp_path / "a.mcap", recording(20), compression=compression))
    assert (len(drive.telemetry), drive.lost) == (20, ())
    assert shown(next(drive.cameras["front"].frames(T0_NS + 7 * STEP_NS))[1]) == 7


IDL = """================================================================================
IDL: autoware_auto_vehicle_msgs/msg/SteeringReport
#include "builtin_interfaces/msg/Time.idl"
module autoware_auto_vehicle_msgs { module msg {
  struct SteeringReport { builtin_interfaces::msg::Time stamp; float steering_tire_angle; };
}; };
================================================================================
IDL: builtin_interfaces/msg/Time
module builtin_interfaces { module msg { struct Time { int32 sec; uint32 nanosec; }; }; };
"""


@pytest.mark.parametrize("definition", [IDL, "module {"])
def test_definitions_in_idl(tmp_path, definition):
    """The older Autoware messages are defined in IDL; a definition that cannot be read is said."""
    name = "autoware_auto_vehicle_msgs/msg/SteeringReport"
    with (tmp_path / "a.mcap").open("wb") as file:
        writer = Writer(file)
        writer.start("ros2")
        schema = writer.register_schema(name, "ros2idl", definition.encode())
        channel = writer.register_channel("/vehicle/status/steering_status", "cdr", schema)
        for i in range(3):
            writer.add_message(channel, T0_NS + i, cdr(name, at(i), 0.5), T0_NS + i)
        writer.finish()
    if definition == IDL:
        telemetry = mcap_ros.open(tmp_path / "a.mcap").telemetry
        assert telemetry.samples("steering_tire_deg")[1] == pytest.approx([math.degrees(0.5)] * 3)
        return
    with pytest.raises(DriveError, match="steering_status"):
        mcap_ros.open(tmp_path / "a.mcap")


MODES = [(1, 1, 2, 2), (2, 1, 2, 1), (3, 1, 1, 2), (4, 0, 1, 1), (5, 0, 0, 0), (6, None, 0, 0), (0, None, 0, 0)]


@pytest.mark.parametrize("package", ["autoware_vehicle_msgs", "autoware_auto_vehicle_msgs"])
@pytest.mark.parametrize(("mode", "engaged", "steering", "speed"), MODES)
def test_control_modes_say_who_drove_on_each_axis(tmp_path, package, mode, engaged, steering, speed):
    path = write_mcap(tmp_path / "a.mcap", recording(5, mode=mode, package=package))
    telemetry = mcap_ros.open(path).telemetry
    assert set(telemetry.samples("control_source_steering")[1]) == {steering}
    assert set(telemetry.samples("control_source_speed")[1]) == {speed}
    assert set(telemetry.samples("engaged")[1] if "engaged" in telemetry else []) == ({engaged} - {None})


def test_from_autonomous_to_manual_is_a_disengagement(tmp_path):
    messages = [(i, *m) for i in range(150) for m in (*autoware(i, mode=1 if i < 100 else 4), image(i))]
    drive = mcap_ros.open(write_mcap(tmp_path / "a.mcap", messages))
    (event,) = (e for e in detect(drive.telemetry, drive.vehicle).events if e.kind == "disengagement")
    assert event.t_ns - drive.t0_ns == 10_000_000_000
    assert "AUTONOMOUS" in drive.engagement
    (clip,) = cut(scan(drive, baseline=0.0), tmp_path / "clips")
    first, frame = next(open_drive(clip.folder).cameras["front"].frames())
    assert shown(frame) == (first - T0_NS) // STEP_NS == clip.stretch.first * 10


@pytest.mark.parametrize("plugin", list(StoragePlugin))
def test_a_bag_folder(tmp_path, plugin):
    write_bag(tmp_path / "bag", recording(20), plugin)
    assert mcap_ros.matches(tmp_path / "bag") == [tmp_path / "bag"]
    drive = mcap_ros.open(tmp_path / "bag")
    assert drive.lost == ()
    assert len(drive.telemetry) == 20
    assert [shown(f) for _, f in drive.cameras["front"].frames(T0_NS + 3 * STEP_NS, T0_NS + 6 * STEP_NS)] == [3, 4, 5]
    (storage,) = (p for p in (tmp_path / "bag").iterdir() if p.suffix in mcap_ros.STORAGE)
    storage.unlink()
    assert mcap_ros.matches(tmp_path / "bag") == []


def test_a_bag_without_definitions_knows_autoware(tmp_path):
    path = old_database(tmp_path / "old.db3", recording(10))
    drive = mcap_ros.open(path)
    assert drive.telemetry.samples("engaged")[1].tolist() == [0.0] * 10
    assert len(drive.cameras["front"].frame_times()) == 10


def test_a_bag_in_two_files_is_one_drive_and_a_missing_file_is_said(tmp_path):
    bag = tmp_path / "bag"
    bag.mkdir()
    messages = recording(20)
    write_mcap(bag / "bag_0.mcap", messages[:40])
    write_mcap(bag / "bag_1.mcap", messages[40:])
    assert mcap_ros.matches(bag) == [bag]
    drive = mcap_ros.open(bag)
    assert len(drive.telemetry) == 20
    assert [shown(f) for _, f in drive.cameras["front"].frames()] == list(range(20))
    (bag / "bag_1.mcap").unlink()
    (bag / "metadata.yaml").write_text("  relative_file_paths:\n    - bag_0.mcap\n    - bag_1.mcap\n")
    assert mcap_ros.open(bag).lost == ("bag_1.mcap, named in metadata.yaml, is absent",)


@pytest.mark.parametrize(("codec", "form"), [("libx264", "h264"), ("libx265", "h265")])
@pytest.mark.parametrize("chunked", [True, False])
def test_compressed_video_is_decoded_from_the_key_frame_before(tmp_path, codec, form, chunked):
    frames = h264(35, codec=codec)
    video = [(i, "/camera/front", "foxglove.CompressedVideo", protobuf_video(i, f, form)) for i, f in enumerate(frames)]
    drive = mcap_ros.open(write_mcap(tmp_path / "v.mcap", video, use_chunking=chunked))
    camera = drive.cameras["front"]
    assert camera.size == (64, 48)
    assert len(camera.frame_times()) == 35
    window = (T0_NS + 17 * STEP_NS, T0_NS + 23 * STEP_NS)
    found = list(camera.frames(*window))
    assert [shown(f) for _, f in found] == list(range(17, 23))
    assert [t for t, _ in found] == [T0_NS + i * STEP_NS for i in range(17, 23)]
    assert [shown(f) for _, f in camera.frames()] == list(range(35))


def test_video_that_begins_without_a_key_frame(tmp_path):
    frames = list(enumerate(h264(35)))[4:]
    frames[20] = (24, b"")
    video = [(i, "/camera/front", "foxglove.CompressedVideo", protobuf_video(i, f)) for i, f in frames]
    drive = mcap_ros.open(write_mcap(tmp_path / "v.mcap", video))
    assert drive.lost == (
        "/camera/front: 1 of 31 pictures are left out",
        "/camera/front: 6 pictures before the first key frame",
    )
    assert shown(next(drive.cameras["front"].frames())[1]) == 10


def test_a_clock_of_its_own_is_not_believed(tmp_path):
    drive = mcap_ros.open(write_mcap(tmp_path / "a.mcap", recording(20, skew_ns=-20_000_000)))
    assert drive.telemetry.samples("speed_mps")[0][0] == T0_NS - 20_000_000  # stamped when measured
    drive = mcap_ros.open(write_mcap(tmp_path / "b.mcap", recording(20, skew_ns=-T0_NS)))  # simulated time
    assert drive.telemetry.samples("speed_mps")[0][0] == T0_NS
    assert any("not near the log's clock" in note for note in drive.notes)


@pytest.fixture
def little_memory(monkeypatch):
    """Everything goes to files, in small pieces."""
    monkeypatch.setattr("edge.formats.row_file.KEPT_BYTES", 500)
    monkeypatch.setattr("edge.formats.row_file.PIECE_ROWS", 7)
    monkeypatch.setattr("edge.gathered.KEPT_CELLS", 0)


def assert_same(found, wanted):
    assert (found.id, found.lost, found.notes) == (wanted.id, wanted.lost, wanted.notes)
    assert set(found.telemetry) == set(wanted.telemetry)
    for name in wanted.telemetry:
        for here, there in zip(found.telemetry.samples(name), wanted.telemetry.samples(name), strict=True):
            np.testing.assert_array_equal(here, there)


@pytest.mark.parametrize("skew_ns", [0, -20_000_000, -T0_NS])
def test_a_long_recording_says_what_it_would_say_in_memory(tmp_path, request, skew_ns):
    path = write_mcap(tmp_path / "a.mcap", recording(200, skew_ns=skew_ns))
    whole = mcap_ros.open(path)
    request.getfixturevalue("little_memory")
    stored = mcap_ros.open(path)
    assert isinstance(stored.telemetry, StoredTelemetry)
    assert_same(stored, whole)
    assert detect(stored.telemetry, stored.vehicle) == detect(whole.telemetry, whole.vehicle)


def test_topics_may_follow_one_another(tmp_path, little_memory):
    """Some tools write a topic from its beginning to its end, and then the next."""
    messages = recording(100)
    apart = sorted(messages, key=lambda message: message[1])
    found = mcap_ros.open(write_mcap(tmp_path / "apart.mcap", apart))
    wanted = mcap_ros.open(write_mcap(tmp_path / "a.mcap", messages))
    assert_same(found, wanted)
    assert len(found.telemetry.samples("speed_mps")[0]) == 100


@pytest.mark.parametrize("hours", [-5, 5])
def test_one_time_that_is_wrong_by_hours_costs_no_other_message(tmp_path, little_memory, hours):
    messages = recording(200, skew_ns=-T0_NS)  # timed by the log
    right = mcap_ros.open(write_mcap(tmp_path / "a.mcap", messages))
    place = next(i for i, message in enumerate(messages) if message[0] == 100 and "velocity" in message[1])
    messages[place] = (100 + hours * 36_000, *messages[place][1:])
    drive = mcap_ros.open(write_mcap(tmp_path / "b.mcap", messages))
    for name in right.telemetry:
        kept = np.isin(right.telemetry.samples(name)[0], drive.telemetry.samples(name)[0])
        assert (~kept).sum() == (name in ("speed_mps", "yaw_rate_dps"))
    assert len(drive.telemetry) == 201 - bool(drive.lost)


MAPPED = """
[[signal]]
topic = "/can"
field = "kmh"
unit = "km/h"
column = "speed_mps"

[[signal]]
topic = "/can"
field = "axes.1"
unit = "percent"
column = "brake_fraction"

[[signal]]
topic = "/can"
field = "turn.z"
unit = "rad"
column = "steering_wheel_deg"
sign = -1

[[signal]]
topic = "/can"
field = "assisted"
unit = "bool"
column = "engaged"

[[camera]]
topic = "/sensing/camera/front/image_raw/compressed"
name = "windscreen"
"""


def own(i):
    vector = STORE.types["geometry_msgs/msg/Vector3"](0.0, 0.0, -0.5)
    return "/can", OWN, cdr(OWN, 36.0, np.array([0.0, 25.0, 0.0]), i < 10, vector)


def test_a_teams_own_topics_by_a_mapping_file(tmp_path):
    path = write_mcap(tmp_path / "a.mcap", [(i, *m) for i in range(20) for m in (own(i), image(i))])
    assert list(mcap_ros.open(path).telemetry) == []
    (tmp_path / mcap_ros.MAPPING).write_text(MAPPED)
    drive = mcap_ros.open(path)
    first = {name: drive.telemetry.samples(name)[1][0] for name in drive.telemetry}
    assert first["speed_mps"] == pytest.approx(10.0)
    assert first["brake_fraction"] == pytest.approx(0.25)
    assert first["steering_wheel_deg"] == pytest.approx(math.degrees(0.5))  # right was positive: now left is
    assert drive.telemetry.samples("control_source_speed")[1].tolist() == [2.0] * 10 + [1.0] * 10
    assert list(drive.cameras) == ["windscreen"]
    assert "swerve-topics.toml, signal 4" in drive.engagement


WRONG = [
    ('unit = "km/h"', 'unit = "kph"', "signal 1: unit is 'kph'"),
    ('column = "speed_mps"', 'column = "speed"', "signal 1: column is 'speed'"),
    ("sign = -1", "", "signal 3: it has no sign"),
    ("sign = -1", "sign = 2", "signal 3: sign is 2"),
    ('field = "turn.z"', 'field = "turn.w"', "signal 3: /can has no field 'w'"),
    ('field = "kmh"', "", "signal 1: it has column, topic, unit"),
    ('name = "windscreen"', 'name = "../x"', "camera 1: name is '../x'"),
    ("[[camera]]", "[camera]", "it is one table"),
    ("[[camera]]", "[[cameras]]", "it has cameras"),
    ("[[signal]]", "[[signal", "is not TOML"),
]


@pytest.mark.parametrize(("right", "wrong", "said"), WRONG)
def test_a_wrong_mapping_is_refused_with_its_place(tmp_path, right, wrong, said):
    path = write_mcap(tmp_path / "a.mcap", [(i, *m) for i in range(3) for m in (own(i), image(i))])
    (tmp_path / mcap_ros.MAPPING).write_text(MAPPED.replace(right, wrong, 1))
    with pytest.raises(DriveError, match=r"swerve-topics\.toml") as error:
        mcap_ros.open(path)
    assert said in str(error.value)


def test_json_topics_and_swerves_own_export(tmp_path):
    rows = [
        (i, "/swerve", "swerve.Telemetry", json.dumps({"speed_mps": 1.5, "engaged": True}).encode()) for i in range(3)
    ]
    drive = mcap_ros.open(write_mcap(tmp_path / "a.mcap", rows))
    assert drive.telemetry.samples("speed_mps")[1].tolist() == [1.5] * 3
    assert drive.telemetry.samples("engaged")[1].tolist() == [1.0] * 3


def test_topics_that_mean_the_same_are_told_apart(tmp_path):
    type_ = "autoware_vehicle_msgs/msg/VelocityReport"
    other = [(i, "/a/velocity", type_, cdr(type_, header(i), 99.0, 0.0, 0.0)) for i in range(5)]
    drive = mcap_ros.open(write_mcap(tmp_path / "a.mcap", other + recording(5)))
    assert drive.telemetry.samples("speed_mps")[1][0] == pytest.approx(10.0)
    assert "speed_mps is also in /a/velocity, which is left out" in drive.notes


def test_depth_and_unknown_formats_are_left_out_and_said(tmp_path):
    depth = [(i, *image(i, "/depth", "16UC1; compressedDepth png")) for i in range(3)]
    drive = mcap_ros.open(write_mcap(tmp_path / "a.mcap", depth + recording(3)))
    assert list(drive.cameras) == ["front"]
    assert "the format '16UC1; compressedDepth png' is not read" in drive.lost[0]


def test_nothing_known_names_what_there_is(tmp_path):
    path = write_mcap(tmp_path / "a.mcap", [(0, *own(0))])
    with pytest.raises(DriveError, match=r"/can \(team_msgs/msg/Can\)") as error:
        mcap_ros.open(path)
    assert mcap_ros.MAPPING in str(error.value)


def test_one_damaged_time_does_not_stretch_a_drive_over_years(tmp_path):
    messages = recording(20)
    messages[7] = (10**10, *messages[7][1:])
    drive = mcap_ros.open(write_mcap(tmp_path / "a.mcap", messages))
    assert drive.seconds == 2
    assert "more than a day from the others" in drive.lost[0]


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    path = write_mcap(tmp_path / "a.mcap", recording(2))
    monkeypatch.setitem(__import__("sys").modules, "mcap.records", None)
    with pytest.raises(DriveError, match=r"swerve\[mcap\]"):
        mcap_ros.open(path)


def test_a_recording_without_an_end_gives_what_is_whole(tmp_path):
    path = write_mcap(tmp_path / "a.mcap", recording(50), finish=False)
    drive = mcap_ros.open(path)
    assert 40 < len(drive.telemetry) < 50  # the last chunk was never written
    assert "it has no end" in drive.lost[0]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A recording with all that is read, and its signals."""
    folder = tmp_path_factory.mktemp("whole")
    messages = recording(30)
    frames = h264(30)
    messages += [(i, "/rear", "foxglove.CompressedVideo", protobuf_video(i, f)) for i, f in enumerate(frames)]
    messages.sort(key=lambda m: m[0])
    return (
        messages,
        write_mcap(folder / "a.mcap", messages),
        write_mcap(folder / "b.mcap", messages, use_chunking=False),
    )


def opened(path):
    """The drive with every picture decoded; None where it was refused. Anything else but DriveError fails the test."""
    try:
        drive = mcap_ros.open(path)
    except DriveError:
        return None
    for camera in drive.cameras.values():
        list(camera.frames())
    return drive


def is_honest(drive):
    """All 30 steps are there, or something is said to be lost."""
    cameras = [len(camera.frame_times()) for camera in drive.cameras.values()]
    return bool(drive.lost) or (len(drive.telemetry) == 30 and cameras == [30, 30])


@pytest.mark.parametrize("which", [1, 2])
def test_cut_off_every_4_kib(tmp_path, whole, which):
    data = whole[which].read_bytes()
    for size in [*range(0, len(data), 4096), len(data) - 1, len(data) - 40]:
        (tmp_path / "cut.mcap").write_bytes(data[:size])
        drive = opened(tmp_path / "cut.mcap")
        assert drive is None or is_honest(drive)
    (tmp_path / "cut.mcap").write_bytes(data[: len(data) * 2 // 3])
    drive = mcap_ros.open(tmp_path / "cut.mcap")
    assert 10 < len(drive.telemetry) < 30
    assert "unreadable from byte" in drive.lost[0] or "no end" in drive.lost[0]


@pytest.mark.parametrize("which", [1, 2])
def test_flipped_bits(tmp_path, whole, which):
    """Chunks carry checksums, so what is missing is said; without chunks only the damage to the frame is seen."""
    data = whole[which].read_bytes()
    generator = np.random.default_rng(which)
    for position in generator.integers(0, len(data), 60):
        damaged = bytearray(data)
        damaged[position] ^= 1 << int(generator.integers(8))
        (tmp_path / "flip.mcap").write_bytes(damaged)
        drive = opened(tmp_path / "flip.mcap")
        assert which == 2 or drive is None or is_honest(drive)


def test_a_damaged_database(tmp_path, whole):
    data = old_database(tmp_path / "a.db3", whole[0]).read_bytes()
    path = tmp_path / "damaged.db3"
    generator = np.random.default_rng(3)
    for size in range(0, len(data), 16384):
        path.write_bytes(data[:size])
        drive = opened(path)
        assert drive is None or is_honest(drive)
    for position in generator.integers(0, len(data), 40):
        damaged = bytearray(data)
        damaged[position : position + 64] = generator.bytes(64)
        path.write_bytes(damaged)
        opened(path)


def test_a_chunk_that_promises_more_than_there_is(tmp_path):
    """A small file must not fill the memory: the announced size is checked before and while unpacking."""
    bomb = __import__("zstandard").compress(b"\0" * (1 << 26))
    head = struct.pack("<QQQI", 0, 0, 1 << 16, 0) + struct.pack("<I", 4) + b"zstd" + struct.pack("<Q", len(bomb))
    record = struct.pack("<BQ", 6, len(head) + len(bomb)) + head + bomb
    (tmp_path / "a.mcap").write_bytes(b"\x89MCAP0\r\n" + record)
    with pytest.raises(DriveError, match="no topics"):
        mcap_ros.open(tmp_path / "a.mcap")
