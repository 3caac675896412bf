import numpy as np
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
