"""Changes to a batch that leave its labels true: other light, other contrast, shade, noise, another place.

Rules:
- All frames of a sample are changed alike, or a change would look like motion.
- A nudge is a few pixels and keeps the label: how far a camera's offset turns the right steering angle is not known
  without its geometry. With it, `train.sideways` moves the camera and corrects the label.
- `train.mirror` flips picture, steering and indicator together. Both are off unless asked for.
- Most policies see grey, so grey is what is relit for them: a third of the work.

The trade-off: one nudge a batch instead of one a sample, which costs nothing. It does not rotate, zoom or erase.

Shapes: B samples, T frames of a window, C colours, H rows, W columns, K steps, A controls.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from train.controls import ControlSpec
from train.mirror import mirrored, opposites
from train.pace import BRAKE, GAS, Pace, at_other_speeds
from train.policies.config import PolicyConfig
from train.samples import Batch
from train.sideways import CORRECTED, draw, seen_aside


@dataclass(frozen=True)
class Augmentation:
    """How strong the changes are; the default suits roads under trees.

    Attributes:
        gamma, contrast: largest change, in natural logarithms. brightness, noise: in parts of the full range.
        shade: share of samples in which half of the picture, cut along a random line, is darkened or lit.
        nudge: largest shift sideways, in pixels of the policy's picture. mirror: flip half of the samples.
        sideways_m, sideways_deg: standard deviations of the camera's shift and of its turn, both 0 for none.
        pace: of the speed, for policies that are told it.
    """

    gamma: float = 0.5
    contrast: float = 0.4
    brightness: float = 0.2
    shade: float = 0.5
    noise: float = 0.03
    nudge: int = 4
    mirror: bool = False
    sideways_m: float = 0.0
    sideways_deg: float = 0.0
    pace: Pace = field(default_factory=Pace)

    @property
    def aside(self) -> bool:
        return bool(self.sideways_m or self.sideways_deg)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Augmentation:
        """Of `dataclasses.asdict`. Raises TypeError for anything else."""
        return Augmentation(**{**data, "pace": Pace(**data.get("pace", {}))})


ASIDE = Augmentation(sideways_m=0.45, sideways_deg=2.0)
"""With the moves sideways that helped in the closed-loop world; at most 0.9 m and 4 degrees."""


class Changed(NamedTuple):
    """Of a batch: float32 views (B, T, C, H, W), C 3 or in grey 1; controls (B, K, A) in their units; speed_mps and
    command (B,)."""

    views: list[Tensor]
    controls: Tensor
    speed_mps: Tensor
    command: Tensor


def changed(batch: Batch, how: Augmentation, config: PolicyConfig, chance: torch.Generator) -> Changed:
    """A batch as a policy of this configuration is to see it in training, and what is true of it then."""
    views, controls, command = list(batch.views), batch.controls, batch.command
    if how.aside and CORRECTED in config.controls:
        moves = draw(len(command), how.sideways_m, how.sideways_deg, chance)
        ahead_s = torch.from_numpy(config.horizon.offsets_ns / 1e9).float()
        steering = config.controls.index(CORRECTED)
        views, controls = seen_aside(views, controls, batch.geometry, batch.speed_mps, ahead_s, steering, moves)
    speed_mps = batch.speed_mps
    if how.pace.std_mps and config.senses.speed and {GAS, BRAKE} <= set(config.controls):
        pedals = config.controls.index(GAS), config.controls.index(BRAKE)
        speed_mps, controls = at_other_speeds(speed_mps, controls, pedals, how.pace, chance)
    views = [relight(view, how, chance, config.net.SEES_COLOUR) for view in views]
    if how.mirror:
        steers = ControlSpec(config.controls).steering
        views, controls, command = mirrored(views, controls, command, steers, opposites(config.views), chance)
    return Changed(views, controls, speed_mps, command)


def relight(frames: Tensor, how: Augmentation, chance: torch.Generator, colour: bool = False) -> Tensor:
    """(B, T, 3, H, W) uint8 to (B, T, C, H, W) float32, 0 to 255; C is 1, the grey, or 3."""
    nudge = int(torch.randint(-how.nudge, how.nudge + 1, (1,), generator=chance))
    x = _nudged(frames.to(torch.float32) if colour else _grey(frames), nudge).div_(255.0).clamp_(1e-3, 1.0)
    # x to a power; torch's own takes three times as long
    x.log_().mul_(_per_sample(x, how.gamma, chance).exp_()).exp_()
    x.sub_(0.4).mul_(_per_sample(x, how.contrast, chance).exp_()).add_(0.4 + _per_sample(x, how.brightness, chance))
    x.mul_(_shade(x, how.shade, chance))
    if how.noise:
        noise = torch.empty_like(x).normal_(generator=chance)
        x.add_(noise.mul_(how.noise * torch.rand(x.shape[0], 1, 1, 1, 1, generator=chance)))
    brightened: Tensor = x.clamp_(0.0, 1.0).mul_(255.0)
    return brightened


def _grey(frames: Tensor) -> Tensor:
    """(B, T, C, H, W) uint8 to the mean of its colours, (B, T, 1, H, W) float32; `mean` takes five times as long."""
    red, green, blue = (frames[:, :, colour : colour + 1] for colour in range(3))
    return red.to(torch.float32).add_(green).add_(blue).div_(3.0)


def _nudged(x: Tensor, columns: int) -> Tensor:
    """Every column from so many further right; the last one of its side is repeated."""
    if columns > 0:
        return torch.cat([x[..., columns:], x[..., -1:].expand(*x.shape[:-1], columns)], -1)
    return torch.cat([x[..., :1].expand(*x.shape[:-1], -columns), x[..., : x.shape[-1] + columns]], -1)


def _per_sample(x: Tensor, reach: float, chance: torch.Generator) -> Tensor:
    return (torch.rand(x.shape[0], 1, 1, 1, 1, generator=chance) * 2.0 - 1.0) * reach


def _shade(x: Tensor, share: float, chance: torch.Generator) -> Tensor:
    """(B, 1, 1, H, W) factors: 1 on one side of a random line, 0.4 to 1.3 on the other."""
    batch, (height, width) = x.shape[0], x.shape[-2:]
    angle, offset, amount, chosen = torch.rand(4, batch, 1, 1, generator=chance)
    rows, columns = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width)[None, :]
    side = columns * torch.cos(angle * math.tau) + rows * torch.sin(angle * math.tau) > offset * 1.6 - 0.8
    factor = (amount * 0.9 - 0.6) * (chosen < share)
    factors: Tensor = (1.0 + side * factor)[:, None, None]
    return factors
