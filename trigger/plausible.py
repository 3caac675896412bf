"""Is a signal what it claims to be? Signs, units and labels that cannot be physical.

A wrong sign trains a mirrored driver, and a public label file for real frames has been seen to hold random
numbers. Each check says what it found in words; none changes a value.
"""

from __future__ import annotations

import numpy as np

from trigger.rate import rate
from trigger.signals import SIGNALS, STEERING_SIGNALS
from trigger.telemetry import Telemetry, Times, Values

MAX_MEDIAN_RATE = {"steering_wheel_deg": 60.0, "steering_tire_deg": 4.0, "steering_normalised": 2.0}
"""Median size of the rate over >= 100 ms beyond which steering is not driving, unit/s. Real drives lie below a
tenth of it; uniform random angles of +-1 rad at 20 Hz give several times as much."""
MIN_EXCITED_SAMPLES = 40
MIN_YAW_DPS = 1.0


def findings(telemetry: Telemetry) -> list[str]:
    """Everything doubtful about the signals, in words; empty when nothing is."""
    return [*_out_of_range(telemetry), *unphysical_steering(telemetry), *wrong_signs(telemetry)]


def unphysical_steering(telemetry: Telemetry) -> list[str]:
    """Steering that jumps as no hand can turn a wheel."""
    found = []
    for name in STEERING_SIGNALS:
        if name in telemetry:
            slope = np.abs(rate(*telemetry.samples(name), over_s=0.1))
            typical = float(np.nanmedian(slope)) if np.isfinite(slope).any() else 0.0
            if typical > MAX_MEDIAN_RATE[name]:
                found.append(
                    f"{name} changes by {typical:.0f} {SIGNALS[name].unit}/s at the median; "
                    f"no driver steers faster than {MAX_MEDIAN_RATE[name]:.0f}: these are not steering angles"
                )
    return found


def wrong_signs(telemetry: Telemetry) -> list[str]:
    """Steering against yaw rate, or against the change of heading where no yaw rate is recorded."""
    steering = next((n for n in STEERING_SIGNALS if n in telemetry), None)
    if steering is None:
        return []
    reference = _turning(telemetry)
    if reference is None:
        return []
    t_ns, turning_dps, name = reference
    angle = telemetry.at(steering, t_ns, 0.5)
    moving = np.nan_to_num(telemetry.at("speed_mps", t_ns, 2.0), nan=10.0) > 2.0
    used = np.isfinite(angle) & np.isfinite(turning_dps) & moving & (np.abs(turning_dps) > MIN_YAW_DPS)
    if used.sum() < MIN_EXCITED_SAMPLES or np.ptp(angle[used]) == 0:
        return []
    r = float(np.corrcoef(angle[used], turning_dps[used])[0, 1])
    return [f"{steering} and {name} have opposite signs (r = {r:.2f}): one of them is mirrored"] if r < -0.3 else []


def _turning(telemetry: Telemetry) -> tuple[Times, Values, str] | None:
    if "yaw_rate_dps" in telemetry:
        t_ns, values = telemetry.samples("yaw_rate_dps")
        return t_ns, values, "yaw_rate_dps"
    if "heading_deg" in telemetry:
        t_ns, heading = telemetry.samples("heading_deg")
        left = -np.degrees(np.unwrap(np.radians(heading)))
        return t_ns, rate(t_ns, left, 1.0), "heading_deg"
    return None


def _out_of_range(telemetry: Telemetry) -> list[str]:
    found = []
    for name in telemetry:
        signal = SIGNALS[name]
        _, values = telemetry.samples(name)
        outside = int(((values < signal.low) | (values > signal.high)).sum())
        if outside:
            found.append(
                f"{outside} of {values.size} samples of {name} lie outside {signal.low:g} to {signal.high:g} "
                f"{signal.unit}: check the unit"
            )
    return found
