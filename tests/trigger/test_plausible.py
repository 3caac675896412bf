import numpy as np
import pytest
from conftest import drive_telemetry

from trigger.plausible import findings


def test_a_sound_drive_raises_no_doubt():
    assert findings(drive_telemetry(yaw_rate_dps=lambda t: 8 * np.sin(t / 3.0))) == []


def test_a_mirrored_sign_is_noticed_by_yaw_rate_and_by_heading():
    (by_yaw,) = findings(drive_telemetry(yaw_rate_dps=lambda t: -8 * np.sin(t / 3.0)))
    assert "opposite signs" in by_yaw
    left = -np.degrees(np.cumsum(np.radians(8 * np.sin(np.arange(0, 60, 0.02) / 3.0))) * 0.02)
    assert findings(drive_telemetry(heading_deg=left % 360)) == []
    (by_heading,) = findings(drive_telemetry(heading_deg=-left % 360))
    assert "heading_deg" in by_heading


def test_random_labels_are_not_steering():
    rng = np.random.default_rng(1)
    doubts = findings(drive_telemetry(rate_hz=20, steering_wheel_deg=np.degrees(rng.uniform(-1, 1, 1200))))
    assert any("not steering angles" in d for d in doubts)


def test_a_wrong_unit_is_out_of_range():
    (doubt,) = findings(drive_telemetry(speed_mps=lambda t: 0 * t + 130.0))
    assert "speed_mps lie outside" in doubt


def accelerating(t):
    return 15.0 + 6.0 * np.sin(t / 4.0)


def driving(**signals):
    """A drive whose speed, acceleration, position, steering and yaw rate agree."""
    rate_hz, t = 50.0, np.arange(0.0, 60.0, 0.02)
    speed = accelerating(t)
    wheel_deg = 30.0 * np.sin(t / 3.0)
    known = {
        "speed_mps": speed,
        "accel_long_mps2": 1.5 * np.cos(t / 4.0),
        "steering_wheel_deg": wheel_deg,
        "yaw_rate_dps": speed * wheel_deg / (15.0 * 2.7),
        "lat_deg": np.where(np.arange(t.size) % 5 == 0, 48.0 + np.cumsum(speed) * 0.02 / 111_195.0, np.nan),
        "lon_deg": np.where(np.arange(t.size) % 5 == 0, 11.0, np.nan),
    }
    return drive_telemetry(rate_hz=rate_hz, **{k: v for k, v in (known | signals).items() if v is not None})


def test_signals_that_agree_raise_no_doubt():
    assert findings(driving()) == []


@pytest.mark.parametrize(("factor", "unit"), [(3.6, "km/h"), (2.237, "mph")])
@pytest.mark.parametrize("without", ["lat_deg", "accel_long_mps2"])
def test_a_speed_in_another_unit_is_said(factor, unit, without):
    t = np.arange(0.0, 60.0, 0.02)
    (doubt,) = findings(driving(speed_mps=factor * accelerating(t), yaw_rate_dps=None, **{without: None}))
    assert doubt.endswith(f"is it in {unit}?")


def test_steering_in_radians_is_said():
    t = np.arange(0.0, 60.0, 0.02)
    (doubt,) = findings(driving(steering_wheel_deg=np.radians(30.0 * np.sin(t / 3.0))))
    assert "steering_wheel_deg" in doubt
    assert "radians" in doubt


def test_a_long_drive_gives_the_same_doubts_in_blocks(monkeypatch):
    t = np.arange(0.0, 60.0, 0.02)
    telemetry = driving(speed_mps=3.6 * accelerating(t), yaw_rate_dps=-10 * np.sin(t / 3.0), gas_fraction=0 * t + 40.0)
    whole = findings(telemetry)
    monkeypatch.setattr("trigger.telemetry.BLOCK_ROWS", 700)
    assert findings(telemetry) == whole
    assert len(whole) == 3


def test_a_slalom_told_by_a_receivers_course_and_a_model_car_are_sound():
    t = np.arange(0.0, 60.0, 0.02)
    turn_dps = 10 * np.sin(2 * np.pi * t / 3.0)
    late = np.interp(t - 0.3, t, -np.cumsum(turn_dps) * 0.02)
    assert findings(drive_telemetry(steering_wheel_deg=15 * turn_dps / 10, heading_deg=late % 360)) == []
    tire_deg = 8 * np.sin(2 * np.pi * t / 15.0)
    small = {"steering_tire_deg": tire_deg, "yaw_rate_dps": 3.0 * tire_deg / 0.33, "steering_wheel_deg": None}
    assert findings(drive_telemetry(speed_mps=0 * t + 3.0, **small)) == []


def test_reversing_is_no_wrong_sign():
    t = np.arange(0.0, 60.0, 0.02)
    wheel_deg = 60 * np.sin(t / 3.0)
    yaw_dps = -3.0 * wheel_deg / 40.0
    assert findings(drive_telemetry(speed_mps=0 * t + 3.0, steering_wheel_deg=wheel_deg, yaw_rate_dps=yaw_dps)) == []
