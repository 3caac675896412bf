"""What `inspect` says of a drive, and converting one to the native format; of long ones, too."""

import hashlib

import numpy as np
import pytest
from conftest import T0_NS, drive_telemetry

from edge.convert import to_native
from edge.cut import cut
from edge.drive import open_drive
from edge.errors import DriveError
from edge.inspect import inspect
from edge.scan import scan
from edge.stored import StoredTelemetry
from trigger.disengagement import engagement_changes
from trigger.telemetry import Telemetry


def test_rates_gaps_and_engagement(native_drive):
    telemetry = drive_telemetry(
        engaged=lambda t: (t > 5) & (t < 30), speed_mps=lambda t: np.where((t > 10) & (t < 13), np.nan, 12.0)
    )
    summary = inspect(open_drive(native_drive(telemetry=telemetry)))
    (camera,) = summary.cameras
    assert (camera.width, camera.height, camera.codec, camera.clock.count, camera.clock.rate_hz) == (
        64,
        48,
        "h264",
        600,
        10,
    )
    speed = next(s for s in summary.signals if s.name == "speed_mps")
    assert (speed.unit, speed.clock.rate_hz, speed.clock.gaps, speed.clock.longest_pause_s) == ("m/s", 50, 1, 3.0)
    assert summary.engaged_s == ((5.02, 30.0),)


def test_a_doubtful_unit_is_said(native_drive):
    summary = inspect(open_drive(native_drive(telemetry=drive_telemetry(speed_mps=lambda t: 0 * t + 130.0))))
    assert any("speed_mps lie outside" in note for note in summary.notes)


def test_native_to_native_changes_no_pixel_and_no_time(native_drive, tmp_path):
    source = open_drive(native_drive(seconds=10))
    copy = open_drive(to_native(source, tmp_path / "out"))
    for (t, a), (u, b) in zip(source.cameras["front"].frames(), copy.cameras["front"].frames(), strict=True):
        assert t == u
        assert np.array_equal(a.to_ndarray(), b.to_ndarray())
    assert copy.telemetry.t_ns[0] == T0_NS
    assert (copy.id, copy.vehicle, copy.consent) == (source.id, source.vehicle, source.consent)
    with pytest.raises(DriveError, match="exists"):
        to_native(source, tmp_path / "out")


@pytest.mark.real
def test_images_become_video(real, tmp_path):
    source = open_drive(real / "donkeycar_tub/tub")
    copy = open_drive(to_native(source, tmp_path))
    np.testing.assert_allclose(copy.cameras["front"].frame_times(), source.cameras["front"].frame_times(), atol=500)
    assert copy.cameras["front"].size == (160, 120)
    for (_, was), (_, now), _ in zip(
        source.cameras["front"].frames(), copy.cameras["front"].frames(), range(20), strict=False
    ):
        difference = np.abs(was.to_ndarray(format="rgb24").astype(int) - now.to_ndarray(format="rgb24"))
        assert difference.mean() < 4.0  # grey levels of 255: a full-range JPEG is not washed out


def test_a_drive_that_is_read_from_its_file_is_the_same_drive(native_drive, tmp_path, monkeypatch):
    """Scanned, inspected, cut and converted, in blocks far shorter than the drive."""
    telemetry = drive_telemetry(
        engaged=lambda t: (t > 5) & (t < 30),
        speed_mps=lambda t: np.where((t > 10) & (t < 13), np.nan, 15.0 - 8.0 * np.clip(t - 40.0, 0.0, 1.0)),
        lat_deg=lambda t: np.where(t % 1.0 == 0, 52.5, np.nan),
    )
    for module in ("trigger.telemetry", "edge.schema", "edge.stored"):
        monkeypatch.setattr(f"{module}.BLOCK_ROWS", 500)
    folder = native_drive(telemetry=telemetry)
    whole = open_drive(folder)
    monkeypatch.setattr("edge.stored.KEPT_CELLS", 0)
    stored = open_drive(folder)
    assert (type(whole.telemetry), type(stored.telemetry)) == (Telemetry, StoredTelemetry)
    assert len(list(stored.telemetry.blocks())) == 6
    assert inspect(stored) == inspect(whole)
    assert scan(stored, 0.0).events == scan(whole, 0.0).events != ()
    copies = [to_native(drive, tmp_path / name) / "telemetry.parquet" for name, drive in (("c", whole), ("d", stored))]
    assert copies[0].read_bytes() == copies[1].read_bytes() == (folder / "telemetry.parquet").read_bytes()


@pytest.mark.parametrize("position", [True, False])
def test_a_clip_as_long_as_a_long_drive_is_the_same_clip(native_drive, tmp_path, monkeypatch, position):
    telemetry = drive_telemetry(lat_deg=lambda t: np.where(t % 1.0 == 0, 52.5, np.nan), engaged=lambda t: t % 20 > 5)
    folder = native_drive(telemetry=telemetry)
    (whole,) = cut(scan(open_drive(folder), 1.0), tmp_path / "whole", position)
    for module in ("edge.stored", "edge.gathered"):
        monkeypatch.setattr(f"{module}.KEPT_CELLS", 0)
    (stored,) = cut(scan(open_drive(folder), 1.0), tmp_path / "stored", position)
    assert stored.folder.name == whole.folder.name
    clip = open_drive(stored.folder)
    assert ("lat_deg" in clip.telemetry) == position
    assert clip.cut.engagement == engagement_changes(telemetry)


def test_two_recordings_of_one_id_differ_in_their_first_samples(native_drive, tmp_path):
    """The fingerprint must never change for what is recorded already: it is told here a second time."""
    speed = np.where(np.arange(3000) < 100, np.nan, 15.0 - 8.0 * np.clip(np.arange(3000) / 50 - 40.0, 0.0, 1.0))
    drive = open_drive(native_drive(telemetry=drive_telemetry(speed_mps=speed)))
    (clip,) = cut(scan(drive, 0.0), tmp_path / "clips")
    told = [drive.telemetry.t_ns, *(drive.telemetry.columns[name] for name in sorted(drive.telemetry))]
    frames = drive.cameras["front"].frame_times()[:1]
    digest = hashlib.sha256(b"".join([*(column[:64].tobytes() for column in told), frames.tobytes()])).hexdigest()
    assert open_drive(clip.folder).cut.fingerprint == digest
