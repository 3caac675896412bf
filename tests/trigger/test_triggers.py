"""Every built-in trigger speaks on what it is for, and keeps silent on what it is not for."""

import numpy as np
import pytest
from conftest import T0_NS, drive_telemetry

from trigger.builtin import TRIGGERS
from trigger.detect import detect
from trigger.telemetry import Telemetry
from trigger.vehicle import UNKNOWN_VEHICLE, VehicleProfile

CAR = VehicleProfile(wheelbase_m=2.7, steering_ratio=15.0)


def pulse(at_s: float, rise_s: float, height: float, length_s: float = 1.0):
    """Rises to `height` within `rise_s`, stays for `length_s`, goes back over 2 s."""
    xs = [at_s, at_s + rise_s, at_s + rise_s + length_s, at_s + rise_s + length_s + 2]
    return lambda t: np.interp(t, xs, [0.0, height, height, 0.0])


def kinds(telemetry, vehicle=CAR):
    return [(e.kind, round((e.t_ns - T0_NS) / 1e9, 1)) for e in detect(telemetry, vehicle).events]


def found(telemetry, kind, vehicle=CAR):
    return [e for e in detect(telemetry, vehicle).events if e.kind == kind]


def test_a_calm_drive_has_no_event():
    calm = drive_telemetry(
        gas_fraction=pulse(10, 1.0, 0.4), brake_fraction=pulse(30, 1.0, 0.3), engaged=lambda t: t * 0
    )
    assert kinds(calm) == []


@pytest.mark.parametrize(("kind", "signal"), [("abrupt_gas", "gas_fraction"), ("abrupt_brake", "brake_fraction")])
def test_a_pedal_hit_quickly(kind, signal):
    (event,) = found(drive_telemetry(**{signal: pulse(20, 0.25, 0.8)}), kind)
    assert abs((event.t_ns - T0_NS) / 1e9 - 20.1) < 0.15
    assert event.severity > 1.0
    assert event.evidence.signal == f"d({signal})/dt"
    assert found(drive_telemetry(**{signal: pulse(20, 1.5, 0.8)}), kind) == []


def test_one_wild_sample_is_not_a_pedal_movement():
    def glitch(t):
        return np.where(np.isclose(t, 20.0), 1.0, 0.0)

    assert found(drive_telemetry(rate_hz=100, brake_fraction=glitch), "abrupt_brake") == []


def test_a_jerked_wheel_at_speed_but_not_in_the_car_park():
    jerk = pulse(20, 0.3, 40.0)
    (event,) = found(drive_telemetry(steering_wheel_deg=jerk), "abrupt_steering")
    # v^2 * (40 deg / 15 / 0.3 s in rad) / 2.7 m = 12.9 m/s^3
    assert event.evidence.value == pytest.approx(12.9, rel=0.1)
    assert found(drive_telemetry(steering_wheel_deg=jerk, speed_mps=lambda t: 0 * t + 4.0), "abrupt_steering") == []


def test_hard_braking_is_felt_from_the_speed_alone():
    def speed(t):
        return np.interp(t, [20, 22, 30, 40], [15.0, 5.0, 5.0, 15.0])

    (event,) = found(drive_telemetry(rate_hz=20, speed_mps=speed), "harsh_braking")
    assert event.evidence.signal == "d(speed_mps)/dt"
    assert event.evidence.value == pytest.approx(5.0, rel=0.02)
    assert event.severity == pytest.approx(5.0 / 2.94, rel=0.02)


def test_the_vehicles_own_accelerometer_comes_first():
    telemetry = drive_telemetry(accel_long_mps2=pulse(20, 0.5, 5.0), accel_lat_mps2=pulse(40, 0.5, 4.5))
    (gas,), (corner,) = found(telemetry, "harsh_acceleration"), found(telemetry, "harsh_cornering")
    assert (gas.evidence.signal, corner.evidence.signal) == ("accel_long_mps2", "accel_lat_mps2")


def test_jerk():
    kinds_found = {e.kind for e in detect(drive_telemetry(accel_lat_mps2=pulse(20, 0.35, 3.0, 0.2)), CAR).events}
    assert kinds_found == {"lateral_jerk"}


def test_an_absent_signal_is_said_and_never_guessed():
    bare = Telemetry.merge({"steering_wheel_deg": drive_telemetry().samples("steering_wheel_deg")})
    detection = detect(bare, CAR)
    assert detection.events == ()
    assert set(detection.absent) == {t.kind for t in TRIGGERS} | {"disengagement"}
    assert detect(drive_telemetry(), UNKNOWN_VEHICLE).absent["abrupt_steering"] == "the vehicle's wheelbase"


def engaged(*spans: tuple[float, float]):
    return lambda t: np.any([(t >= a) & (t < b) for a, b in spans], axis=0)


def test_a_disengagement_and_its_window():
    (event,) = found(drive_telemetry(engaged=engaged((10, 30))), "disengagement")
    assert (event.t_ns - T0_NS) / 1e9 == pytest.approx(30.0, abs=0.021)
    assert event.window_ns == (event.t_ns - 5 * 10**9, event.t_ns + 10 * 10**9)


@pytest.mark.parametrize("gap_s", [0.02, 0.06, 0.4])
def test_a_dropout_is_no_disengagement(gap_s):
    assert found(drive_telemetry(engaged=engaged((10, 20), (20 + gap_s, 60))), "disengagement") == []


def test_engaging_flicker_end_of_drive_and_lost_signal_are_no_disengagement():
    assert found(drive_telemetry(engaged=engaged((10, 10.4))), "disengagement") == []  # never really engaged
    assert found(drive_telemetry(engaged=engaged((10, 60))), "disengagement") == []  # engaged to the end
    lost = drive_telemetry(engaged=lambda t: np.where((t > 20) & (t < 30), np.nan, (t > 10) & (t < 25)))
    assert found(lost, "disengagement") == []


def test_harder_braking_after_the_takeover_is_more_severe():
    def speed(t):
        return np.interp(t, [30, 32, 60], [15.0, 5.0, 5.0])

    (calm,) = found(drive_telemetry(engaged=engaged((10, 30))), "disengagement")
    (hard,) = found(drive_telemetry(engaged=engaged((10, 30)), speed_mps=speed), "disengagement")
    assert calm.severity < 1.1 < hard.severity


def test_one_wild_sample_at_the_start_or_after_a_pause_is_no_event():
    for at_s in (0.0, 30.0):

        def wild(t, at_s=at_s):
            quiet = np.where((t > at_s - 1.0) & (t < at_s), np.nan, 0.0)
            return np.where(np.isclose(t, at_s), -28.0, quiet)

        assert found(drive_telemetry(rate_hz=100, accel_long_mps2=wild), "harsh_braking") == []


def test_a_long_event_keeps_its_peak_in_its_window():
    telemetry = drive_telemetry(accel_lat_mps2=lambda t: np.interp(t, [10, 11, 24, 25], [0.0, 4.5, 6.0, 0.0]))
    (event,) = found(telemetry, "harsh_cornering")
    assert event.window_ns[1] - T0_NS > 29 * 10**9
    slalom = drive_telemetry(accel_lat_mps2=lambda t: np.where((t > 5) & (t < 55), 6.0 * np.sin(2 * t), 0.0))
    parts = found(slalom, "harsh_cornering")
    assert len(parts) >= 3
    assert max(e.end_ns - e.t_ns for e in parts) <= 20 * 10**9


def test_a_pause_ends_what_was_known_of_engagement():
    once = Telemetry.merge(
        {"engaged": (T0_NS + np.array([0, 60_000, 60_020, 60_600]) * 10**6, np.array([1.0, 1, 0, 0]))}
    )
    assert detect(once, CAR).events == ()
    off_then_silence = np.where((np.arange(6000) > 1500) & (np.arange(6000) < 5500), np.nan, np.arange(6000) < 1500)
    assert found(drive_telemetry(rate_hz=100, engaged=off_then_silence), "disengagement") == []


def test_a_flickering_state_is_one_disengagement_not_many():
    def flicker(t):
        return (t < 10) | ((t < 30) & ((t % 0.42) > 0.4))

    assert len(found(drive_telemetry(rate_hz=100, engaged=flicker), "disengagement")) == 1
