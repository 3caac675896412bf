"""What a car did, in figures that can be compared: its signals at single moments, and summed up over a clip.

A signal that is not recorded is NaN; it is never taken for zero, and recorded is never like not recorded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trigger.telemetry import MAX_AGE_S, Recorded, Times

Figures = NDArray[np.float32]


@dataclass(frozen=True)
class Compared:
    """How one signal is compared, in its own unit.

    Attributes:
        same: the most that two recordings of the very same moment differ in it: rounding and another clock.
        alike: the most that mean, spread, least and greatest of two clips may differ for the driving to be alike.
        scale: a difference that a driver would call a lot; vectors turn by about a radian over it.
    """

    same: float
    alike: float
    scale: float


SIGNALS = {
    "speed_mps": Compared(0.5, 1.5, 15.0),
    "steering_wheel_deg": Compared(2.0, 5.0, 45.0),
    "steering_tire_deg": Compared(0.15, 0.35, 3.0),
    "steering_normalised": Compared(0.01, 0.025, 0.2),
    "accel_long_mps2": Compared(0.5, 0.5, 3.0),
    "accel_lat_mps2": Compared(0.5, 0.5, 3.0),
    "yaw_rate_dps": Compared(1.0, 1.5, 10.0),
    "gas_fraction": Compared(0.05, 0.1, 0.5),
    "brake_fraction": Compared(0.05, 0.1, 0.5),
    "gas_pressed": Compared(0.0, 0.25, 1.0),
    "brake_pressed": Compared(0.0, 0.25, 1.0),
}
"""A road wheel turns about 1/15 of the wheel, a normalised command is 1 at about 200 deg of it."""
FIGURES = 4
"""Mean, standard deviation, least, greatest: the extremes keep one hard second from being averaged away."""
DIMENSION = 2 * FIGURES * len(SIGNALS)


def at_moments(telemetry: Recorded, t_ns: Times) -> Figures:
    """The last sample of each signal at each time (M,): (M, S), NaN where there is none within 0.5 s."""
    return np.stack([telemetry.at(name, t_ns, MAX_AGE_S) for name in SIGNALS], axis=1).astype(np.float32)


def summed_up(telemetry: Recorded) -> Figures:
    """(S, 4) figures of the whole recording, NaN for a signal without a sample."""
    figures = np.full((len(SIGNALS), FIGURES), np.nan, np.float32)
    for row, name in enumerate(SIGNALS):
        if name in telemetry:
            _, values = telemetry.samples(name)
            figures[row] = values.mean(), values.std(), values.min(), values.max()
    return figures


def same_moments(a: Figures, b: Figures) -> NDArray[np.bool_]:
    """Whether moments (..., S) can be one and the same, (...)."""
    return np.asarray(_close(a, b, np.array([c.same for c in SIGNALS.values()], np.float32)).all(axis=-1))


def alike(a: Figures, b: Figures) -> NDArray[np.bool_]:
    """Whether what was done in clips (..., S, 4) is alike, (...): no figure of any signal differs by much.

    Clips of which nothing is known that could be compared are not alike.
    """
    close = _close(a, b, np.array([c.alike for c in SIGNALS.values()], np.float32)[:, None]).all(axis=(-2, -1))
    return np.asarray(close & np.isfinite(a).any(axis=(-2, -1)))


def directions(figures: Figures) -> Figures:
    """Figures (S, 4) as (2 * 4 * S,) numbers of length 1, zero where nothing is recorded.

    Each figure becomes an angle between -90 and 90 degrees, so that the dot product of two is the mean cosine of their
    differences: 1 for the same driving, less the more it differs, and less where other signals are recorded.
    """
    scale = np.array([c.scale for c in SIGNALS.values()], np.float32)[:, None]
    angle = np.pi / 2 * np.tanh(figures / scale)
    turned = np.nan_to_num(np.stack([np.cos(angle), np.sin(angle)])).ravel()
    return np.asarray(turned / max(float(np.linalg.norm(turned)), 1e-9), np.float32)


def _close(a: Figures, b: Figures, most: Figures) -> NDArray[np.bool_]:
    return np.asarray((np.abs(a - b) <= most) | (np.isnan(a) & np.isnan(b)))
