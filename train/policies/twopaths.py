"""A small net that reads a few frames along two paths.

*Appearance*: strided convolutions over the last frame see where the road goes. *Motion*: for each pair of neighbouring
frames, every column of a small feature map is compared with its neighbours up to `reach` columns away in the frame
before, which says directly how the picture slid sideways. From two minutes of road, convolutions over stacked frames
do not learn that comparison: on road held back from training, with 600 steps each, they were off by 0.080 rad, this
net by 0.041, one frame alone by 0.112.

The trade-off: with motion a policy also sees how the car is turning *now*, which is what its driver did a moment ago.
That is right for judging a drive and for labels of the present, and a temptation when the policy itself drives;
`train.policies.presets.without_motion` (one frame, appearance only) is the policy without it. It has no memory beyond
its window and no map of where it is.

Shapes: B samples, T frames of a window, C channels, H rows, W columns, K = 2 reach + 1 displacements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from train.errors import PolicyError
from train.frames import View
from train.policies.slide import slide
from train.policies.trunk import Trunk, cells, even_out, grey, stage, stages
from train.window import Window

OUT_CHANNELS = 32


@dataclass(frozen=True)
class TwoPaths:
    """How wide the paths are.

    Attributes:
        channels: of the encoder's stages; the first halves the picture, each further one halves it again.
        reach: columns of the first stage that motion is looked for to each side; 0 leaves the motion path out.
        blink: share of training samples that are shown no appearance, so that motion alone must do.
    """

    KIND: ClassVar[str] = "two paths"
    SEES_COLOUR: ClassVar[bool] = False
    channels: tuple[int, ...] = (16, 32, 48, 64)
    reach: int = 5
    blink: float = 0.0

    def build(self, view: View, window: Window) -> Trunk:
        problems = {
            "fewer than two stages": len(self.channels) < 2,
            "motion from a single frame": self.reach > 0 and window.frames < 2,
        }
        wrong = [what for what, is_so in problems.items() if is_so]
        if wrong:
            raise PolicyError(f"two paths with {' and '.join(wrong)}", "two stages and two frames", "use a preset")
        return TwoPathsTrunk(self, view, window)


class TwoPathsTrunk(Trunk):
    def __init__(self, net: TwoPaths, view: View, window: Window) -> None:
        super().__init__()
        self.net = net
        first, *later = net.channels
        self.stem = stage(1, first, 5)
        self.appearance = stages(first, later)
        self.key = nn.Conv2d(first, 8, 1) if net.reach else None
        self.motion = stages(2 * net.reach + 1, [min(c, 32) for c in later]) if net.reach else None
        pairs = (window.frames - 1) * min(later[-1], 32) if net.reach else 0
        self.join = nn.Sequential(stage(later[-1] + pairs, later[-1], 3, 1), stage(later[-1], OUT_CHANNELS, 1, 1))
        self.features = OUT_CHANNELS * cells(view, len(net.channels))

    def forward(self, frames: Tensor) -> Tensor:
        batch, steps = frames.shape[:2]
        maps = self.stem(even_out(grey(frames)).contiguous(memory_format=torch.channels_last))
        maps = maps.unflatten(0, (batch, steps))
        parts = [self._seen(maps[:, -1])]
        if self.key is not None and self.motion is not None:
            parts.append(self._moved(maps, self.key, self.motion))
        return torch.as_tensor(self.join(torch.cat(parts, 1)).flatten(1))

    def _seen(self, last: Tensor) -> Tensor:
        seen: Tensor = self.appearance(last)
        if self.training and self.net.blink:
            open_eyed = torch.rand(len(seen), 1, 1, 1, device=seen.device) >= self.net.blink
            return seen * open_eyed / (1.0 - self.net.blink)
        return seen

    def _moved(self, maps: Tensor, key: nn.Module, motion: nn.Module) -> Tensor:
        """(B, T, C, H, W) to (B, (T-1)*C', H', W')."""
        batch, steps = maps.shape[:2]
        keys = F.normalize(key(maps.flatten(0, 1)), dim=1).contiguous()
        keys = keys.view(batch, steps, *keys.shape[1:])
        # B T C H W -> B*(T-1) K H W
        slid = slide(keys[:, 1:].flatten(0, 1), keys[:, :-1].flatten(0, 1), self.net.reach)
        moved = motion(slid.contiguous(memory_format=torch.channels_last))
        return torch.as_tensor(moved.unflatten(0, (batch, steps - 1)).flatten(1, 2))
