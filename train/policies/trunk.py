"""What turns the frames of one camera into features, and the convolutions that our own trunks are made of.

Trunks that read the road see grey pictures: hue changes with the weather and edges do not, and grey is a third of the
work.

Shapes: B samples, T frames of a window, C channels, H rows, W columns, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from train.frames import View
from train.window import Window

LOCAL_PIXELS = 8
"""Side of the squares over which brightness and contrast are evened out, in pixels of the policy's picture."""
FLOOR_LEVELS = 4.0
"""Contrast below this, in grey levels of 0 to 255, is noise and is not blown up."""


class Trunk(nn.Module):
    """Frames (B, T, C, H, W), 0 to 255, to features (B, F); `features` is F."""

    features: int


class Net(Protocol):
    """The configuration of one kind of trunk: a frozen dataclass, plain enough for JSON."""

    KIND: ClassVar[str]
    SEES_COLOUR: ClassVar[bool]
    """Whether it makes use of colours; a training need not relight them for one that sees grey."""

    def build(self, view: View, window: Window) -> Trunk:
        """A new trunk with random weights. Raises PolicyError where it cannot see that view and window."""


def grey(frames: Tensor) -> Tensor:
    """(B, T, C, H, W) to (B*T, 1, H, W) float32, 0 to 255."""
    return frames.flatten(0, 1).to(torch.float32).mean(1, keepdim=True)


def even_out(grey: Tensor) -> Tensor:
    """Take away local brightness and divide by local contrast, so that shade and sun look alike.

    Args:
        grey: (N, 1, H, W) float, 0 to 255.
    """
    size = grey.shape[-2:]
    mean, square = (_around(F.avg_pool2d(x, LOCAL_PIXELS, ceil_mode=True)) for x in (grey, grey * grey))
    spread = (square - mean * mean).clamp_min(0).sqrt() + FLOOR_LEVELS
    mean, scale = (F.interpolate(x, size=size, mode="bilinear") for x in (mean, 1.0 / spread))
    return (grey - mean) * scale


def stage(inputs: int, outputs: int, kernel: int, stride: int = 2) -> nn.Sequential:
    """A convolution that divides the picture's sides by `stride`, rounding up."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.GroupNorm(max(1, outputs // 8), outputs),
        nn.ReLU(inplace=True),
    )


def stages(inputs: int, channels: Sequence[int]) -> nn.Sequential:
    """Convolutions one after the other, each of which halves the picture."""
    return nn.Sequential(*(stage(i, o, 3) for i, o in zip([inputs, *channels[:-1]], channels, strict=True)))


def cells(view: View, halvings: int) -> int:
    """Cells of a feature map after so many halvings, each rounding up."""
    scale: int = 2**halvings
    return -(-view.height // scale) * -(-view.width // scale)


def _around(pooled: Tensor) -> Tensor:
    return F.avg_pool2d(pooled, 3, 1, 1, count_include_pad=False)
