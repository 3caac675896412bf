"""Samples told to be slower or faster than they were, with the pedals that lead back: `train.sideways` along the road.

Good drivers never show how a speed is found again that was lost. A policy that is told its speed learns from them
that whoever is slow stays slow and whoever brakes goes on braking, and crawls to a stand on a free road (the inertia
problem: Codevilla et al. 2019, "Exploring the Limitations of Behavior Cloning for Autonomous Driving"). Here the
picture keeps its driver's intention, and another speed gets the pedals that would bring his back.

Rules:
- Moved is a sample whose speed is known, unless it is among the share that is left as it is.
- A pedal that is no label stays none.
- A sample costs the same draws whether it can be moved or not, so a training is resumed exactly.

The trade-off: the pictures stay, and neighbouring frames show the speed that was driven; a policy learns to believe
what it is told. What the pedals do must be known of the car, so it is not offered for recordings of any.

Shapes: B samples, K steps of the horizon, A controls.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

GAS, BRAKE = "gas_fraction", "brake_fraction"
UNMOVED = 0.4
"""Share of samples that stay as they were: the speeds that were driven are to be known best."""
FURTHEST = 2.0
"""Draws are clipped at so many standard deviations."""
BACK_S = 2.0
"""Time constant with which the speed is brought back."""
MOST_MPS2 = (-3.0, 1.6)
"""The least and greatest change of what the pedals ask for: about what a driver uses in comfort."""


@dataclass(frozen=True)
class Pace:
    """How far speeds are moved, and what full gas and full brake do to the car.

    Attributes:
        std_mps: standard deviation of the change, 0 for none. gas_mps2, brake_mps2: both positive.
    """

    std_mps: float = 0.0
    gas_mps2: float = 4.0
    brake_mps2: float = 9.0


def at_other_speeds(
    speed_mps: Tensor, controls: Tensor, pedals: tuple[int, int], pace: Pace, chance: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Move samples.

    Args:
        speed_mps: (B,), NaN where unknown. controls: (B, K, A); pedals: its columns of gas and of brake, 0 to 1.

    Returns:
        speeds and controls of the same shapes; what is given is left alone.
    """
    change = torch.randn(len(speed_mps), generator=chance).clamp(-FURTHEST, FURTHEST) * pace.std_mps
    moved = torch.rand(len(speed_mps), generator=chance) >= UNMOVED
    told = torch.where(moved, (speed_mps + change).clamp_min(0.0), speed_mps)
    back = torch.nan_to_num((speed_mps - told) / BACK_S).clamp(*MOST_MPS2)[:, None]
    gas, brake = (controls[..., column] for column in pedals)
    wanted = gas.nan_to_num() * pace.gas_mps2 - brake.nan_to_num() * pace.brake_mps2 + back
    led = controls.clone()
    for column, own, share in ((pedals[0], gas, wanted / pace.gas_mps2), (pedals[1], brake, -wanted / pace.brake_mps2)):
        led[..., column] = torch.where((back == 0) | own.isnan(), own, share.clamp(0.0, 1.0))
    return told, led
