"""Samples seen from a little to the side, with the labels that lead back: `train.perspective` in a training.

Rules:
- Moved is a sample whose cameras' and vehicle's geometry and whose speed are known, unless it is among the share that
  is left as it is. All frames of all its cameras are moved alike.
- Corrected is `steering_wheel_deg`, at every step of the horizon. Where steering has no unit, nothing is moved, because
  what would lead back is not known.
- A sample costs the same draws whether it can be moved or not, so a training is resumed exactly.

Shapes: B samples, T frames of a window, C colours, H rows, W columns, K steps of the horizon, A controls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from train.perspective import Geometry, correction_deg, seen_from

CORRECTED = "steering_wheel_deg"
UNMOVED = 0.3
"""Share of samples that stay as they were seen: the policy is to know the middle of the lane best."""
FURTHEST = 2.0
"""Draws are clipped at so many standard deviations: further off, too much of the picture is made up."""

Places = Sequence[tuple[Geometry, ...] | None]


def draw(samples: int, sideways_m: float, sideways_deg: float, chance: torch.Generator) -> tuple[Tensor, Tensor]:
    """Shifts in m and yaws in rad, (B,) each, + left, of these standard deviations; both 0 where left as it is."""
    shift, yaw = torch.randn(2, samples, generator=chance).clamp(-FURTHEST, FURTHEST)
    moved = torch.rand(samples, generator=chance) >= UNMOVED
    return shift * moved * sideways_m, yaw * moved * math.radians(sideways_deg)


def seen_aside(
    views: Sequence[Tensor],
    controls: Tensor,
    geometry: Places,
    speed_mps: Tensor,
    ahead_s: Tensor,
    steering: int,
    moves: tuple[Tensor, Tensor],
) -> tuple[list[Tensor], Tensor]:
    """Move samples.

    Args:
        views: (B, T, C, H, W) uint8 of each camera. controls: (B, K, A), `steering` the column in degrees.
        geometry: of each sample's cameras, None where it is not known. speed_mps: (B,), NaN where unknown.
        ahead_s: (K,). moves: of `draw`.

    Returns:
        views and controls of the same shapes; what is given is left alone.
    """
    shift_m, yaw_rad = moves
    views, controls = [view.clone() for view in views], controls.clone()
    movable = ~torch.isnan(speed_mps) & ((shift_m != 0) | (yaw_rad != 0))
    for cameras in dict.fromkeys(geometry):
        alike = movable & torch.tensor([other == cameras for other in geometry])
        if cameras is None or not alike.any():
            continue
        moved = shift_m[alike], yaw_rad[alike]
        for view, camera in zip(views, cameras, strict=True):
            view[alike] = seen_from(view[alike], camera, *moved)
        controls[alike, :, steering] += correction_deg(cameras[0], *moved, speed_mps[alike], ahead_s)
    return views, controls
