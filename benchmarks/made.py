"""Telemetry for benchmarks: 100 Hz, values on a sensor's steps, a pure function of the hour's number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trigger.signals import SIGNALS
from trigger.telemetry import Telemetry, Times, Values

ROWS_AN_HOUR = 360_000
STEP_NS = 10_000_000
BRAKES_AN_HOUR = 12
BRAKING = "accel_long_mps2"
RECORDED = (
    "speed_mps",
    BRAKING,
    "accel_lat_mps2",
    "yaw_rate_dps",
    "steering_wheel_deg",
    "steering_torque_nm",
    "gas_fraction",
    "brake_fraction",
    "lead_distance_m",
    "lead_closing_mps",
    "gas_pressed",
    "brake_pressed",
    "steering_pressed",
    "engaged",
    "collision_warning",
    "emergency_braking",
    "stability_control",
    "control_source_steering",
    "control_source_speed",
)
"""What a car with a driver-assistance system gives: 19 signals, which with the time are 20 columns."""
USUAL = {"speed_mps": (20.0, 4.0), "lead_distance_m": (60.0, 8.0), "steering_wheel_deg": (0.0, 5.0)}
"""Mean and spread of signals whose range says nothing of them."""


def times(hour: int) -> Times:
    return np.arange(hour * ROWS_AN_HOUR, (hour + 1) * ROWS_AN_HOUR, dtype=np.int64) * STEP_NS


def deceleration(hour: int) -> Values:
    """Ordinary driving, and brakes of which some are harsh and some are short; m/s^2."""
    rng = np.random.default_rng(hour)
    values = _wander(rng, 0.6, 200) + rng.normal(0.0, 0.1, ROWS_AN_HOUR)
    for begin in rng.integers(0, ROWS_AN_HOUR - 300, BRAKES_AN_HOUR).tolist():
        rows = int(rng.integers(10, 300))
        values[begin : begin + rows] += rng.uniform(1.0, 5.0) * np.hanning(rows)
    return np.round(values, 2)


def telemetry(hour: int, names: Sequence[str] = RECORDED) -> Telemetry:
    """One hour of the named signals, each with a sample in every row."""
    return Telemetry(times(hour), {name: _signal(name, hour) for name in names})


def _signal(name: str, hour: int) -> Values:
    if name == BRAKING:
        return -deceleration(hour)
    signal, rng = SIGNALS[name], np.random.default_rng([hour, *name.encode()])
    if signal.kind != "number":
        return np.where(_wander(rng, 1.0, 20_000) > 1.0, signal.high, 0.0)
    mean, spread = USUAL.get(name, (0.0, min(signal.high, 30.0) / 30.0))
    return np.clip(np.round(mean + _wander(rng, spread, 400), 2), signal.low, signal.high)


def _wander(rng: np.random.Generator, spread: float, every: int) -> Values:
    """A line through random values, one `every` rows."""
    knots = rng.normal(0.0, spread, ROWS_AN_HOUR // every + 2)
    return np.interp(np.arange(ROWS_AN_HOUR) / every, np.arange(knots.size), knots)
