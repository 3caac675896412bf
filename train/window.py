"""The frames that a policy sees at once: how many, how far apart, and which of a camera's they are.

Its T frames lie `stride_s` apart. Each is the frame nearest to the time wanted, never after the sample's own time,
and less than 0.4 strides off; a nearest frame keeps the spacing even where "the last one before" would jump between
one and two frames on a clock that jitters.

Shapes: N frames of a clip, T frames of a window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.errors import SampleError
from trigger.telemetry import Times


@dataclass(frozen=True)
class Window:
    """T frames, the last one at the sample's time and each `stride_s` seconds before the next."""

    frames: int = 3
    stride_s: float = 0.1

    def __post_init__(self) -> None:
        if not (1 <= self.frames <= 64 and 0.0 < self.stride_s <= 10.0):
            raise SampleError(f"{self}", "1 to 64 frames, at most 10 s apart", "choose another window")

    @property
    def tolerance_ns(self) -> int:
        return round(self.stride_s * 1e9 * 0.4)


def window_frames(t_ns: Times, window: Window) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each frame as the last one, the frames of its window and whether all of them exist.

    Args:
        t_ns: (N,) int64 ns, increasing.

    Returns:
        (N, T) int64 indices, oldest first, and (N,) bool.
    """
    ages = np.arange(window.frames - 1, -1, -1) * round(window.stride_s * 1e9)
    wanted = t_ns[:, None] - ages[None, :]
    right = np.minimum(np.searchsorted(t_ns, wanted), len(t_ns) - 1)
    left = np.maximum(right - 1, 0)
    nearest = np.where(wanted - t_ns[left] <= t_ns[right] - wanted, left, right)
    nearest = np.minimum(nearest, np.arange(len(t_ns))[:, None])
    nearest[:, -1] = np.arange(len(t_ns))
    whole = np.all(np.abs(t_ns[nearest] - wanted) < window.tolerance_ns, axis=1)
    # Two places of a window that share one frame would tell the policy that nothing moved.
    whole &= np.all(np.diff(nearest, axis=1) > 0, axis=1)
    return nearest.astype(np.int64), np.asarray(whole)
