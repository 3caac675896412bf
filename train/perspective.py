"""Seeing the road from a little to the side: pictures for mistakes that a good driver does not make.

A policy that only ever saw the middle of the lane does not know the way back to it. So a training picture is warped to
what a camera `shift_m` further left and turned left by `yaw_rad` would have seen, and the label is corrected by what
steers back. Everything below the horizon is taken for flat road, everything above it for far away (so houses and cars
are bent a little, which is the price).

The correction is the curvature of the cubic that leads from there back onto the driver's own path within `RETURN_S`:
with y(0) = e, y'(0) = psi, y(L) = y'(L) = 0, at the share f of its length L

    y''(f L) = -6 (1 - 2 f) e / L^2 - (4 - 6 f) psi / L

which is -6 e / L^2 - 4 psi / L now. Bringing shifted pictures back within two seconds is how Bojarski et al. 2016
(arXiv:1604.07316) corrected theirs.

Only where camera and vehicle geometry are known. Shapes: B samples, T frames, C colours, H rows, W columns, K steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from edge.drive import Drive
from train.frames import View, camera_name

RETURN_S = 2.0
SHORTEST_M = 7.0
"""A slow car does not return within less road."""
STRAIGHT_RAD = math.radians(3.0)
"""A camera that looks further aside has another perspective than the one below."""


@dataclass(frozen=True)
class Geometry:
    """Of a camera as the policy's picture has it, and of the vehicle.

    Attributes:
        fx, fy, cx, cy: focal lengths and principal point, as shares of the picture's width (x) and height (y).
        pitch_rad: + looks down. height_m: above the road.
        wheelbase_m, steering_ratio: of the vehicle; what is steered is the steering wheel.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    pitch_rad: float
    height_m: float
    wheelbase_m: float
    steering_ratio: float


def geometry_of(drive: Drive, view: View) -> Geometry | None:
    """Of the camera that `view` looks through; None where it is not known, or the camera does not look straight ahead
    (within 3 degrees; pitch may be any)."""
    name = camera_name(drive, view)
    known, vehicle = drive.geometry.get(name), drive.vehicle
    if known is None or vehicle.wheelbase_m is None or vehicle.steering_ratio is None:
        return None
    forward = [row[2] for row in known.pose[:3]]
    right = [row[0] for row in known.pose[:3]]
    if abs(math.atan2(forward[1], forward[0])) > STRAIGHT_RAD or abs(right[2]) > STRAIGHT_RAD:
        return None
    width, height = drive.cameras[name].size
    top = view.crops(height)
    left_rows = height - top
    (fx, _, cx), (_, fy, cy), _ = known.intrinsics
    return Geometry(
        fx=fx / width,
        fy=fy / left_rows,
        cx=cx / width,
        cy=(cy - top) / left_rows,
        pitch_rad=math.asin(max(-1.0, min(1.0, -forward[2]))),
        height_m=known.pose[2][3],
        wheelbase_m=vehicle.wheelbase_m,
        steering_ratio=vehicle.steering_ratio,
    )


def seen_from(frames: Tensor, geometry: Geometry, shift_m: Tensor, yaw_rad: Tensor) -> Tensor:
    """Warp pictures.

    Args:
        frames: (B, T, C, H, W) uint8. shift_m, yaw_rad: (B,) float32, + left.

    Returns:
        (B, T, C, H, W) uint8; what lies beyond the old picture repeats its edge.
    """
    batch, steps, colours, height, width = frames.shape
    grid = _where(geometry, height, width, shift_m, yaw_rad)
    flat = frames.reshape(batch, steps * colours, height, width).to(torch.float32)
    warped = F.grid_sample(flat, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return warped.round_().to(torch.uint8).view(batch, steps, colours, height, width)


def correction_deg(geometry: Geometry, shift_m: Tensor, yaw_rad: Tensor, speed_mps: Tensor, ahead_s: Tensor) -> Tensor:
    """What the steering wheel must be turned more, in degrees, + left.

    Args:
        shift_m, yaw_rad, speed_mps: (B,). ahead_s: (K,), how long after the picture.

    Returns:
        (B, K), at a steady speed.
    """
    reach = (speed_mps * RETURN_S).clamp_min(SHORTEST_M)[:, None]
    gone = speed_mps[:, None] * ahead_s / reach
    shift, yaw = shift_m[:, None], yaw_rad[:, None]
    curvature = -6.0 * (1.0 - 2.0 * gone) * shift / reach**2 - (4.0 - 6.0 * gone) * yaw / reach
    on_the_way = torch.where(gone < 1.0, curvature, 0.0)
    return torch.rad2deg(torch.atan(on_the_way * geometry.wheelbase_m)) * geometry.steering_ratio


def _where(g: Geometry, height: int, width: int, shift_m: Tensor, yaw_rad: Tensor) -> Tensor:
    """Where in the old picture each pixel of the new one is seen; (B, H, W, 2) in -1 to 1."""
    right = ((torch.arange(width) + 0.5) / width - g.cx) / g.fx
    down = ((torch.arange(height) + 0.5) / height - g.cy) / g.fy
    down, right = torch.meshgrid(down, right, indexing="ij")
    cos, sin = math.cos(g.pitch_rad), math.sin(g.pitch_rad)
    # A ray of the turned camera, in the vehicle's axes: x forward, y left, z down.
    x, y, z = cos - sin * down, -right, sin + cos * down
    turn_cos, turn_sin = torch.cos(yaw_rad)[:, None, None], torch.sin(yaw_rad)[:, None, None]
    x, y, z = x * turn_cos - y * turn_sin, x * turn_sin + y * turn_cos, z.expand(len(yaw_rad), -1, -1)
    # To the road it is height / z long, and begins further left; above the horizon it never ends.
    y = y + torch.where(z > 1e-3, shift_m[:, None, None] * z.clamp_min(0) / g.height_m, 0.0)
    depth = (cos * x + sin * z).clamp_min(1e-3)
    u = g.fx * -y / depth + g.cx
    v = g.fy * (cos * z - sin * x) / depth + g.cy
    return torch.stack([2 * u - 1, 2 * v - 1], -1)
