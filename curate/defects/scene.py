"""What the kinds of defect are judged by: a clip's frame times, thumbs and signals, all in memory.

Shapes: N frames of a camera, N - 1 steps between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from curate.defects.flow import Flow, flow
from trigger.telemetry import Telemetry, Times, Values

FLOWS = 1.15
"""Frames that lie four apart differ by so much more than those two apart, where a picture moves: 1.42 and more in
every 11 s of Udacity's CH2, CarND's highway and DonkeyCar's track. What flickers has no order and no direction."""
MOVING_MPS = 2.0
"""Above a walk: what stands still is not asked to look as if it moved."""
SPEED_AGE_S = 1.5
"""A speed older than this says nothing of now; satellite receivers give one a second."""


@dataclass(frozen=True, eq=False, repr=False)
class Sight:
    """One camera: times (N,) int64 ns, increasing, and thumbs (N, 18, 32) uint8 of limited range, 16 black."""

    t_ns: Times
    thumbs: NDArray[np.uint8]

    @cached_property
    def step_ns(self) -> Times:
        """(N - 1,) from frame to frame."""
        return np.diff(self.t_ns)

    @cached_property
    def usual_ns(self) -> float:
        """The median step; 0 of fewer than two frames."""
        return float(np.median(self.step_ns)) if self.step_ns.size else 0.0

    @property
    def regular(self) -> bool:
        """Whether frames come at one rate: half of the steps lie within a fifth of it. Many have none."""
        low, high = np.percentile(self.step_ns, [25, 75]) if self.step_ns.size >= 10 else (0.0, np.inf)
        return float(high - low) <= 0.2 * self.usual_ns

    @cached_property
    def change(self) -> Values:
        """(N - 1,) mean difference of the thumbs of neighbours, in levels."""
        return self.apart(1)

    def apart(self, steps: int) -> Values:
        """(N - steps,) mean difference of thumbs so many frames apart, in levels of 256."""
        levels = self.thumbs.astype(np.int16)
        return np.asarray(np.abs(levels[steps:] - levels[:-steps]).mean(axis=(1, 2)), np.float64)

    @cached_property
    def moves_on(self) -> float:
        """How much more frames differ that lie four apart than those two apart; 0 of too few frames, or none alike."""
        two = float(np.median(self.apart(2))) if self.t_ns.size >= 20 else 0.0
        return float(np.median(self.apart(4))) / two if two > 0 else 0.0

    @property
    def flows(self) -> bool:
        """Whether the picture moves on from frame to frame, so that it has an order and a direction."""
        return self.moves_on >= FLOWS

    @cached_property
    def flow(self) -> Flow:
        return flow(self.t_ns, self.thumbs)


@dataclass(frozen=True, eq=False, repr=False)
class Scene:
    """A clip: its window, [start, end) ns, the cameras of which a frame lies in it, and all of its signals.

    The signals begin before the window, as a clip's do.
    """

    window_ns: tuple[int, int]
    cameras: Mapping[str, Sight]
    signals: Telemetry

    @cached_property
    def inside(self) -> Telemetry:
        """The signals within the window."""
        return self.signals.between(*self.window_ns)

    def speed(self, t_ns: Times) -> Values:
        """(M,) m/s at t_ns (M,); NaN where it is not recorded."""
        return self.signals.at("speed_mps", t_ns, SPEED_AGE_S)

    def moving(self, t_ns: Times) -> NDArray[np.bool_]:
        """(M,) whether the vehicle is known to move."""
        return np.nan_to_num(np.abs(self.speed(t_ns)), nan=0.0) > MOVING_MPS
