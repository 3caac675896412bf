"""How a policy is trained: one dataclass; what the command line can change, and what it leaves as it is.

The defaults were chosen on the first 150 s of the Udacity recording, on stretches of it held back from training. They
do not adapt to the size of a dataset: with hours of driving, give more minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from train.augment import Augmentation
from train.errors import FitError
from train.policies.config import PolicyConfig
from train.policies.presets import PRESETS, without_motion
from train.processor import PRECISIONS
from train.senses import Senses


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        preset: of `train.policies.presets`. motion: False takes one frame and leaves the motion path out.
        cameras: further cameras by name, each seen as the first one is.
        senses: inputs beside pictures, see `train.senses`.
        steps, minutes: limits; at least one of them.
        mix: share of the weighted distribution in what is drawn, see `train.order`. kept: in the rest every second
            that was kept counts alike, and not by its inclusion probability.
        keys: share of draws from key frames, 0 leaves them as they come. fresh: share of draws from clips that the
            policy fine-tuned from has not seen. See `train.shares`.
        batch: samples a step. rate: greatest learning rate. decay: of weights, not of biases.
        warmup: steps until the greatest rate, at most a twentieth of the training.
        average: decay of the running average of weights a step.
        knee: where smooth L1 turns from square to line, in standard deviations of the label.
        clip: greatest norm of the gradient. threads: of torch; 1 gives the same result on every number of cores.
        precision: see `train.processor`. compile: let torch.compile translate the policy first, which takes half a
            minute for `tiny`.
        keep_s: seconds between two states that training can be resumed from.
    """

    preset: str = "small"
    motion: bool = True
    cameras: tuple[str, ...] = ()
    senses: Senses = field(default_factory=Senses)
    steps: int | None = None
    minutes: float | None = None
    mix: float = 0.5
    kept: bool = False
    keys: float = 0.0
    fresh: float = 0.5
    seed: int = 0
    batch: int = 32
    rate: float = 2e-3
    decay: float = 0.05
    warmup: int = 100
    average: float = 0.995
    knee: float = 0.3
    clip: float = 1.0
    threads: int = 1
    precision: str = "auto"
    compile: bool = False
    keep_s: float = 60.0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def config(self) -> PolicyConfig:
        """The policy asked for. Raises FitError where there is no such preset."""
        if self.preset not in PRESETS:
            raise FitError(f"a preset called {self.preset!r}", f"one of {', '.join(PRESETS)}", "choose one of these")
        config = PRESETS[self.preset]()
        config = config if self.motion else without_motion(config)
        others = tuple(replace(config.view, camera=name) for name in self.cameras)
        return replace(config, others=others, senses=self.senses)

    def check(self) -> None:
        """Raises FitError where they cannot work."""
        wrong = {
            "neither steps nor minutes": self.steps is None and self.minutes is None,
            "steps below 1": self.steps is not None and self.steps < 1,
            "minutes not above 0": self.minutes is not None and not self.minutes > 0,
            "a batch below 1": self.batch < 1,
            "a learning rate not above 0": not self.rate > 0,
            "threads below 1": self.threads < 1,
            "a share outside 0 to 1": not (0.0 <= self.keys <= 1.0 and 0.0 <= self.fresh <= 1.0),
            f"a precision other than {', '.join(PRECISIONS)}": self.precision not in PRECISIONS,
            "a spread sideways below 0": min(self.augmentation.sideways_m, self.augmentation.sideways_deg) < 0,
        }
        found = [what for what, is_so in wrong.items() if is_so]
        if found:
            raise FitError(
                f"settings with {' and '.join(found)}", "settings that can work", "see: swerve train fit --help"
            )

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Settings:
        """Of `dataclasses.asdict`. Raises KeyError, TypeError or a TrainError for anything else."""
        nested = {
            "senses": Senses(**data["senses"]),
            "cameras": tuple(data["cameras"]),
            "augmentation": Augmentation.from_json(data["augmentation"]),
        }
        return Settings(**{**data, **nested})
