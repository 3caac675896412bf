"""Is a signal what it claims to be? Signs, units and labels that cannot be physical.

A wrong sign trains a mirrored driver, a speed in km/h brakes 3.6 times too hard, and a public label file for real
frames has been seen to hold random numbers. Each check says what it found in words; none changes a value. A recording
is looked at block by block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trigger.agreement import Agreement
from trigger.measures import SENSOR_GAP_S, SENSOR_MEAN, SPEED_GAP_S, SPEED_SLOPE, own
from trigger.rate import rate
from trigger.signals import SIGNALS, STEERING_SIGNALS, signals_named
from trigger.smooth import filtered
from trigger.telemetry import Recorded, Telemetry, Times, Values, latest

MAX_MEDIAN_RATE = {"steering_wheel_deg": 60.0, "steering_tire_deg": 4.0, "steering_normalised": 2.0}
"""Median size of the rate over >= 100 ms beyond which steering is not driving, unit/s. Real drives lie below a
tenth of it; uniform random angles of +-1 rad at 20 Hz give several times as much."""
MIN_PAIRS = 40
MIN_YAW_DPS, MOVING_MPS = 1.0, 2.0
FORWARD_MPS = 4.0
"""Faster than one reverses: not every recorder gives the speed a sign."""
COURSE_LATE_NS = 800_000_000
"""The line through a second of the course is half a second late, and the receiver some more."""
MIN_ACCEL_MPS2 = 0.5
LEVER_M = {"steering_wheel_deg": (8.0, 300.0), "steering_tire_deg": (0.2, 15.0)}
"""Speed times steering angle over yaw rate: wheelbase times steering ratio, and the wheelbase alone. From a model car
of a quarter of a metre, which has no steering wheel, to a coach; radians for degrees are 57 times too short."""
SAME = (0.6, 1.6)
"""Two ways to one quantity agree within this; km/h taken for m/s is 3.6 times as much, mph 2.2."""
UNITS_APART = {3.6: "km/h", 2.237: "mph"}
EARTH_M_PER_DEG = 111_195.0
FIX_S = 2.0


def findings(telemetry: Recorded) -> list[str]:
    """Everything doubtful about the signals, in words; empty when nothing is."""
    return [*out_of_range(telemetry), *unphysical_steering(telemetry), *wrong_signs(telemetry), *wrong_units(telemetry)]


def out_of_range(telemetry: Recorded) -> list[str]:
    """Values that no vehicle can produce."""
    signals = {signal.name: signal for signal in signals_named(telemetry)}
    outside: dict[str, int] = {}
    total: dict[str, int] = {}
    for block in telemetry.blocks():
        for name in block:
            _, values = block.samples(name)
            signal = signals[name]
            beyond = int(((values < signal.low) | (values > signal.high)).sum())
            outside[name], total[name] = outside.get(name, 0) + beyond, total.get(name, 0) + values.size
    return [
        f"{count} of {total[name]} samples of {name} lie outside {signals[name].low:g} to {signals[name].high:g} "
        f"{signals[name].unit}: check the unit"
        for name, count in outside.items()
        if count
    ]


def unphysical_steering(telemetry: Recorded) -> list[str]:
    """Steering that jumps as no hand can turn a wheel; of a long drive, at the median of its blocks' medians."""
    found = []
    for name in (n for n in STEERING_SIGNALS if n in telemetry):
        slopes = (np.abs(rate(*own(block, name), over_s=0.1)) for block in telemetry.blocks())
        medians = [float(np.nanmedian(slope)) for slope in slopes if np.isfinite(slope).any()]
        typical = float(np.median(medians)) if medians else 0.0
        if typical > MAX_MEDIAN_RATE[name]:
            found.append(
                f"{name} changes by {typical:.0f} {SIGNALS[name].unit}/s at the median; "
                f"no driver steers faster than {MAX_MEDIAN_RATE[name]:.0f}: these are not steering angles"
            )
    return found


def wrong_signs(telemetry: Recorded) -> list[str]:
    """Steering against yaw rate, or against the change of heading where no yaw rate is recorded."""
    steering = next((n for n in STEERING_SIGNALS if n in telemetry), None)
    turning = "yaw_rate_dps" if "yaw_rate_dps" in telemetry else "heading_deg"
    if steering is None or turning not in telemetry:
        return []

    late_ns = 0 if turning == "yaw_rate_dps" else COURSE_LATE_NS

    def pairs(block: Telemetry) -> Agreement:
        t_ns, turning_dps = _turning(block, turning)
        moving = np.nan_to_num(block.at("speed_mps", t_ns, 2.0), nan=10.0) > FORWARD_MPS
        used = moving & (np.abs(turning_dps) > MIN_YAW_DPS)
        return Agreement.of(block.at(steering, t_ns - late_ns, 0.5)[used], turning_dps[used])

    found = _over(telemetry, pairs)
    if found.n < MIN_PAIRS or found.correlation >= -0.3:
        return []
    return [f"{steering} and {turning} have opposite signs (r = {found.correlation:.2f}): one of them is mirrored"]


def wrong_units(telemetry: Recorded) -> list[str]:
    """A speed or a steering angle that the other signals contradict by a constant factor."""
    checks = [
        Check("speed_mps", "the positions", {"lat_deg", "lon_deg"}, _speed_by_position),
        Check("speed_mps", "accel_long_mps2", {"accel_long_mps2"}, _speed_by_acceleration),
    ]
    found = [line for check in checks if (line := check.doubt(telemetry))][:1]
    return found or [line for name in LEVER_M if (line := _steering_doubt(telemetry, name))]


@dataclass(frozen=True)
class Check:
    """One way to tell a signal's unit: pairs of (what it should be, what it says)."""

    name: str
    by: str
    needs: set[str]
    pairs: Callable[[Telemetry], Agreement]

    def doubt(self, telemetry: Recorded) -> str:
        """A sentence, or "" where nothing is wrong or can be told."""
        if not all(name in telemetry for name in (self.name, *self.needs)):
            return ""
        found = _over(telemetry, self.pairs)
        if found.n < MIN_PAIRS or found.correlation < 0.8 or SAME[0] <= found.ratio <= SAME[1]:
            return ""
        unit = next((u for factor, u in UNITS_APART.items() if 0.85 < found.ratio / factor < 1.15), "another unit")
        return f"{self.name} is {found.ratio:.2f} times what follows from {self.by}: is it in {unit}?"


def _over(telemetry: Recorded, pairs: Callable[[Telemetry], Agreement]) -> Agreement:
    return sum((pairs(block) for block in telemetry.blocks()), Agreement())


def _turning(block: Telemetry, name: str) -> tuple[Times, Values]:
    """Yaw rate in deg/s, + left."""
    t_ns, values = own(block, name)
    if name == "yaw_rate_dps":
        return t_ns, values
    return t_ns, rate(t_ns, -np.degrees(np.unwrap(np.radians(values))), 1.0)


def _speed_by_acceleration(block: Telemetry) -> Agreement:
    """Where the vehicle's own sensor feels something: its acceleration, and that of the speed."""
    felt = filtered(*own(block, "accel_long_mps2"), SENSOR_GAP_S, SENSOR_MEAN)
    t_ns, slope = filtered(*own(block, "speed_mps"), SPEED_GAP_S, SPEED_SLOPE)
    sensed = latest(felt, t_ns, 0.02)
    used = np.abs(sensed) > MIN_ACCEL_MPS2
    return Agreement.of(sensed[used], slope[used])


def _speed_by_position(block: Telemetry) -> Agreement:
    """Between fixes 2 s apart: distance over time, and the speed half-way."""
    t_ns, lat = own(block, "lat_deg")
    lon = block.at("lon_deg", t_ns, 0.0)
    before = np.searchsorted(t_ns, t_ns - round(FIX_S * 1e9), side="right") - 1
    used = before >= 0
    since = (t_ns - t_ns[before]) / 1e9
    used &= (since > 0) & (since < 2 * FIX_S)
    north = (lat - lat[before]) * EARTH_M_PER_DEG
    east = (lon - lon[before]) * EARTH_M_PER_DEG * np.cos(np.radians(lat))
    over_ground = np.hypot(north, east)[used] / since[used]
    said = block.at("speed_mps", t_ns[used] - round(FIX_S * 0.5e9), 1.0)
    moving = over_ground > MOVING_MPS
    return Agreement.of(over_ground[moving], said[moving])


def _steering_doubt(telemetry: Recorded, name: str) -> str:
    """Yaw rate = speed * steering angle / lever (single-track model at small angles); the lever must be a vehicle's."""
    if not all(n in telemetry for n in (name, "speed_mps", "yaw_rate_dps")):
        return ""

    def pairs(block: Telemetry) -> Agreement:
        t_ns, yaw_dps = own(block, "yaw_rate_dps")
        speed = block.at("speed_mps", t_ns, 0.5)
        used = (speed > MOVING_MPS) & (np.abs(yaw_dps) > MIN_YAW_DPS)
        return Agreement.of(yaw_dps[used], (speed * block.at(name, t_ns, 0.5))[used])

    found = _over(telemetry, pairs)
    shortest, longest = LEVER_M[name]
    if found.n < MIN_PAIRS or abs(found.correlation) < 0.8 or shortest <= found.ratio <= longest:
        return ""
    hint = "is it in radians?" if found.ratio < shortest else "is it in another unit?"
    return f"{name} is too {'small' if found.ratio < shortest else 'large'} for its yaw rate at this speed: {hint}"
