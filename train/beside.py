"""Which frames of another camera stand beside those of a window.

Cameras of one car have clocks of their own and rates of their own. Each frame of a window is given the frame of the
other camera nearest in time, never one after the sample's own time and never further off than the window tolerates.

Shapes: N windows, T frames of a window, M frames of the other camera.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trigger.telemetry import Times


def frames_beside(wanted_ns: Times, other_ns: Times, tolerance_ns: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The other camera's frames for each window, and whether all of them exist.

    Args:
        wanted_ns: (N, T) int64 ns, times of the first camera's frames, the last one the sample's own.
        other_ns: (M,) int64 ns, increasing.

    Returns:
        (N, T) int64 indices and (N,) bool.
    """
    last = np.searchsorted(other_ns, wanted_ns[:, -1:], side="right") - 1
    right = np.minimum(np.searchsorted(other_ns, wanted_ns), np.maximum(last, 0))
    left = np.maximum(right - 1, 0)
    nearest = np.where(wanted_ns - other_ns[left] <= np.abs(other_ns[right] - wanted_ns), left, right)
    near = np.abs(other_ns[nearest] - wanted_ns) < tolerance_ns
    return nearest.astype(np.int64), np.asarray((last[:, 0] >= 0) & near.all(axis=1))
