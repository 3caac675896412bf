"""Left for right: pictures, steering and the direction indicator of a sample, all together or not at all.

It turns right-hand traffic into left-hand traffic: for tracks, and for datasets so small that it helps all the same.
Cameras whose names differ by left and right change places; one that looks left alone cannot be mirrored.

Shapes: B samples, V cameras, T frames of a window, C colours, H rows, W columns, K steps of the horizon, A controls.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor

from train.errors import FitError
from train.frames import View
from train.senses import Command

OTHER_SIDE = {"left": "right", "right": "left"}


def opposites(views: Sequence[View]) -> tuple[int, ...]:
    """For each view, which one sees in a mirror what it sees; itself where its name has no side.

    Raises:
        FitError: a camera of one side without that of the other, at the same size.
    """
    places = {view: place for place, view in enumerate(views)}
    found = []
    for view in views:
        name = re.sub("left|right", lambda side: OTHER_SIDE[side[0]], view.camera)
        twin = View(view.width, view.height, view.crop_top, name)
        if twin not in places:
            raise FitError(
                f"a mirror, and a camera {view.camera} without {name}",
                "both, seen alike",
                f"add --camera {name}, or train without --mirror",
            )
        found.append(places[twin])
    return tuple(found)


def mirrored(
    views: Sequence[Tensor],
    controls: Tensor,
    command: Tensor,
    steering: int | None,
    opposite: Sequence[int],
    chance: torch.Generator,
) -> tuple[list[Tensor], Tensor, Tensor]:
    """Flip half of the samples left to right.

    Args:
        views: (B, T, C, H, W) of each camera. controls: (B, K, A) in their units, `steering` the column of steering.
        command: (B,) `train.senses.Command`. opposite: (V,) of `opposites`.

    Returns:
        the three, of the same shapes; what is given is left alone.
    """
    flip = torch.rand(len(command), generator=chance) < 0.5
    seen = [torch.where(flip[:, None, None, None, None], views[opposite[i]].flip(-1), v) for i, v in enumerate(views)]
    turned = controls.clone()
    if steering is not None:
        turned[flip, :, steering] *= -1.0
    indicated = flip & (command != Command.NONE)
    return seen, turned, torch.where(indicated, Command.LEFT + Command.RIGHT - command, command)
