import numpy as np
import pytest
from conftest import drive_telemetry
from scipy.signal import butter, sosfilt

from trigger.r79 import lateral_jerk, low_pass, peak_lateral_jerk


def test_the_filter_is_scipys_butterworth():
    values = np.random.default_rng(1).normal(size=2000)
    expected = sosfilt(butter(4, 0.5, fs=100.0, output="sos"), values - values[0]) + values[0]
    np.testing.assert_allclose(low_pass(values), expected, atol=1e-9)


def test_a_steady_ramp_has_its_slope_as_jerk():
    telemetry = drive_telemetry(rate_hz=100, accel_lat_mps2=lambda t: 0.2 * t)
    _, jerk = lateral_jerk(*telemetry.samples("accel_lat_mps2"))
    assert jerk[-1] == pytest.approx(0.2, rel=1e-3)


def test_a_swerve_hardly_shows_in_it():
    swerve = drive_telemetry(rate_hz=100, accel_lat_mps2=lambda t: 4.0 * np.sin(2 * np.pi * t) * ((t > 20) & (t < 22)))
    assert peak_lateral_jerk(swerve) < 4.0 * 2 * np.pi * 0.15


def test_a_drive_without_it_or_too_short_for_it_has_none():
    assert peak_lateral_jerk(drive_telemetry()) is None
    assert peak_lateral_jerk(drive_telemetry(seconds=0.3, accel_lat_mps2=lambda t: 0 * t)) is None
    assert peak_lateral_jerk(drive_telemetry(rate_hz=2, accel_lat_mps2=lambda t: 0 * t)) is None
