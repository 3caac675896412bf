"""Colour pictures of all frames as one stack, strided convolutions over it: for a policy that drives.

It sees what stands on the road, how large it is and what colour, which evened-out grey hides. Frames some tenths of a
second apart show whether what is ahead comes nearer.

The trade-off: it learns from few minutes of one road's light what that road looks like, and the slide of the picture
from neighbouring frames hardly at all; for steering on a recorded road `twopaths` is the better one.

Shapes: B samples, T frames of a window, C colours, H rows, W columns, F features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from train.frames import View
from train.policies.trunk import Trunk, cells, stage, stages
from train.window import Window

COLOURS = 3
MIDDLE, SPREAD = 110.0, 60.0
"""Of the levels of a picture by daylight, 0 to 255; near enough for the first layer's numbers to be near 1."""


@dataclass(frozen=True)
class Stacked:
    """`channels` of the stages, each of which halves the picture."""

    KIND: ClassVar[str] = "stacked"
    SEES_COLOUR: ClassVar[bool] = True
    channels: tuple[int, ...] = (16, 32, 48, 64)

    def build(self, view: View, window: Window) -> Trunk:
        return StackedTrunk(self, view, window)


class StackedTrunk(Trunk):
    def __init__(self, net: Stacked, view: View, window: Window) -> None:
        super().__init__()
        first, *later = net.channels
        eye = stage(COLOURS * window.frames, first, 5)
        self.eye = nn.Sequential(eye, stages(first, later) if later else nn.Identity())
        self.features = net.channels[-1] * cells(view, len(net.channels))

    def forward(self, frames: Tensor) -> Tensor:
        # B T C H W -> B T*C H W
        stack = (frames.flatten(1, 2).to(torch.float32) - MIDDLE) / SPREAD
        return torch.as_tensor(self.eye(stack.contiguous(memory_format=torch.channels_last)).flatten(1))
