"""From a presentation time stamp to the drive's clock, exact to the nanosecond for any time base."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


def one_frame_t_ns(pts: int, time_base: Fraction, t0_ns: int) -> int:
    """The same for a single time stamp."""
    seconds, rest = divmod(pts * time_base.numerator, time_base.denominator)
    rest_ns = (2 * rest * 1_000_000_000 + time_base.denominator) // (2 * time_base.denominator)
    return t0_ns + seconds * 1_000_000_000 + rest_ns


def frame_t_ns(pts: NDArray[np.int64], time_base: Fraction, t0_ns: int) -> NDArray[np.int64]:
    """t_ns = t0_ns + round(pts * time_base * 1e9), half up, in integers.

    Args:
        pts: (N,) int64 ticks.
        time_base: seconds a tick.
        t0_ns: time of pts 0 on the drive's clock.

    Returns:
        (N,) int64 ns. Seconds and the rest are taken apart first, so that int64 holds for any recording
        shorter than 292 years and a denominator below 4.6e9.
    """
    ticks = np.asarray(pts, np.int64) * time_base.numerator
    seconds, rest = np.divmod(ticks, time_base.denominator)
    rest_ns = (2 * rest * 1_000_000_000 + time_base.denominator) // (2 * time_base.denominator)
    return np.asarray(t0_ns + seconds * 1_000_000_000 + rest_ns, np.int64)
