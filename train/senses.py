"""What a policy may be told beside the pictures: how fast the car is, and where its driver wants to go.

Rules:
- Both are off unless asked for. A policy that is told its speed can read the driver's last action from it and stop
  looking (the copycat problem: de Haan, Jayaraman and Levine 2019, "Causal Confusion in Imitation Learning"); with
  speed, training hides it from a share of the samples. Past controls can never be asked for.
- The command is the direction indicator at the sample's time: at a junction the picture alone does not say which way.
- A speed older than a control may be is unknown, which is an answer of its own and not zero. An indicator that is
  not recorded is off: a policy must drive on where no one says anything.

Shapes: B samples, N times.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from train.errors import PolicyError
from trigger.signals import CONTROL_AGE_S, SOURCE_AGE_S
from trigger.telemetry import Recorded, Times, Values

SPEEDS_MPS = (0.0, 1.0, 2.5, 5.0, 7.5, 10.0, 12.5, 15.0, 20.0, 27.0, 35.0)
"""A speed is told as how near it is to each of these: with a number of its own for each, a small net needs no large
weights to tell them apart beside the many numbers of a picture."""


class Command(IntEnum):
    """Where the driver wants to go, as far as the indicators tell. Both at once are hazard lights: no direction."""

    NONE = 0
    LEFT = 1
    RIGHT = 2


@dataclass(frozen=True)
class Senses:
    """Which inputs beside pictures a policy has.

    Attributes:
        hide_speed: share of training samples whose speed is hidden, 0 to 1.
    """

    speed: bool = False
    command: bool = False
    hide_speed: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.hide_speed <= 1.0:
            raise PolicyError(f"{self}", "a share from 0 to 1 whose speed is hidden", "choose another share")

    @property
    def width(self) -> int:
        """Numbers that `encode` makes of a sample."""
        return (len(SPEEDS_MPS) + 1) * self.speed + len(Command) * self.command

    def encode(self, speed_mps: Tensor, command: Tensor, hide: bool) -> Tensor:
        """(B,) m/s with NaN for unknown and (B,) `Command` to (B, width): nearness to each of `SPEEDS_MPS`, whether the
        speed is known, one of three commands."""
        parts = []
        if self.speed:
            known = ~torch.isnan(speed_mps)
            if hide:
                known &= torch.rand(known.shape, device=known.device) >= self.hide_speed
            parts += [torch.where(known[:, None], _nearness(speed_mps), 0.0), known[:, None].to(torch.float32)]
        if self.command:
            parts.append((command[:, None] == torch.arange(len(Command), device=command.device)).to(torch.float32))
        return torch.cat(parts, 1)


def _nearness(speed_mps: Tensor) -> Tensor:
    """(B,) m/s to (B, K): 1 at a speed of `SPEEDS_MPS`, 0 from its neighbours on; the ends stand for all beyond."""
    at = torch.tensor(SPEEDS_MPS, device=speed_mps.device)
    gap = at.diff()
    speed = speed_mps.clamp(SPEEDS_MPS[0], SPEEDS_MPS[-1])[:, None]
    rising = torch.nn.functional.pad((speed - at[:-1]) / gap, (1, 0), value=1.0)
    falling = torch.nn.functional.pad((at[1:] - speed) / gap, (0, 1), value=1.0)
    return torch.minimum(rising, falling).clamp(0.0, 1.0)


def speed_and_command(telemetry: Recorded, t_ns: Times) -> tuple[Values, NDArray[np.int64]]:
    """(N,) float64 m/s, NaN where unknown, and (N,) int64 `Command`, at each time."""
    left, right = (telemetry.at(f"blinker_{side}", t_ns, SOURCE_AGE_S) == 1.0 for side in ("left", "right"))
    command = np.where(left & ~right, Command.LEFT, np.where(right & ~left, Command.RIGHT, Command.NONE))
    return telemetry.at("speed_mps", t_ns, CONTROL_AGE_S), command.astype(np.int64)
