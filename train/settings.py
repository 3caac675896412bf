"""How a policy is trained: one dataclass; what the command line can change, and what it leaves as it is.

The defaults were chosen on the first 150 s of the Udacity recording, on stretches of it held back from training. They
do not adapt to the size of a dataset: with hours of driving, give more minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from train.augment import Augmentation
from train.errors import FitError
from train.policy import PRESETS, PolicyConfig, without_motion


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        preset: of `train.policy.PRESETS`. motion: False takes one frame and leaves the motion path out.
        steps, minutes: limits; at least one of them.
        mix: share of the weighted distribution in what is drawn, see `train.order`.
        batch: samples a step. rate: greatest learning rate. decay: of weights, not of biases.
        warmup: steps until the greatest rate, at most a twentieth of the training.
        average: decay of the running average of weights a step.
        knee: where smooth L1 turns from square to line, in standard deviations of the label.
        clip: greatest norm of the gradient. threads: of torch; 1 gives the same result on every number of cores.
    """

    preset: str = "small"
    motion: bool = True
    steps: int | None = None
    minutes: float | None = None
    mix: float = 0.5
    seed: int = 0
    batch: int = 32
    rate: float = 2e-3
    decay: float = 0.05
    warmup: int = 100
    average: float = 0.995
    knee: float = 0.3
    clip: float = 1.0
    threads: int = 1
    augmentation: Augmentation = field(default_factory=Augmentation)

    def config(self) -> PolicyConfig:
        if self.preset not in PRESETS:
            raise FitError(f"a preset called {self.preset!r}", f"one of {', '.join(PRESETS)}", "choose one of these")
        config = PRESETS[self.preset]()
        return config if self.motion else without_motion(config)

    def check(self) -> None:
        """Raises FitError where they cannot work."""
        wrong = {
            "neither steps nor minutes": self.steps is None and self.minutes is None,
            "steps below 1": self.steps is not None and self.steps < 1,
            "minutes not above 0": self.minutes is not None and not self.minutes > 0,
            "a batch below 1": self.batch < 1,
            "a learning rate not above 0": not self.rate > 0,
            "threads below 1": self.threads < 1,
        }
        found = [what for what, is_so in wrong.items() if is_so]
        if found:
            raise FitError(
                f"settings with {' and '.join(found)}", "limits that can be met", "give --steps or --minutes"
            )
