"""torchvision's ResNet and MobileNet over each frame of the window; their features stand side by side.

Weights learned on ImageNet are used where they lie in torch's own folder of downloads, or can be fetched; that is
done when a new policy is trained, never on import and never when a saved policy is read, and is said in words.

The trade-off: grey pictures in three equal channels and sizes far below 224 pixels are not what ImageNet was, and
still better than a random start. Batch normalisation is kept as torchvision has it.

Shapes: B samples, T frames of a window, H rows, W columns, F features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import torch
from torch import Tensor, nn

from train.errors import PolicyError
from train.frames import View
from train.policies.trunk import Trunk, grey
from train.window import Window

MEAN, STD = 0.449, 0.226
"""Of ImageNet's pictures, 0 to 1, over the three colours (torchvision's constants, averaged)."""
MODELS = {"resnet18": "ResNet18_Weights", "mobilenet_v3_small": "MobileNet_V3_Small_Weights"}


@dataclass(frozen=True)
class Backbone:
    """`model`: one of `MODELS`, by torchvision's name."""

    KIND: ClassVar[str] = "backbone"
    SEES_COLOUR: ClassVar[bool] = False
    model: str = "resnet18"

    def build(self, view: View, window: Window) -> Trunk:
        if self.model not in MODELS:
            raise PolicyError(f"a backbone called {self.model!r}", f"one of {', '.join(MODELS)}", "choose one of these")
        return BackboneTrunk(self, window)


class BackboneTrunk(Trunk):
    def __init__(self, net: Backbone, window: Window) -> None:
        from torchvision import models

        super().__init__()
        self.net = net
        self.model = models.get_model(net.model, weights=None)
        self.features = _take_head_off(self.model) * window.frames

    def forward(self, frames: Tensor) -> Tensor:
        batch, steps = frames.shape[:2]
        pictures = ((grey(frames) / 255.0 - MEAN) / STD).expand(-1, 3, -1, -1)
        each = self.model(pictures.contiguous(memory_format=torch.channels_last))
        # B*T F -> B T*F
        return torch.as_tensor(each.reshape(batch, steps * each.shape[1]))

    def start_pretrained(self) -> str:
        """Take ImageNet's weights where they can be had; says in words what was done."""
        from torchvision import models

        weights = models.get_model_weights(self.net.model).DEFAULT
        on_disk = Path(torch.hub.get_dir(), "checkpoints", Path(urlsplit(weights.url).path).name)
        origin = f"from {on_disk}" if on_disk.is_file() else f"fetched from {weights.url}"
        try:
            state: Mapping[str, Any] = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
        except (OSError, RuntimeError) as error:
            reason = (str(error).splitlines() or [repr(error)])[0]
            return f"{self.net.model} starts from random weights: none in {on_disk.parent}, and not fetched ({reason})"
        self.model.load_state_dict(state, strict=False)
        return f"{self.net.model} starts from {weights} {origin}"


def _take_head_off(model: nn.Module) -> int:
    """Replace the last layer by nothing; returns how many features came into it."""
    name = "fc" if hasattr(model, "fc") else "classifier"
    head = getattr(model, name)
    linear = head if isinstance(head, nn.Linear) else head[0]
    setattr(model, name, nn.Identity())
    return int(linear.in_features)
