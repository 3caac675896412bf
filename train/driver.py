"""A policy at the wheel of a world: pictures as it was trained on them, its answer as an action.

It is told what it was told in training and nothing else: frames of its window, each through its own view, and the speed
where it was trained to be told it and the world tells it. Until the window is full the first frame stands for those
before it.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import torch

from train.checkpoint import SavedPolicy
from train.errors import PolicyError
from train.frames import Eye, Pixels
from train.world.car import MOST_TYRE_RAD, STEERING_RATIO
from train.world.env import SPEED, STEP_S, Action, Observation

MOST_WHEEL_DEG = float(np.degrees(MOST_TYRE_RAD)) * STEERING_RATIO
LEAST = np.array([-1.0, 0.0, 0.0], np.float32)
SCATTER = 0.25
"""An answer this little beyond a control's end means the end: a regression scatters around a pedal at rest. Further
off, or no number at all, is no control, and for the safety driver to judge."""


UNKNOWN = np.array([np.nan], np.float32)


class PolicyDriver:
    """Raises PolicyError where the policy's frames lie at other times than the world's steps, or its controls are not
    the world's."""

    def __init__(self, saved: SavedPolicy) -> None:
        config, window = saved.config, saved.config.window
        stride = window.stride_s / STEP_S
        wanted = {"steering_wheel_deg", "gas_fraction", "brake_fraction"}
        if config.others or config.senses.command:
            raise PolicyError(f"{saved.name} wants further cameras or a command", "one camera", "train it without them")
        if abs(stride - round(stride)) > 1e-6 or not wanted <= set(config.controls):
            raise PolicyError(
                f"{saved.name}: frames {window.stride_s} s apart, controls {', '.join(config.controls)}",
                f"a multiple of {STEP_S} s, and {', '.join(sorted(wanted))}",
                "train it on drives of this world",
            )
        self.policy, self.eye = saved.policy, Eye(config.view)
        self.stride, self.count = max(round(stride), 1), window.frames
        self.places = [config.controls.index(name) for name in ("steering_wheel_deg", "gas_fraction", "brake_fraction")]
        self.frames: deque[Pixels] = deque(maxlen=self.stride * (self.count - 1) + 1)

    def start(self) -> None:
        self.frames.clear()

    def act(self, seen: Observation) -> Action:
        self.frames.append(self.eye.look(seen["front"]))
        kept = list(self.frames)
        window = [kept[max(len(kept) - 1 - back * self.stride, 0)] for back in range(self.count - 1, -1, -1)]
        # T H W C -> 1 T C H W
        frames = torch.from_numpy(np.stack(window)).permute(0, 3, 1, 2)[None]
        with torch.inference_mode():
            speed = torch.from_numpy(seen.get(SPEED, UNKNOWN))
            told = self.policy.to_units(self.policy(frames, speed_mps=speed)).mean[0, 0].numpy()
        steering, gas, brake = (float(told[place]) for place in self.places)
        action = np.array([steering / MOST_WHEEL_DEG, gas, brake], np.float32)
        ends = np.clip(action, LEAST, 1.0)
        return np.where(np.abs(action - ends) <= SCATTER, ends, action).astype(np.float32)
