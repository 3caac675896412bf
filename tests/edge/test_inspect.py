"""What `inspect` says of a drive, and converting one to the native format."""

import numpy as np
import pytest
from conftest import T0_NS, drive_telemetry

from edge.convert import to_native
from edge.drive import open_drive
from edge.errors import DriveError
from edge.inspect import inspect


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
