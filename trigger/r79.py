"""Lateral jerk as UN R79 measures it: a column of a report, never a trigger.

Sampled at 100 Hz, lateral acceleration goes through a 4th-order Butterworth low-pass of 0.5 Hz; the jerk is the mean
of its derivative over 500 ms. The filter is 0.83 s late at low frequencies and lets 6 % of 1 Hz through, so a swerve
hardly shows: what R79 limits is how an assistance system steers, not how a driver jerks the wheel.
"""

from __future__ import annotations

import numpy as np

from trigger.smooth import STEP_NS, on_grid
from trigger.telemetry import Recorded, Times, Values

CUTOFF_HZ, ORDER, MEAN_S = 0.5, 4, 0.5
MAX_GAP_S = 0.25
STEP_S = STEP_NS / 1e9
Section = tuple[float, float, float, float, float]
"""b0, b1, b2, a1, a2 of a second-order section."""


def peak_lateral_jerk(telemetry: Recorded) -> float | None:
    """Greatest size, m/s^3, over a drive; None where lateral acceleration is not recorded for long enough."""
    if "accel_lat_mps2" not in telemetry:
        return None
    t_ns, jerk = lateral_jerk(*telemetry.samples("accel_lat_mps2"))
    return float(np.abs(jerk).max()) if t_ns.size else None


def lateral_jerk(t_ns: Times, accel_mps2: Values) -> tuple[Times, Values]:
    """Jerk (M,) in m/s^3 at M points of a 10 ms grid; each stretch without a pause begins at rest."""
    grid_ns, values = on_grid(t_ns, accel_mps2, MAX_GAP_S)
    if not grid_ns.size:
        return grid_ns, values
    starts = np.flatnonzero(np.diff(grid_ns, prepend=grid_ns[:1] - 2 * STEP_NS) != STEP_NS)
    over = round(MEAN_S / STEP_S)
    times, jerks = [grid_ns[:0]], [values[:0]]
    for first, end in zip(starts.tolist(), [*starts[1:].tolist(), grid_ns.size], strict=True):
        smooth = low_pass(values[first:end])
        # The mean of a derivative over 500 ms is the difference of the ends.
        jerks.append((smooth[over:] - smooth[:-over]) / MEAN_S)
        times.append(grid_ns[first + over : end])
    return np.concatenate(times), np.concatenate(jerks)


def low_pass(values: Values) -> Values:
    """4th-order Butterworth at 0.5 Hz for samples at 100 Hz, (N,) to (N,), settled on the first value."""
    level = float(values[0]) if values.size else 0.0
    out = (values - level).tolist()
    for section in sections():
        out = _through(section, out)
    return np.array(out) + level


def sections() -> list[Section]:
    """The filter by the bilinear transform with its corner pre-warped (Oppenheim and Schafer, section 7)."""
    k = np.tan(np.pi * CUTOFF_HZ * STEP_S)
    found = []
    for pair in range(ORDER // 2):
        damping = 2.0 * np.sin(np.pi * (2 * pair + 1) / (2 * ORDER))
        scale = 1.0 / (1.0 + damping * k + k * k)
        b = k * k * scale
        found.append((b, 2 * b, b, 2 * (k * k - 1) * scale, (1 - damping * k + k * k) * scale))
    return found


def _through(section: Section, values: list[float]) -> list[float]:
    b0, b1, b2, a1, a2 = section
    s1 = s2 = 0.0
    out = []
    for x in values:
        y = b0 * x + s1
        s1 = b1 * x - a1 * y + s2
        s2 = b2 * x - a2 * y
        out.append(y)
    return out
