"""How far ahead a policy answers: K steps, the first at the sample's own time.

Rules:
- Step 0 is the control at the time of the last frame; step k is `k * stride_s` later.
- A later step is a label only while the same human goes on: from a change of hands on, what would have been done is
  not known (`train.controls.labels_ahead`).
- A later step is a label only within the sample's own split (`train.samples`): an exam is not trained on ahead of
  time either.

The trade-off: evenly spaced steps, which a car can hold or interpolate; it does not predict a path in metres.

Shapes: N times, K steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.errors import SampleError
from trigger.telemetry import Times


@dataclass(frozen=True)
class Horizon:
    """K steps, each `stride_s` seconds after the one before; the first at the sample's time."""

    steps: int = 1
    stride_s: float = 0.25

    def __post_init__(self) -> None:
        if not (1 <= self.steps <= 64 and 0.0 < self.stride_s <= 10.0):
            raise SampleError(f"{self}", "1 to 64 steps, at most 10 s apart", "choose another horizon")

    @property
    def offsets_ns(self) -> Times:
        """(K,) int64 ns after the sample's time; the first is 0."""
        return np.arange(self.steps, dtype=np.int64) * round(self.stride_s * 1e9)

    def times(self, t_ns: Times) -> Times:
        """(N,) sample times to (N, K) times of the steps."""
        return t_ns[:, None] + self.offsets_ns[None, :]
