"""What a Tesla drive itself shows of signals that Tesla names but does not define: sign, unit and axis.

Each is taken only where the drive shows it, and a note says how; else it is left out, and a note says that:
- `steering_wheel_angle` against the curvature of the path (change of heading over distance): sign, and degrees or
  radians, which differ by 57 where cars differ by 3;
- `linear_acceleration_mps2_x` and `_y` against the change of speed, and against speed times yaw rate: axis and sign;
- `accelerator_pedal_position`: per cent where it exceeds 1.5; a fraction where a human gained speed with it as 1 % of
  pedal does not give;
- `heading_deg` against the positions; it is the reference for the others, so where the positions do not confirm it,
  nothing is concluded from it.
A straight or short drive therefore lacks columns that a winding one of the same car has: a label that is absent costs
less than one of the wrong sign.

Not covered: offsets, gain within a factor of two, and what was learned from another drive of the same car.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trigger.rate import rate, trailing_mean
from trigger.telemetry import Times, Values

NONE, SELF_DRIVING, AUTOSTEER, TACC = 0, 1, 2, 3
"""Values of `autopilot_state`."""
DRIVE_GEAR, REVERSE_GEAR = 1, 2
"""Values of `gear` (two of them)."""
SMOOTH_S = 1.0
MOVING_MPS = 3.0
MIN_R = 0.6
MIN_EXCITED_S = 5.0
"""What is undocumented needs this correlation, over this many seconds in which there was something to compare."""
TURNING_PER_M = 0.005
"""Curvature that counts as turning: radii below 200 m."""
FELT_MPS2 = 0.5
"""Acceleration that counts as one; across the car it is turning too."""
DEGREES_PER_RADIUS_M, RADIANS_PER_RADIUS_M = (500.0, 8000.0), (9.0, 140.0)
"""Steering wheel angle over curvature is wheelbase times steering ratio, 15 m to 60 m for cars: in degrees, in radians;
wider, because tyres slip and courses are noisy."""
SCALE_ERROR = 2.0
"""Factor by which an acceleration may differ from what it follows; other units differ by more."""
PERCENT_FROM, FRACTION_FROM, UNDER_ONE_PERCENT_MPS2 = 1.5, 0.05, 1.5
"""Pedal positions from which they must be per cent, and may be a fraction; what 1 % of pedal does not give."""
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Samples:
    """What the SEI of a drive says, as recorded.

    Attributes:
        t_ns: (M,) int64 ns, increasing.
        values: field name to (M,) float64; NaN where the number cannot be.
        step_s: usual time between two samples.
    """

    t_ns: Times
    values: dict[str, Values]
    step_s: float

    def __getitem__(self, name: str) -> Values:
        return self.values[name]


def is_compass(s: Samples) -> bool | None:
    """Is heading the direction of travel, clockwise from north? Asked of the positions, a second apart.

    Returns:
        None where they cannot tell: no fix, no movement, or a road too straight to tell a mirrored heading by.
    """
    known = np.flatnonzero(np.isfinite(s["latitude_deg"] + s["longitude_deg"] + s["heading_deg"]))
    _, first = np.unique(s.t_ns[known] // 1_000_000_000, return_index=True)
    rows = known[first]
    lat, lon, gear = (s[name][rows] for name in ("latitude_deg", "longitude_deg", "gear"))
    north, east = np.diff(lat), np.diff(lon) * np.cos(np.radians(lat[1:]))
    heading = np.unwrap(np.radians(s["heading_deg"][rows]))
    middle = (heading[1:] + heading[:-1]) / 2
    steady = np.diff(s.t_ns[rows]) < 2_500_000_000
    used = steady & (np.hypot(north, east) * 111_320 > MOVING_MPS) & (gear[1:] == DRIVE_GEAR)
    if used.sum() < MIN_EXCITED_S:
        return None
    course, middle = np.unwrap(np.arctan2(east, north)[used]), middle[used]
    off_deg = abs(np.degrees(np.angle(np.exp(1j * (course - middle)).mean())))
    turned = np.degrees(np.ptp(course)) >= 30.0 and np.ptp(middle) > 0.0
    r = float(np.corrcoef(course, middle)[0, 1]) if turned else 0.0
    if off_deg > 45.0 or r < -MIN_R:
        return False
    return True if off_deg < 20.0 and r > 0.9 else None


def gas(s: Samples, notes: list[str]) -> dict[str, Values]:
    """The pedal as a fraction, where the drive shows its scale: per cent, or a fraction because a car that gains
    1.5 m/s^2 in a human's hands is not driven by 1 % of pedal. Zero is zero. The nine largest values may be damage."""
    pedal = s["accelerator_pedal_position"]
    known = np.sort(pedal[np.isfinite(pedal)])
    if not known.size:
        return {}
    high = float(known[-min(10, known.size)])
    if high > PERCENT_FROM:
        notes.append(f"accelerator_pedal_position is taken as per cent (it reaches {high:.1f})")
        return {"gas_fraction": np.minimum(pedal / 100.0, 1.0)}
    driven = np.isfinite(pedal) & (pedal > 0) & (s["autopilot_state"] == NONE)
    harder = rate(s.t_ns, s["vehicle_speed_mps"], SMOOTH_S) > UNDER_ONE_PERCENT_MPS2
    if high == 0.0:
        return {"gas_fraction": pedal}
    if FRACTION_FROM <= high <= 1.0 and _seconds(driven & harder, s) >= 1.0:
        notes.append(f"accelerator_pedal_position is taken as a fraction (it reaches {high:.2f})")
        return {"gas_fraction": pedal}
    notes.append(f"accelerator_pedal_position is left out: per cent or fraction? (it reaches only {high:.2f})")
    return {}


def steering_and_acceleration(s: Samples, compass: bool, notes: list[str]) -> dict[str, Values]:
    """Steering wheel and accelerations, as far as the drive shows what they are."""
    speed = trailing_mean(s.t_ns, s["vehicle_speed_mps"], SMOOTH_S)
    yaw_rps = _yaw_rps(s) if compass else np.full(s.t_ns.size, np.nan)
    forward = (s["gear"] == DRIVE_GEAR) & (speed > MOVING_MPS)
    curvature = np.where(forward, yaw_rps / np.where(forward, speed, 1.0), np.nan)
    gained = rate(s.t_ns, s["vehicle_speed_mps"], SMOOTH_S)
    cornered = speed * yaw_rps
    turning = (np.abs(curvature) > TURNING_PER_M) | (np.abs(cornered) > FELT_MPS2)
    return {
        **_steering(s, curvature, forward, turning, notes),
        **_accelerations(s, gained, cornered, forward, notes),
    }


def _steering(s: Samples, curvature: Values, forward: Mask, turning: Mask, notes: list[str]) -> dict[str, Values]:
    wheel = s["steering_wheel_angle"]
    fit = _fit(trailing_mean(s.t_ns, wheel, SMOOTH_S), curvature, forward, turning, s)
    against = f"{fit.why} of turning against the heading"
    units = {"degrees": (DEGREES_PER_RADIUS_M, 1.0), "radians": (RADIANS_PER_RADIUS_M, 180.0 / np.pi)}
    unit = next((u for u, ((low, high), _) in units.items() if low <= fit.ratio <= high), None)
    if not fit.clear or unit is None:
        doubt = "sign" if not fit.clear else f"unit ({fit.ratio:.0f} a 1/m)"
        notes.append(f"steering_wheel_angle is left out: its {doubt} is not documented and not clear ({against})")
        return {}
    side = "left" if fit.r > 0 else "right, so turned"
    notes.append(f"steering_wheel_angle is taken as {unit}, + {side} ({against})")
    return {"steering_wheel_deg": wheel * units[unit][1] * np.sign(fit.r)}


def _accelerations(s: Samples, gained: Values, cornered: Values, forward: Mask, notes: list[str]) -> dict[str, Values]:
    """Which of x and y is which: each named for what it follows best, none where both would be the same."""
    references = {"accel_long_mps2": ("change of speed", gained), "accel_lat_mps2": ("speed times yaw rate", cornered)}
    found: dict[str, tuple[str, _Fit]] = {}
    for name, (what, wanted) in references.items():
        large = np.abs(wanted) > FELT_MPS2
        fits = {a: _fit(_axis(s, a, SMOOTH_S), wanted, forward, large, s) for a in ("x", "y")}
        axis = max(fits, key=lambda a: abs(fits[a].r))
        fit = fits[axis]
        if fit.clear and 1 / SCALE_ERROR <= fit.ratio <= SCALE_ERROR:
            found[name] = (axis, fit)
        else:
            notes.append(f"{name} is left out: neither linear_acceleration x nor y follows {what} ({fit.why})")
    if len({axis for axis, _ in found.values()}) < len(found):
        notes.append("accel_long_mps2 and accel_lat_mps2 are left out: one axis follows both")
        return {}
    for name, (axis, fit) in found.items():
        sign = "" if fit.r > 0 else "minus "
        notes.append(f"{name} is {sign}linear_acceleration {axis} ({fit.why} against {references[name][0]})")
    return {name: _axis(s, axis) * np.sign(fit.r) for name, (axis, fit) in found.items()}


def _axis(s: Samples, axis: str, over_s: float = 0.0) -> Values:
    values = s[f"linear_acceleration_mps2_{axis}"]
    return trailing_mean(s.t_ns, values, over_s) if over_s else values


def _yaw_rps(s: Samples) -> Values:
    """Yaw rate from the heading, rad/s, + left."""
    known = np.isfinite(s["heading_deg"])
    left = -np.unwrap(np.radians(s["heading_deg"][known]))
    result = np.full(s.t_ns.size, np.nan)
    result[known] = rate(s.t_ns[known], left, SMOOTH_S)
    return result


@dataclass(frozen=True)
class _Fit:
    """How well one quantity follows another.

    Attributes:
        r: correlation. ratio: spread of the first over that of the second.
        seconds: time in which the second was large enough to compare with.
    """

    r: float
    ratio: float
    seconds: float

    @property
    def clear(self) -> bool:
        return abs(self.r) >= MIN_R and self.seconds >= MIN_EXCITED_S

    @property
    def why(self) -> str:
        return f"r = {self.r:.2f} over {self.seconds:.0f} s"


def _fit(felt: Values, wanted: Values, used: Mask, large: Mask, s: Samples) -> _Fit:
    """Over the samples `used`; `large` are those in which there is something to compare."""
    used = used & np.isfinite(felt) & np.isfinite(wanted)
    a, b = felt[used], wanted[used]
    if a.size < 3 or np.ptp(a) == 0.0 or np.ptp(b) == 0.0:
        return _Fit(0.0, 0.0, 0.0)
    r = float(np.corrcoef(a, b)[0, 1])
    return _Fit(r, float(np.std(a) / np.std(b)), _seconds(used & large, s))


def _seconds(rows: Mask, s: Samples) -> float:
    return int(rows.sum()) * s.step_s
