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
    assert set(detection.absent) == {t.kind for t in TRIGGERS} | {"disengagement", "partial_disengagement"}
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


def test_a_swerve_is_felt_to_both_sides():
    swerving = drive_telemetry(accel_lat_mps2=lambda t: np.interp(t, [20, 20.5, 21.5, 22], [0.0, 3.0, -3.0, 0.0]))
    (event,) = found(swerving, "swerve")
    assert event.severity == pytest.approx(3.0 / 2.0, rel=0.15)
    one_bend = drive_telemetry(accel_lat_mps2=lambda t: np.interp(t, [20, 20.5, 26, 26.5], [0.0, 3.0, 3.0, -0.5]))
    assert found(one_bend, "swerve") == []


def test_following_too_closely_needs_speed():
    near = drive_telemetry(lead_distance_m=lambda t: np.where((t > 20) & (t < 25), 9.0, 40.0))
    (event,) = found(near, "close_following")
    assert event.severity == pytest.approx(15.0 / 9.0)
    crawling = drive_telemetry(speed_mps=lambda t: 0 * t + 8.0, lead_distance_m=lambda t: 0 * t + 5.0)
    assert found(crawling, "close_following") == []


@pytest.mark.parametrize("told", [True, False])
def test_a_collision_course_with_and_without_the_closing_speed(told):
    def distance(t):
        return np.interp(t, [20, 24, 30], [40.0, 4.0, 4.0])

    signals = {"lead_distance_m": distance}
    if told:
        signals["lead_closing_mps"] = lambda t: np.where((t >= 20) & (t < 24), 9.0, 0.0)
    (event,) = found(drive_telemetry(**signals), "collision_course")
    assert event.t_ns - T0_NS == pytest.approx(22.9e9, abs=0.3e9)  # 9 m/s over 13.5 m is 1.5 s
    assert event.window_ns == (event.t_ns - 20 * 10**9, event.end_ns + 10 * 10**9)


def test_another_vehicle_in_front_is_no_collision_course():
    assert found(drive_telemetry(lead_distance_m=lambda t: np.where(t < 20, 80.0, 20.0)), "collision_course") == []


def test_a_launch_after_a_stand_but_not_after_a_short_stop_or_at_the_start():
    def pull_away(stood_s):
        return lambda t: np.interp(t, [10, 12, 12 + stood_s, 16 + stood_s], [8.0, 0.0, 0.0, 10.0])

    (event,) = found(drive_telemetry(speed_mps=pull_away(6)), "launch")
    assert event.t_ns - T0_NS == pytest.approx(18.8e9, abs=0.1e9)
    assert found(drive_telemetry(speed_mps=pull_away(2)), "launch") == []
    assert found(drive_telemetry(speed_mps=lambda t: np.interp(t, [1, 3], [0.0, 8.0])), "launch") == []


@pytest.mark.parametrize("kind", ["collision_warning", "emergency_braking", "stability_control", "bookmark"])
def test_what_the_vehicle_or_its_driver_says(kind):
    (event,) = found(drive_telemetry(**{kind: lambda t: (t > 20) & (t < 21)}), kind)
    assert (event.severity, event.evidence.signal) == (1.0, kind)
    assert found(drive_telemetry(**{kind: lambda t: 0 * t}), kind) == []


def pressing(at_s: float, name: str, value: float = 1.0):
    return {name: lambda t: np.where((t > at_s) & (t < at_s + 2), value, 0.0)}


@pytest.mark.parametrize(
    ("signals", "reason"),
    [
        (pressing(29.8, "brake_pressed"), "brake"),
        (pressing(30.2, "brake_fraction", 0.3), "brake"),
        (pressing(29.9, "steering_pressed"), "steering"),
        (pressing(29.9, "gas_fraction", 0.2), "gas"),
        (pressing(29.9, "gas_pressed") | pressing(29.9, "brake_pressed"), "brake"),
        (pressing(20.0, "brake_pressed"), "unknown"),
        (pressing(29.95, "end_reason", 4.0), "button"),
        (pressing(29.95, "end_reason", 5.0) | pressing(29.9, "steering_pressed"), "fault"),
        ({}, "unknown"),
    ],
)
def test_why_it_was_disengaged(signals, reason):
    (event,) = found(drive_telemetry(engaged=engaged((10, 30)), **signals), "disengagement")
    assert event.reason == reason


def test_switched_off_at_a_stand_with_which_the_drive_ends():
    def parked(t):
        return np.interp(t, [50, 55], [15.0, 0.0])

    ends = drive_telemetry(seconds=60.0, engaged=engaged((10, 58)), speed_mps=parked)
    (event,) = found(ends, "disengagement")
    assert event.reason == "end_of_drive"
    goes_on = drive_telemetry(seconds=90.0, engaged=engaged((10, 58)), speed_mps=parked)
    assert found(goes_on, "disengagement")[0].reason == "unknown"


def test_steering_given_back_while_the_system_stays_engaged_is_partial():
    def steers(t):
        return np.where(t < 30, 2.0, 1.0)

    both = {"engaged": engaged((10, 90)), "control_source_steering": steers}
    (event,) = found(drive_telemetry(**both), "partial_disengagement")
    assert (event.t_ns - T0_NS) / 1e9 == pytest.approx(30.0, abs=0.021)
    whole = {"engaged": engaged((10, 30)), "control_source_steering": steers}
    assert found(drive_telemetry(**whole), "partial_disengagement") == []


def test_a_robots_hurried_hand():
    t_ns = T0_NS + np.arange(600) * 33_333_333
    calm = np.linspace(0.2, 0.8, 600)
    hasty = np.where((np.arange(600) >= 300) & (np.arange(600) < 310), calm - (np.arange(600) - 300) * 0.07, calm)
    robot = {"action_gripper": (t_ns, calm), "action_elbow": (t_ns, np.where(np.arange(600) >= 310, 0.1, hasty))}
    (event,) = found(Telemetry.merge(robot), "abrupt_action")
    assert event.evidence.value == pytest.approx(2.1, rel=0.1)
    assert found(Telemetry.merge({"action_gripper": (t_ns, calm)}), "abrupt_action") == []


def test_a_reason_that_nobody_knows_is_none():
    (event,) = found(drive_telemetry(engaged=engaged((10, 30)), **pressing(29.95, "end_reason", 9.0)), "disengagement")
    assert event.reason == "unknown"


@pytest.mark.parametrize("nearer", [(40.0, 25.0), (30.0, 20.0)])
def test_a_vehicle_that_cuts_in_is_no_collision_course(nearer):
    far, near = nearer
    cut_in = drive_telemetry(rate_hz=10, lead_distance_m=lambda t: np.where(t < 20, far, near))
    assert found(cut_in, "collision_course") == []
