"""Export to Rerun, read back with Rerun's own reader."""

import builtins

import numpy as np
import pyarrow as pa
import pytest
from conftest import T0_NS, drive_telemetry

from edge.drive import open_drive
from edge.errors import DriveError, VideoError
from edge.export import rrd as module
from edge.export.rrd import TIMELINE, export_rrd

rr = pytest.importorskip("rerun")


@pytest.fixture
def drive(native_drive):
    """Six seconds with a hard brake at 3 s, a camera of 60 frames, and a signal that has gaps."""
    signals = {
        "accel_long_mps2": lambda t: np.where((t > 3.0) & (t < 4.0), -6.0, 0.0),
        "engaged": lambda t: np.where(np.arange(t.size) % 5 == 0, t > 2.0, np.nan),
        "lat_deg": lambda t: t * 0.0 + 52.5,
    }
    return open_drive(native_drive("a", drive_telemetry(6.0, **signals), seconds=6.0))


def read(path):
    """Entity path to its chunks as Arrow batches."""
    found = {}
    for chunk in rr.chunk.RrdReader(path).stream().to_chunks():
        found.setdefault(chunk.entity_path, []).append(chunk.to_record_batch())
    return found


def column(batches, name):
    """Times and values of one column over all chunks."""
    parts = [
        (b[TIMELINE].cast(pa.int64()).to_numpy(), b[name].to_pylist()) for b in batches if TIMELINE in b.schema.names
    ]
    return np.concatenate([t for t, _ in parts]), [row[0] for _, rows in parts for row in rows]


def video_times(batch):
    """Presentation times in ns as Rerun itself finds them in an MP4 it was given."""
    blob = batch["AssetVideo:blob"][0].as_py()
    blob = bytes(blob[0]) if isinstance(blob[0], (bytes, list)) else bytes(blob)
    return rr.AssetVideo(contents=blob, media_type="video/mp4").read_frame_timestamps_nanos()


def test_signals_keep_their_times_and_values(drive, tmp_path):
    export_rrd(drive, tmp_path / "out.rrd")
    found = read(tmp_path / "out.rrd")
    for name in drive.telemetry:
        t_ns, values = column(found[f"/signals/{name}"], "Scalars:scalars")
        there_ns, there = drive.telemetry.samples(name)
        assert np.array_equal(t_ns, there_ns)
        assert np.array_equal(values, there)
    t_ns, text = column(found["/events"], "TextLog:text")
    assert any(line.startswith("harsh_braking: ") for line in text)
    assert abs(t_ns[0] - T0_NS - 3_000_000_000) < 500_000_000


def test_all_frames_are_there_and_point_at_themselves(drive, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PART_NS", 2_500_000_000)  # key frames every 2.4 s: parts of 24, 24 and 12 frames
    export_rrd(drive, tmp_path / "out.rrd")
    found = read(tmp_path / "out.rrd")
    t_ns, shown = column(found["/cameras/front"], "VideoFrameReference:timestamp")
    assert np.array_equal(t_ns, drive.cameras["front"].frame_times())
    _, parts = column(found["/cameras/front"], "VideoFrameReference:video_reference")
    sizes = []
    for part in sorted(set(parts)):
        times = video_times(next(b for b in found[f"/{part}"] if "AssetVideo:blob" in b.schema.names))
        assert np.abs(times - [s for s, p in zip(shown, parts, strict=True) if p == part]).max() < 1000
        sizes.append(times.size)
    assert sizes == [24, 24, 12]


def test_a_clock_from_power_on_is_a_duration(drive, tmp_path):
    from dataclasses import replace

    from trigger.telemetry import Telemetry

    early = Telemetry(drive.telemetry.t_ns - T0_NS, drive.telemetry.columns)
    export_rrd(replace(drive, t0_ns=0, telemetry=early, cameras={}), tmp_path / "out.rrd")
    batches = read(tmp_path / "out.rrd")["/signals/speed_mps"]
    assert column(batches, "Scalars:scalars")[0][0] == 0
    assert any(pa.types.is_duration(b.schema.field(TIMELINE).type) for b in batches if TIMELINE in b.schema.names)


def test_position_can_stay_at_home(drive, tmp_path):
    export_rrd(drive, tmp_path / "out.rrd", position=False)
    assert "/signals/lat_deg" not in read(tmp_path / "out.rrd")
    assert b"lat_deg" not in (tmp_path / "out.rrd").read_bytes()


def test_an_existing_file_is_kept_and_a_failure_leaves_nothing(drive, tmp_path):
    (tmp_path / "out.rrd").write_bytes(b"mine")
    with pytest.raises(DriveError, match="exists"):
        export_rrd(drive, tmp_path / "out.rrd")
    assert (tmp_path / "out.rrd").read_bytes() == b"mine"
    (tmp_path / "a/front.mp4").write_bytes(b"")
    with pytest.raises(DriveError):
        export_rrd(open_drive(tmp_path / "a"), tmp_path / "other.rrd")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "out.rrd"]


def test_a_camera_that_fails_on_the_way_leaves_nothing(drive, tmp_path, monkeypatch):
    def broken(*_):
        raise VideoError("a video broke off", "a whole one", "copy it again")

    monkeypatch.setattr(module, "write_camera", broken)
    with pytest.raises(VideoError, match="broke off"):
        export_rrd(drive, tmp_path / "out.rrd")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_missing_package_is_said(drive, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "rerun":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DriveError, match=r"swerve\[rrd\]"):
        export_rrd(drive, tmp_path / "out.rrd")
    assert not list(tmp_path.glob("*.rrd"))
