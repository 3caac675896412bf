"""What the built-in triggers measure: signals in, one number a sample out.

Each is made for the signals that a drive has and the vehicle it was recorded in, and then measures any piece of it;
what it says of a moment rests on the `LOOKBACK_S` before it and on what follows within half a filter's length, so it
says the same however a recording is chopped. Where a quantity can come from more than one signal, the order is stated
and the evidence names the one that was used; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from trigger.rate import MAX_STRETCH, rate
from trigger.signals import SIGNALS
from trigger.smooth import filtered, mean_taps, slope_taps
from trigger.telemetry import MAX_AGE_S, Telemetry, Times, Values, latest
from trigger.vehicle import VehicleProfile
from trigger.windows import Window

PEDAL_OVER_S = 0.3
STEERING_OVER_S = 0.1
SPEED_SLOPE = slope_taps(0.5)
"""Hard brakes labelled by people were measured as 0.5 s means of deceleration."""
SENSOR_MEAN = mean_taps(0.4)
JERK_SLOPE = slope_taps(0.3)
SENSOR_GAP_S, SPEED_GAP_S = 0.25, 0.6
"""Longest pauses that are bridged; the slowest recorders give the speed twice a second."""
LOOKBACK_S = 10.0
"""No measure asks for older samples than this."""
JERK_ABOVE_MPS, FOLLOWING_ABOVE_MPS = 5.0, 10.0
SWERVE_S = 2.0
STANDING_MPS, STOOD_S, LAUNCH_S = 0.3, 3.0, 4.0
LEAD_SWITCH_MPS, LEAD_NOISE_M = 70.0, 1.0
"""Faster than this, and a sensor's noise, nothing on a road comes nearer: the sensor has turned to another vehicle."""


class SignalAbsentError(Exception):
    """The drive does not carry what a measure needs; `needs` says what, in words."""

    def __init__(self, needs: str) -> None:
        super().__init__(needs)
        self.needs = needs


@dataclass(frozen=True)
class Measured:
    """A measure's samples: t_ns (N,) int64, values (N,), and the name of what they are."""

    t_ns: Times
    values: Values
    signal: str


Measure = Callable[[Telemetry, int], Measured]
"""Measures a piece of telemetry, of which the rows later than an int ns are new; what it could say before they came it
may leave out."""
Maker = Callable[[Collection[str], VehicleProfile], Measure]
"""Makes a measure for a drive with these signals. Raises SignalAbsentError."""


def own(telemetry: Telemetry, name: str) -> tuple[Times, Values]:
    """A signal's samples in this piece; none where the piece has none."""
    return telemetry.samples(name) if name in telemetry else (np.empty(0, np.int64), np.empty(0))


def pedal_rate(name: str) -> Maker:
    """How fast a pedal goes down, 1/s."""
    return lambda signals, vehicle: _rate_of(_needed(signals, name), PEDAL_OVER_S)


def steering_jerk(signals: Collection[str], vehicle: VehicleProfile) -> Measure:
    """Lateral jerk that the wheel rate implies, m/s^3: v^2 * d(road wheel angle, rad)/dt / wheelbase.

    Kinematic single-track model at small angles. Zero below 5 m/s, where any wheel rate is ordinary.
    """
    name, ratio = _steering(signals, vehicle)
    _needed(signals, "speed_mps")
    wheelbase_m = vehicle.wheelbase_m or np.nan

    def measure(telemetry: Telemetry, since_ns: int) -> Measured:
        t_ns, angle_deg = own(telemetry, name)
        speed = telemetry.at("speed_mps", t_ns, MAX_AGE_S)
        tire_rate = np.radians(rate(t_ns, angle_deg, STEERING_OVER_S)) / ratio
        jerk = np.where(speed > JERK_ABOVE_MPS, speed**2 * np.abs(tire_rate) / wheelbase_m, 0.0)
        return Measured(t_ns, np.where(np.isnan(speed), np.nan, jerk), f"speed_mps^2 * d({name})/dt")

    return measure


def braking(signals: Collection[str], vehicle: VehicleProfile) -> Measure:
    """Deceleration, m/s^2, positive when slowing down."""
    return _mapped(_longitudinal(signals), np.negative)


def accelerating(signals: Collection[str], vehicle: VehicleProfile) -> Measure:
    """Acceleration, m/s^2."""
    return _longitudinal(signals)


def cornering(signals: Collection[str], vehicle: VehicleProfile) -> Measure:
    """Size of the lateral acceleration, m/s^2."""
    return _mapped(_lateral(signals), np.abs)


def longitudinal_jerk(signals: Collection[str], vehicle: VehicleProfile) -> Measure:
    """Size of the longitudinal jerk, m/s^3, over 0.3 s."""
    return _mapped(_longitudinal(signals, JERK_SLOPE), np.abs)


def lateral_jerk(signals: Collection[str], vehicle: VehicleProfile) -> Measure:
    """Size of the lateral jerk, m/s^3, over 0.3 s."""
    return _mapped(_lateral(signals, JERK_SLOPE), np.abs)


def swerve(signals: Collection[str], vehicle: VehicleProfile) -> Measure:
    """Lateral acceleration, m/s^2, that was reached both to the left and to the right within 2 s."""
    lateral = _lateral(signals)

    def measure(telemetry: Telemetry, since_ns: int) -> Measured:
        felt = lateral(telemetry, since_ns)
        window = Window(felt.t_ns, SWERVE_S)
        left, right = window.greatest(felt.values), -window.least(felt.values)
        return Measured(felt.t_ns, np.minimum(left, right), f"{felt.signal}, both ways")

    return measure


def closeness(signals: Collection[str], vehicle: VehicleProfile) -> Measure:
    """Inverse headway, 1/s: speed over the distance to the vehicle ahead; 0 below 10 m/s."""
    _needed(signals, "lead_distance_m")
    _needed(signals, "speed_mps")

    def measure(telemetry: Telemetry, since_ns: int) -> Measured:
        t_ns, distance_m = own(telemetry, "lead_distance_m")
        speed = telemetry.at("speed_mps", t_ns, MAX_AGE_S)
        inverse = np.where(speed > FOLLOWING_ABOVE_MPS, speed / np.maximum(distance_m, 0.1), 0.0)
        return Measured(t_ns, np.where(np.isnan(speed), np.nan, inverse), "speed_mps / lead_distance_m")

    return measure


def collision_course(signals: Collection[str], vehicle: VehicleProfile) -> Measure:
    """Inverse time to collision, 1/s: closing speed over distance; from the distance alone where that must do."""
    _needed(signals, "lead_distance_m")
    told = "lead_closing_mps" in signals

    def measure(telemetry: Telemetry, since_ns: int) -> Measured:
        t_ns, distance_m = own(telemetry, "lead_distance_m")
        if told:
            closing, name = telemetry.at("lead_closing_mps", t_ns, MAX_AGE_S), "lead_closing_mps"
        else:
            closing, name = -rate(t_ns, distance_m, PEDAL_OVER_S), "-d(lead_distance_m)/dt"
            step_s = np.diff(t_ns, prepend=t_ns[:1]) / 1e9
            switch = np.abs(np.diff(distance_m, prepend=distance_m[:1])) > LEAD_SWITCH_MPS * step_s + LEAD_NOISE_M
            recently = Window(t_ns, MAX_STRETCH * PEDAL_OVER_S).greatest(switch.astype(np.float64)) > 0.0
            closing = np.where(recently, np.nan, closing)
        return Measured(t_ns, closing / np.maximum(distance_m, 0.1), f"{name} / lead_distance_m")

    return measure


def launch(signals: Collection[str], vehicle: VehicleProfile) -> Measure:
    """Speed, m/s, within 4 s after a stand of at least 3 s; else 0."""
    _needed(signals, "speed_mps")

    def measure(telemetry: Telemetry, since_ns: int) -> Measured:
        t_ns, speed = own(telemetry, "speed_mps")
        stand = Window(t_ns, STOOD_S)
        stood = stand.covered & (stand.greatest(np.abs(speed)) < STANDING_MPS)
        recently = Window(t_ns, LAUNCH_S).greatest(np.where(stood, 1.0, 0.0)) > 0.0
        return Measured(t_ns, np.where(recently, speed, 0.0), "speed_mps after a stand")

    return measure


def flag(name: str) -> Maker:
    """A flag as it is: 0 or 1."""

    def make(signals: Collection[str], vehicle: VehicleProfile) -> Measure:
        _needed(signals, name)
        return lambda telemetry, since_ns: Measured(*own(telemetry, name), name)

    return make


def robot_action(signals: Collection[str], vehicle: VehicleProfile) -> Measure:
    """How fast the fastest of a robot's actions changes, its range a second."""
    names = sorted(name for name in signals if name.startswith("action_"))
    if not names:
        raise SignalAbsentError("a robot's actions")

    def measure(telemetry: Telemetry, since_ns: int) -> Measured:
        rates = [(own(telemetry, name)[0], rate(*own(telemetry, name), STEERING_OVER_S)) for name in names]
        t_ns = np.unique(np.concatenate([t for t, _ in rates]))
        each = [np.abs(latest(one, t_ns, MAX_AGE_S)) for one in rates]
        return Measured(t_ns, np.fmax.reduce(each), "d(action)/dt")

    return measure


def _mapped(measure: Measure, change: Callable[[Values], Values]) -> Measure:
    def mapped(telemetry: Telemetry, since_ns: int) -> Measured:
        felt = measure(telemetry, since_ns)
        return Measured(felt.t_ns, change(felt.values), felt.signal)

    return mapped


def _rate_of(name: str, over_s: float) -> Measure:
    def measure(telemetry: Telemetry, since_ns: int) -> Measured:
        t_ns, values = own(telemetry, name)
        return Measured(t_ns, rate(t_ns, values, over_s), f"d({name})/dt")

    return measure


def _filtered(name: str, signal: str, max_gap_s: float, *filters: Values) -> Measure:
    return lambda telemetry, since_ns: Measured(*filtered(*own(telemetry, name), max_gap_s, *filters), signal)


def _longitudinal(signals: Collection[str], *filters: Values) -> Measure:
    """From the vehicle's own sensor, else from the slope of its speed; then through further filters."""
    if "accel_long_mps2" in signals:
        return _filtered("accel_long_mps2", _felt("accel_long_mps2", filters), SENSOR_GAP_S, SENSOR_MEAN, *filters)
    if "speed_mps" in signals:
        return _filtered("speed_mps", _felt("d(speed_mps)/dt", filters), SPEED_GAP_S, SPEED_SLOPE, *filters)
    raise SignalAbsentError("accel_long_mps2 or speed_mps")


def _lateral(signals: Collection[str], *filters: Values) -> Measure:
    """From the vehicle's own sensor, else yaw rate times speed (steady cornering, no side slip)."""
    if "accel_lat_mps2" in signals:
        return _filtered("accel_lat_mps2", _felt("accel_lat_mps2", filters), SENSOR_GAP_S, SENSOR_MEAN, *filters)
    if not {"yaw_rate_dps", "speed_mps"} <= set(signals):
        raise SignalAbsentError("accel_lat_mps2, or yaw_rate_dps with speed_mps")

    def measure(telemetry: Telemetry, since_ns: int) -> Measured:
        t_ns, yaw_dps = own(telemetry, "yaw_rate_dps")
        speed = telemetry.at("speed_mps", t_ns, MAX_AGE_S)
        known = ~np.isnan(speed)
        felt = np.radians(yaw_dps[known]) * speed[known]
        signal = _felt("yaw_rate_dps * speed_mps", filters)
        return Measured(*filtered(t_ns[known], felt, SENSOR_GAP_S, SENSOR_MEAN, *filters), signal)

    return measure


def _felt(signal: str, filters: tuple[Values, ...]) -> str:
    return f"d({signal})/dt" if filters else signal


def _steering(signals: Collection[str], vehicle: VehicleProfile) -> tuple[str, float]:
    """The steering column and what to divide it by to get the road wheel's angle."""
    if vehicle.wheelbase_m is None:
        raise SignalAbsentError("the vehicle's wheelbase")
    if "steering_tire_deg" in signals:
        return "steering_tire_deg", 1.0
    if "steering_wheel_deg" in signals and vehicle.steering_ratio is not None:
        return "steering_wheel_deg", vehicle.steering_ratio
    raise SignalAbsentError("steering_tire_deg, or steering_wheel_deg with the vehicle's steering ratio")


def _needed(signals: Collection[str], name: str) -> str:
    assert name in SIGNALS
    if name not in signals:
        raise SignalAbsentError(name)
    return name
