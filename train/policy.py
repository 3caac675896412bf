"""A small policy: a few frames in, controls out, in units of the labels' own spread.

Two paths read the pictures. *Appearance*: strided convolutions over the last frame see where the road goes.
*Motion*: for each pair of neighbouring frames, every column of a small feature map is compared with its neighbours
up to `reach` columns away in the frame before, which says directly how the picture slid sideways. From two minutes of
road, convolutions over stacked frames do not learn that comparison: on road held back from training, with 600 steps
each, they were off by 0.080 rad, this net by 0.041, one frame alone by 0.112.

The trade-off: with motion a policy also sees how the car is turning *now*, which is what its driver did a moment ago.
That is right for judging a drive and for labels of the present, and a temptation when the policy itself drives;
`preset` + `motion=False` (one frame, appearance only) is the policy without it. Past controls and speed are never
inputs. It has no memory beyond its window and no map of where it is.

Shapes: B samples, T frames of a window, C channels, H rows, W columns, A controls, K = 2 reach + 1 displacements.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from train.errors import PolicyError
from train.frames import View
from train.samples import Window

LOCAL_PIXELS = 8
"""Side of the squares over which brightness and contrast are evened out, in pixels of the policy's picture."""
FLOOR_LEVELS = 4.0
"""Contrast below this, in grey levels of 0 to 255, is noise and is not blown up."""


@dataclass(frozen=True)
class PolicyConfig:
    """Everything needed to build a policy and to read its outputs.

    Attributes:
        channels: of the encoder's stages; the first halves the picture, each further one halves it again.
        reach: columns of the first stage that motion is looked for to each side; 0 leaves the motion path out.
        hidden: width of the head. dropout: before and inside the head.
        blink: share of training samples that are shown no appearance, so that motion alone must do.
        controls: names in the order of the outputs. mean, std: of their labels, in their units.
    """

    preset: str
    view: View
    window: Window
    channels: tuple[int, ...] = (16, 32, 48, 64)
    reach: int = 5
    hidden: int = 64
    dropout: float = 0.3
    blink: float = 0.0
    controls: tuple[str, ...] = field(default=())
    mean: tuple[float, ...] = field(default=())
    std: tuple[float, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def tiny() -> PolicyConfig:
    """For demonstrations and tests: learns something in seconds on one core."""
    return PolicyConfig("tiny", View(96, 64), Window(2, 0.1), channels=(8, 16, 24), reach=4, hidden=32, dropout=0.1)


def small() -> PolicyConfig:
    """The default: minutes on one core. The crop keeps the hills, whose sliding tells how the car turns."""
    return PolicyConfig("small", View(128, 80, crop_top=1 / 6), Window(3, 0.1), blink=0.5)


PRESETS = {"tiny": tiny, "small": small}


def without_motion(config: PolicyConfig) -> PolicyConfig:
    """The same policy from one frame, so that it cannot see how the car is turning already."""
    return replace(config, window=replace(config.window, frames=1), reach=0, blink=0.0)


class Policy(nn.Module):
    """Frames (B, T, C, H, W) uint8 to controls (B, A) float32, standardised; `to_units` gives them their units."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        _check(config)
        self.config = config
        first, *later = config.channels
        self.stem = _stage(1, first, 5)
        self.appearance = _stages(first, later)
        self.key = nn.Conv2d(first, 8, 1) if config.reach else None
        self.motion = _stages(2 * config.reach + 1, [min(c, 32) for c in later]) if config.reach else None
        pairs = (config.window.frames - 1) * min(later[-1], 32) if config.reach else 0
        self.join = nn.Sequential(_stage(later[-1] + pairs, later[-1], 3, 1), _stage(later[-1], 32, 1, 1))
        self.head = _head(32 * _cells(config), config)
        self.register_buffer("mean", torch.tensor(config.mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(config.std, dtype=torch.float32))
        self.to(memory_format=torch.channels_last)

    def forward(self, frames: Tensor) -> Tensor:
        batch, steps = frames.shape[:2]
        # B T C H W -> B*T 1 H W: hue changes with the weather, edges do not
        grey = frames.flatten(0, 1).to(torch.float32).mean(1, keepdim=True)
        maps = self.stem(even_out(grey).contiguous(memory_format=torch.channels_last))
        maps = maps.unflatten(0, (batch, steps))
        parts = [self._seen(maps[:, -1])]
        if self.key is not None and self.motion is not None:
            parts.append(self._moved(maps))
        return torch.as_tensor(self.head(self.join(torch.cat(parts, 1))))

    def to_units(self, standardised: Tensor) -> Tensor:
        return standardised * self.std + self.mean

    def _seen(self, last: Tensor) -> Tensor:
        seen: Tensor = self.appearance(last)
        if self.training and self.config.blink:
            open_eyed = torch.rand(len(seen), 1, 1, 1) >= self.config.blink
            return seen * open_eyed / (1.0 - self.config.blink)
        return seen

    def _moved(self, maps: Tensor) -> Tensor:
        """(B, T, C, H, W) to (B, (T-1)*C', H', W')."""
        batch, steps = maps.shape[:2]
        assert self.key is not None
        assert self.motion is not None
        keys = F.normalize(self.key(maps.flatten(0, 1)), dim=1).contiguous()
        keys = keys.view(batch, steps, *keys.shape[1:])
        # B T C H W -> B*(T-1) K H W
        slid = Slide.apply(keys[:, 1:].flatten(0, 1), keys[:, :-1].flatten(0, 1), self.config.reach)
        moved = self.motion(slid.contiguous(memory_format=torch.channels_last))
        return torch.as_tensor(moved.unflatten(0, (batch, steps - 1)).flatten(1, 2))


def copy_of(policy: Policy) -> Policy:
    """The same policy with weights of its own."""
    twin = Policy(policy.config)
    twin.load_state_dict({name: torch.clone(tensor) for name, tensor in policy.state_dict().items()})
    return twin


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


class Slide(torch.autograd.Function):
    """How alike each cell of `now` is to the cells `reach` columns left and right of it in `before`.

    (N, C, H, W) twice to (N, K, H, W). Written out by hand because the graph of K slices costs three times as much.
    """

    @staticmethod
    def forward(ctx: Any, now: Tensor, before: Tensor, reach: int) -> Tensor:
        width, padded = now.shape[-1], F.pad(before, (reach, reach))
        ctx.save_for_backward(now, padded)
        ctx.reach = reach
        result = now.new_empty(now.shape[0], 2 * reach + 1, *now.shape[2:])
        product = torch.empty_like(now)
        for k in range(2 * reach + 1):
            torch.mul(now, padded[..., k : k + width], out=product)
            torch.sum(product, 1, out=result[:, k])
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        now, padded = ctx.saved_tensors
        width = now.shape[-1]
        grad_now, grad_padded = torch.zeros_like(now), torch.zeros_like(padded)
        for k in range(2 * ctx.reach + 1):
            of_k = grad[:, k : k + 1]
            grad_now.addcmul_(of_k, padded[..., k : k + width])
            grad_padded[..., k : k + width].addcmul_(of_k, now)
        return grad_now, grad_padded[..., ctx.reach : ctx.reach + width], None


def _around(pooled: Tensor) -> Tensor:
    return F.avg_pool2d(pooled, 3, 1, 1, count_include_pad=False)


def _stage(inputs: int, outputs: int, kernel: int, stride: int = 2) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.GroupNorm(max(1, outputs // 8), outputs),
        nn.ReLU(inplace=True),
    )


def _stages(inputs: int, channels: list[int]) -> nn.Sequential:
    return nn.Sequential(*(_stage(i, o, 3) for i, o in zip([inputs, *channels[:-1]], channels, strict=True)))


def _head(inputs: int, config: PolicyConfig) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(),
        nn.Dropout(config.dropout),
        nn.Linear(inputs, config.hidden),
        nn.ReLU(),
        nn.Dropout(config.dropout),
        nn.Linear(config.hidden, len(config.controls)),
    )


def _cells(config: PolicyConfig) -> int:
    """Cells of the last feature map: each stage halves, rounding up."""
    scale: int = 2 ** len(config.channels)
    return -(-config.view.height // scale) * -(-config.view.width // scale)


def _check(config: PolicyConfig) -> None:
    sizes = {len(config.controls), len(config.mean), len(config.std)}
    problems = {
        "no controls": not config.controls,
        "controls, mean and std of different lengths": len(sizes) != 1,
        "a spread that is not positive": not all(s > 0 for s in config.std),
        "fewer than two stages": len(config.channels) < 2,
        "motion from a single frame": config.reach > 0 and config.window.frames < 2,
    }
    wrong = [what for what, is_so in problems.items() if is_so]
    if wrong:
        raise PolicyError(
            f"a policy with {' and '.join(wrong)}", "a whole configuration", "start from a preset of train.policy"
        )
