"""The native format: what is written is read back, and what is wrong is refused with the reason."""

import json

import numpy as np
import pyarrow as pa
import pytest
from conftest import T0_NS, drive_telemetry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.drive import open_drive
from edge.errors import DriveError
from edge.schema import read_telemetry, telemetry_schema, write_telemetry
from trigger.signals import SIGNALS
from trigger.telemetry import Telemetry


def test_write_then_read_is_the_identity(native_drive):
    telemetry = drive_telemetry(engaged=lambda t: np.where(t < 3, np.nan, t > 20))
    drive = open_drive(native_drive("a-drive", telemetry, static={"tyres": "winter"}))
    assert (drive.id, drive.t0_ns, drive.consent, drive.static) == ("a-drive", T0_NS, True, {"tyres": "winter"})
    assert drive.vehicle.steering_ratio == 15.0
    for name in telemetry:
        np.testing.assert_array_equal(drive.telemetry.columns[name], telemetry.columns[name])
    assert drive.cameras["front"].size == (64, 48)
    np.testing.assert_array_equal(drive.cameras["front"].frame_times(), T0_NS + np.arange(600) * 100_000_000)
    assert (drive.seconds, drive.lost) == (60, ())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.data())
def test_any_telemetry_survives_parquet(tmp_path, data):
    signals = {}
    for name in data.draw(st.lists(st.sampled_from(sorted(SIGNALS)), unique=True, min_size=1, max_size=5)):
        kind = SIGNALS[name].kind
        value = {
            "number": st.floats(-1e6, 1e6),
            "flag": st.sampled_from([0.0, 1.0]),
            "source": st.sampled_from([0, 1, 2, 3]),
            "reason": st.integers(0, 6),
        }
        rows = data.draw(st.dictionaries(st.integers(-(2**62), 2**62), value[kind], min_size=1, max_size=20))
        signals[name] = (np.array(list(rows)), np.array(list(rows.values()), float))
    telemetry = Telemetry.merge(signals)
    write_telemetry(tmp_path / "t.parquet", telemetry)
    back = read_telemetry(tmp_path / "t.parquet")
    np.testing.assert_array_equal(back.t_ns, telemetry.t_ns)
    assert set(back) == set(telemetry)
    for name in telemetry:
        np.testing.assert_array_equal(back.columns[name], telemetry.columns[name])


def test_flags_are_bools_in_the_file():
    schema = telemetry_schema(drive_telemetry(engaged=lambda t: t > 1))
    assert schema.field("engaged").type == pa.bool_()
    assert schema.field("control_source_speed").type == pa.uint8()
    assert not schema.field("t_ns").nullable


def edited(folder, change):
    path = folder / "drive.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    return folder


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(format="swerve-drive/9"), "format"),
        (lambda d: d.pop("t0_ns"), "t0_ns"),
        (lambda d: d.update(t0_ns="soon"), "t0_ns"),
        (lambda d: d["cameras"]["front"].update(file="../../etc/passwd"), "passwd"),
        (lambda d: d["cameras"]["front"].update(file="other.mp4"), "other.mp4"),
        (lambda d: d["cameras"].update({"../x": d["cameras"]["front"]}), r"\.\./x"),
        (lambda d: d["files"].update({"a/b": {"sha256": "", "bytes": 1}}), "a/b"),
        (lambda d: d.update(cameras=[]), "cameras"),
        (lambda d: d.update(id="../../outside"), "id"),
        (lambda d: d.update(id="/abs"), "id"),
        (lambda d: d.update(id="a\0b"), "id"),
        (lambda d: d.update(t0_ns=10**30), "t0_ns"),
        (lambda d: d["vehicle"].update(wheelbase_m=0), "wheelbase_m"),
        (lambda d: d.update(cut={"parent": "x"}), "cut"),
        (lambda d: d["cameras"]["front"].update(intrinsics=[[1, 0, 0], [0, 1, 0]]), "intrinsics"),
        (lambda d: d["cameras"]["front"].update(pose=[[1, 0, 0, "far"]] * 4), "pose"),
    ],
)
def test_a_wrong_manifest_is_refused_by_name(native_drive, change, words):
    with pytest.raises(DriveError, match=words) as refused:
        open_drive(edited(native_drive(seconds=2), change))
    assert refused.value.wanted
    assert refused.value.todo


HUGE, LONE_SURROGATE = '{"t0_ns":1e999}', '{"id":"\\ud800"}'


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"id":1,"id":2}', '{"t0_ns":NaN}', "[" * 100_000, "\0", HUGE, LONE_SURROGATE]
)
def test_a_damaged_manifest_is_refused(native_drive, text):
    folder = native_drive(seconds=2)
    (folder / "drive.json").write_text(text)
    with pytest.raises(DriveError, match=r"drive\.json"):
        open_drive(folder)


def test_damaged_telemetry_is_refused(native_drive):
    folder = native_drive(seconds=2)
    whole = (folder / "telemetry.parquet").read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], whole[:100] + bytes(200) + whole[300:]):
        (folder / "telemetry.parquet").write_bytes(damaged)
        with pytest.raises(DriveError, match=r"telemetry\.parquet"):
            open_drive(folder)


def test_a_missing_file_is_named(native_drive):
    folder = native_drive(seconds=2)
    (folder / "front.mp4").unlink()
    with pytest.raises(DriveError, match=r"front\.mp4 is missing"):
        open_drive(folder)


def test_a_truncated_video_is_salvaged_and_the_loss_is_said(native_drive):
    folder = native_drive(seconds=20)
    video = folder / "front.mp4"
    video.write_bytes(video.read_bytes()[: video.stat().st_size * 3 // 5])
    drive = open_drive(folder)
    frames = [t for t, _ in drive.cameras["front"].frames()]
    assert 60 < len(frames) < 200
    assert frames == drive.cameras["front"].frame_times().tolist()
    assert frames[:60] == (T0_NS + np.arange(60) * 100_000_000).tolist()
    assert "of 200 frames" in drive.lost[0]


def test_a_video_without_its_index_is_refused(native_drive):
    folder = native_drive(seconds=5)
    (folder / "front.mp4").write_bytes(b"\0" * 5000)
    with pytest.raises(DriveError, match="cannot be opened"):
        open_drive(folder).cameras["front"].frame_times()


def test_a_drive_without_its_manifest_is_refused_and_its_video_is_no_drive(native_drive):
    """Read as a bare video it would look as if nobody had withheld consent."""
    folder = native_drive(seconds=2, consent=False)
    (folder / "drive.json").unlink()
    for path in (folder, folder.parent, folder / "front.mp4"):
        with pytest.raises(DriveError):
            open_drive(path)
