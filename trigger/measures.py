"""What the built-in triggers measure: signals in, one number a sample out.

Each function returns the measure's own samples (t_ns, values, name for the evidence) or raises
`SignalAbsentError` naming what it would need. Where a quantity can come from more than one signal, the order is
stated and the evidence names the one that was used; nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trigger.rate import rate, trailing_mean
from trigger.telemetry import Telemetry, Times, Values
from trigger.vehicle import VehicleProfile

PEDAL_OVER_S = 0.3
STEERING_OVER_S = 0.1
SPEED_OVER_S = 0.5
"""Windows of the line fits. Hard brakes labelled by people were measured as 0.5 s means of deceleration."""
JERK_OVER_S = 0.3
MEAN_OVER_S = 0.2
MAX_AGE_S = 0.5
"""A sample of another signal older than this is not used beside the present one."""


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


def gas_rate(telemetry: Telemetry, vehicle: VehicleProfile) -> Measured:
    """How fast the accelerator goes down, 1/s."""
    return _pedal_rate(telemetry, "gas_fraction")


def brake_rate(telemetry: Telemetry, vehicle: VehicleProfile) -> Measured:
    """How fast the brake pedal goes down, 1/s."""
    return _pedal_rate(telemetry, "brake_fraction")


def steering_jerk(telemetry: Telemetry, vehicle: VehicleProfile) -> Measured:
    """Lateral jerk that the wheel rate implies, m/s^3: v^2 * d(road wheel angle, rad)/dt / wheelbase.

    Kinematic single-track model at small angles. Zero below 5 m/s, where any wheel rate is ordinary.
    """
    name, ratio = _steering(telemetry, vehicle)
    t_ns, angle_deg = _need(telemetry, name)
    _need(telemetry, "speed_mps")
    assert vehicle.wheelbase_m is not None
    speed = telemetry.at("speed_mps", t_ns, MAX_AGE_S)
    tire_rate = np.radians(rate(t_ns, angle_deg, STEERING_OVER_S)) / ratio
    jerk = np.where(speed > 5.0, speed**2 * np.abs(tire_rate) / vehicle.wheelbase_m, 0.0)
    return Measured(t_ns, np.where(np.isnan(speed), np.nan, jerk), f"speed_mps^2 * d({name})/dt")


def braking(telemetry: Telemetry, vehicle: VehicleProfile) -> Measured:
    """Deceleration, m/s^2, positive when slowing down."""
    felt = _longitudinal(telemetry)
    return Measured(felt.t_ns, -felt.values, felt.signal)


def accelerating(telemetry: Telemetry, vehicle: VehicleProfile) -> Measured:
    """Acceleration, m/s^2."""
    return _longitudinal(telemetry)


def cornering(telemetry: Telemetry, vehicle: VehicleProfile) -> Measured:
    """Size of the lateral acceleration, m/s^2."""
    felt = _lateral(telemetry)
    return Measured(felt.t_ns, np.abs(felt.values), felt.signal)


def longitudinal_jerk(telemetry: Telemetry, vehicle: VehicleProfile) -> Measured:
    """Size of the longitudinal jerk, m/s^3, over 0.3 s."""
    return _jerk(_longitudinal(telemetry))


def lateral_jerk(telemetry: Telemetry, vehicle: VehicleProfile) -> Measured:
    """Size of the lateral jerk, m/s^3, over 0.3 s."""
    return _jerk(_lateral(telemetry))


def _pedal_rate(telemetry: Telemetry, name: str) -> Measured:
    t_ns, values = _need(telemetry, name)
    return Measured(t_ns, rate(t_ns, values, PEDAL_OVER_S), f"d({name})/dt")


def _jerk(felt: Measured) -> Measured:
    return Measured(felt.t_ns, np.abs(rate(felt.t_ns, felt.values, JERK_OVER_S)), f"d({felt.signal})/dt")


def _longitudinal(telemetry: Telemetry) -> Measured:
    """From the vehicle's own sensor, else from the slope of its speed."""
    if "accel_long_mps2" in telemetry:
        t_ns, values = telemetry.samples("accel_long_mps2")
        return Measured(t_ns, trailing_mean(t_ns, values, MEAN_OVER_S), "accel_long_mps2")
    if "speed_mps" in telemetry:
        t_ns, values = telemetry.samples("speed_mps")
        return Measured(t_ns, rate(t_ns, values, SPEED_OVER_S), "d(speed_mps)/dt")
    raise SignalAbsentError("accel_long_mps2 or speed_mps")


def _lateral(telemetry: Telemetry) -> Measured:
    """From the vehicle's own sensor, else yaw rate times speed (steady cornering, no side slip)."""
    if "accel_lat_mps2" in telemetry:
        t_ns, values = telemetry.samples("accel_lat_mps2")
        return Measured(t_ns, trailing_mean(t_ns, values, MEAN_OVER_S), "accel_lat_mps2")
    if "yaw_rate_dps" in telemetry and "speed_mps" in telemetry:
        t_ns, values = telemetry.samples("yaw_rate_dps")
        mean = trailing_mean(t_ns, values, MEAN_OVER_S)
        speed = telemetry.at("speed_mps", t_ns, MAX_AGE_S)
        return Measured(t_ns, np.radians(mean) * speed, "yaw_rate_dps * speed_mps")
    raise SignalAbsentError("accel_lat_mps2, or yaw_rate_dps with speed_mps")


def _steering(telemetry: Telemetry, vehicle: VehicleProfile) -> tuple[str, float]:
    """The steering column and what to divide it by to get the road wheel's angle."""
    if vehicle.wheelbase_m is None:
        raise SignalAbsentError("the vehicle's wheelbase")
    if "steering_tire_deg" in telemetry:
        return "steering_tire_deg", 1.0
    if "steering_wheel_deg" in telemetry and vehicle.steering_ratio is not None:
        return "steering_wheel_deg", vehicle.steering_ratio
    raise SignalAbsentError("steering_tire_deg, or steering_wheel_deg with the vehicle's steering ratio")


def _need(telemetry: Telemetry, name: str) -> tuple[Times, Values]:
    if name not in telemetry:
        raise SignalAbsentError(name)
    return telemetry.samples(name)
