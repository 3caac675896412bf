"""What a policy says about samples, with its eyes open, shut, or on other frames than its own.

The two blindfolds show whether a policy looks at the road at all: what it still gets right on black frames it gets
from elsewhere (its senses, the mean of the labels), and what it gets right on frames of other samples is chance.

Shapes: S samples, K steps of the horizon, A controls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from train.errors import EvaluationError
from train.order import generator
from train.policies.policy import Policy
from train.samples import SampleSet

Floats = NDArray[np.float64]

BATCH = 64
BLACK, SHUFFLED = "black frames", "shuffled frames"


@dataclass(frozen=True, repr=False, eq=False)
class Answers:
    """What a policy says: (S, K, A) each, in the units of the controls."""

    mean: Floats
    std: Floats

    @property
    def now(self) -> Floats:
        """(S, A): the controls at the samples' own times."""
        return self.mean[:, 0]


def predict(
    policy: Policy, samples: SampleSet, how: str = "", advance: Callable[[int], None] = lambda done: None
) -> Answers:
    """The policy's answers.

    Args:
        how: "" for the frames as they are, `BLACK`, or `SHUFFLED` (those of other samples).

    Raises:
        EvaluationError: an answer is no number; left out, it would make the rest look better.
    """
    source = np.arange(len(samples))
    if how == SHUFFLED:
        source = generator(SHUFFLED, len(samples), 0).permutation(source)
    means: list[Tensor] = []
    stds: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(samples), BATCH):
            batch = samples.batch(source[start : start + BATCH])
            views = [torch.zeros_like(view) if how == BLACK else view for view in batch.views]
            forecast = policy.to_units(policy(views[0], views[1:], batch.speed_mps, batch.command))
            means.append(forecast.mean)
            stds.append(forecast.std)
            advance(min(start + BATCH, len(samples)))
    mean, std = (torch.cat(parts).numpy().astype(np.float64) for parts in (means, stds))
    if wrong := int((~np.isfinite(mean)).any(axis=(1, 2)).sum()):
        raise EvaluationError(
            f"a policy that answers {wrong} of {len(samples)} samples with no number", "controls", "train it again"
        )
    return Answers(mean, std)
