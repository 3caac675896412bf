"""Ready-made policies. A variant calls a preset and changes two fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from train.frames import View
from train.horizon import Horizon
from train.policies.backbone import Backbone
from train.policies.config import PolicyConfig
from train.policies.recurrent import Recurrent
from train.policies.stacked import Stacked
from train.policies.twopaths import TwoPaths
from train.window import Window

SECOND = Horizon(steps=5, stride_s=0.25)
"""Now and every quarter of the next second."""


def tiny() -> PolicyConfig:
    """For demonstrations and tests: learns something in seconds on one core."""
    net = TwoPaths(channels=(8, 16, 24), reach=4)
    return PolicyConfig("tiny", View(96, 64), Window(2, 0.1), net, hidden=32, dropout=0.1)


def small() -> PolicyConfig:
    """The default: minutes on one core. The crop keeps the hills, whose sliding tells how the car turns."""
    return PolicyConfig("small", View(128, 80, crop_top=1 / 6), Window(3, 0.1), TwoPaths(blink=0.5))


def recurrent() -> PolicyConfig:
    """Memory of two seconds: eight frames, a small net over each, a GRU over them."""
    return PolicyConfig("recurrent", View(128, 64, crop_top=1 / 6), Window(8, 0.25), Recurrent(), SECOND)


def driver() -> PolicyConfig:
    """To drive by itself, in minutes on one core: what is on the road and whether it comes nearer, in colour. Little is
    above the horizon that it must know; what lies on the road 20 m ahead is three pixels wide."""
    return PolicyConfig("driver", View(128, 60, crop_top=3 / 8), Window(2, 0.3), Stacked(), hidden=64, dropout=0.0)


def mobilenet() -> PolicyConfig:
    """torchvision's MobileNetV3 small over one frame: for a processor with time, or a graphics card."""
    return PolicyConfig(
        "mobilenet", View(224, 128, crop_top=1 / 6), Window(1, 0.1), Backbone("mobilenet_v3_small"), SECOND
    )


def resnet() -> PolicyConfig:
    """torchvision's ResNet-18 over one frame: for a graphics card."""
    return PolicyConfig("resnet", View(224, 128, crop_top=1 / 6), Window(1, 0.1), Backbone("resnet18"), SECOND)


PRESETS: Mapping[str, Callable[[], PolicyConfig]] = {
    "tiny": tiny,
    "small": small,
    "recurrent": recurrent,
    "driver": driver,
    "mobilenet": mobilenet,
    "resnet": resnet,
}


def without_motion(config: PolicyConfig) -> PolicyConfig:
    """The same policy from one frame, so that it cannot see how the car is turning already."""
    net = replace(config.net, reach=0, blink=0.0) if isinstance(config.net, TwoPaths) else config.net
    return replace(config, window=replace(config.window, frames=1), net=net)
