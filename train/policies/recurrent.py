"""Features of each frame by a small convolution net, then a GRU over the frames: memory as long as the window.

The trade-off: the order of frames comes in late, after each was summed up, so it sees what changes in a scene over a
second or two and not how the picture slid by a pixel; that is what `train.policies.twopaths` is for.

Shapes: B samples, T frames of a window, C channels, H rows, W columns, F features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from train.frames import View
from train.policies.trunk import Trunk, cells, even_out, grey, stage, stages
from train.window import Window


@dataclass(frozen=True)
class Recurrent:
    """`channels` of the stages, each of which halves the picture; `memory`: width of the GRU."""

    KIND: ClassVar[str] = "recurrent"
    SEES_COLOUR: ClassVar[bool] = False
    channels: tuple[int, ...] = (16, 32, 48, 64)
    memory: int = 64

    def build(self, view: View, window: Window) -> Trunk:
        return RecurrentTrunk(self, view)


class RecurrentTrunk(Trunk):
    def __init__(self, net: Recurrent, view: View) -> None:
        super().__init__()
        first, *later = net.channels
        last = net.channels[-1]
        self.eye = nn.Sequential(stage(1, first, 5), stages(first, later) if later else nn.Identity())
        self.sum_up = nn.Sequential(nn.Flatten(), nn.Linear(last * cells(view, len(net.channels)), net.memory))
        self.memory = nn.GRU(net.memory, net.memory, batch_first=True)
        self.features = net.memory

    def forward(self, frames: Tensor) -> Tensor:
        batch, steps = frames.shape[:2]
        maps = self.eye(even_out(grey(frames)).contiguous(memory_format=torch.channels_last))
        # B*T F -> B T F -> B F, the last
        over_time, _ = self.memory(torch.relu(self.sum_up(maps)).reshape(batch, steps, -1))
        return torch.as_tensor(over_time[:, -1])
