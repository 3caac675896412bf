"""Policies saved in the format before: `swerve-policy/1`, one trunk of two paths, one step, no uncertainty.

What such a policy does not say it gets as it was then: the horizon is the present, and its doubt is the spread of the
labels, which is what is known of an answer whose error nobody learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from train.frames import View
from train.policies.config import PolicyConfig
from train.policies.twopaths import TwoPaths
from train.window import Window

FORMAT = "swerve-policy/1"
HEAD = {"head.2": "hidden", "head.5": "answer"}


def config_of(data: Mapping[str, Any]) -> PolicyConfig:
    """Raises KeyError, TypeError, ValueError or a TrainError for what is no such configuration."""
    parts = dict(data)
    net = TwoPaths(tuple(parts.pop("channels")), parts.pop("reach"), parts.pop("blink"))
    parts |= {"net": net, "view": View(**parts["view"]), "window": Window(**parts["window"])}
    return PolicyConfig(**parts | {name: tuple(parts[name]) for name in ("controls", "mean", "std")})


def weights_of(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the names they have now."""
    renamed = {_renamed(name): tensor for name, tensor in tensors.items()}
    return renamed | {f"doubt.{part}": torch.zeros_like(renamed[f"answer.{part}"]) for part in ("weight", "bias")}


def _renamed(name: str) -> str:
    if name in ("mean", "std"):
        return name
    layer, _, part = name.rpartition(".")
    return f"{HEAD[layer]}.{part}" if layer in HEAD else f"trunks.0.{name}"
