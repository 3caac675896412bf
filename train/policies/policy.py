"""What all policies share: a trunk for each camera, senses, and a head that says what to do and how sure it is.

The head gives two numbers for each control and step of the horizon: the mean, and the logarithm of a variance. They
are learned apart: the mean as if there were no variance, and the variance from features that it cannot change
(`detach`), so that an easy doubt never costs accuracy. Learned together by the Gaussian likelihood, the mean of hard
samples is given up (Seitzer et al. 2022, "On the Pitfalls of Heteroscedastic Uncertainty Estimation").

Past controls are never an input, and speed only if asked for (`train.senses`).

Shapes: B samples, T frames of a window, C channels, H rows, W columns, K steps of the horizon, A controls, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from train.policies.config import PolicyConfig

LARGEST_DOUBT = 8.0
"""Bound of the logarithm of the variance, to both sides: a std of e^-4 to e^4 times the spread of the labels."""


class Outputs(NamedTuple):
    """What a policy says: (B, K, A) float32 each, in units of the labels' spread, and its logarithm squared."""

    mean: Tensor
    log_variance: Tensor


class Forecast(NamedTuple):
    """The same in the units of the controls: (B, K, A) float32 each."""

    mean: Tensor
    std: Tensor


class Doubt(nn.Module):
    """Features (B, F) to logarithms of variances, at most `LARGEST_DOUBT` off 0.

    The bound keeps any answer from being so sure that one label far off would end the training. The weights begin at
    zero: at first it is as unsure as the labels are spread.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, features: Tensor) -> Tensor:
        raw = nn.functional.linear(features, self.weight, self.bias)
        return LARGEST_DOUBT * torch.tanh(raw / LARGEST_DOUBT)


class Policy(nn.Module):
    """Frames (B, T, C, H, W) of each camera, 0 to 255, to `Outputs`; `to_units` makes a `Forecast` of them."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        config.check()
        self.config = config
        trunks = [config.net.build(view, config.window) for view in config.views]
        self.trunks = nn.ModuleList(trunks)
        features = sum(trunk.features for trunk in trunks)
        answers = config.horizon.steps * len(config.controls)
        self.dropout = nn.Dropout(config.dropout)
        self.hidden = nn.Linear(features + config.senses.width, config.hidden)
        self.answer = nn.Linear(config.hidden, answers)
        self.doubt = Doubt(config.hidden, answers)
        self.register_buffer("mean", torch.tensor(config.mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(config.std, dtype=torch.float32))
        self.to(memory_format=torch.channels_last)

    def forward(
        self,
        frames: Tensor,
        others: Sequence[Tensor] = (),
        speed_mps: Tensor | None = None,
        command: Tensor | None = None,
    ) -> Outputs:
        """Answer for B samples.

        Args:
            others: frames of the further cameras, in the order of the configuration.
            speed_mps: (B,) NaN where unknown; all unknown unless given. command: (B,) of `train.senses.Command`.
        """
        seen = [trunk(view) for trunk, view in zip(self.trunks, (frames, *others), strict=True)]
        if self.config.senses.width:
            seen.append(self._told(len(frames), speed_mps, command))
        features = torch.relu(self.hidden(self.dropout(torch.cat(seen, 1))))
        features = self.dropout(features)
        shape = (len(frames), self.config.horizon.steps, len(self.config.controls))
        answer, doubt = self.answer(features), self.doubt(features.detach())
        # Also where products are made in bfloat16.
        return Outputs(answer.reshape(shape).float(), doubt.reshape(shape).float())

    def to_units(self, outputs: Outputs) -> Forecast:
        return Forecast(outputs.mean * self.std + self.mean, torch.exp(0.5 * outputs.log_variance) * self.std)

    def _told(self, batch: int, speed_mps: Tensor | None, command: Tensor | None) -> Tensor:
        device = self.mean.device
        speed_mps = torch.full((batch,), torch.nan, device=device) if speed_mps is None else speed_mps
        command = torch.zeros(batch, dtype=torch.int64, device=device) if command is None else command
        return self.config.senses.encode(speed_mps, command, hide=self.training)


def copy_of(policy: Policy) -> Policy:
    """The same policy with weights of its own."""
    twin = Policy(policy.config)
    twin.load_state_dict({name: torch.clone(tensor) for name, tensor in policy.state_dict().items()})
    return twin
