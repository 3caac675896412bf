"""What turns a picture into features, chosen by name. None is ever put in another's place without being asked for."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from curate.errors import EncoderError

Picture = NDArray[np.uint8]
Features = NDArray[np.float32]
SIDE = 224
"""Pixels: a picture comes as (224, 224, 3) uint8 RGB, squeezed where it was wider, so that its sides are seen too."""
DEFAULT = "lite0"
FROM_FILE = "onnx:"


class Encoder(Protocol):
    """Pictures to features.

    Attributes:
        id: names what decides the features: kind, version, and for a network the sha256 of its weights. It becomes part
            of a folder's name.
    """

    @property
    def id(self) -> str: ...

    def features(self, picture: Picture) -> Features:
        """Features (F,) of a picture (224, 224, 3); the same to the last bit on the same machine."""


@cache
def encoder_named(name: str) -> Encoder:
    """`lite0`, `plain` or `onnx:FILE`; a process makes each one once.

    Raises:
        EncoderError: there is none of that name, or what it needs is not installed or not usable.
    """
    if name == "plain":
        from curate.embed.plain import Plain

        return Plain()
    if name == "lite0":
        from curate.embed.lite0 import lite0

        return lite0()
    if name.startswith(FROM_FILE):
        from curate.embed.network import network_file

        return network_file(Path(name.removeprefix(FROM_FILE)))
    raise EncoderError(f"an encoder called {name!r}", "lite0, plain or onnx:FILE", "see docs/duplicates.md")
