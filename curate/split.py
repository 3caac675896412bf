"""Which seconds may be trained on, which are the exam, and which are neither.

Two ways, both pure functions of (drive, second):
- `time:F`: the earlier share F of every drive trains, the rest is the exam; for a single drive.
- `block:S` (default, S = 0.2): blocks of 60 s, each drawn for the exam with probability S by a keyed hash.
Seconds within 10 s of a border are excluded, so that no exam picture is nearly a training picture. With `time`
the gap lies after the border, as the earlier part is the scarcer one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Literal

from curate.errors import CurateError
from curate.seconds import Second

GAP_S = 10
BLOCK_S = 60
KEY = "swerve-split/1"

Part = Literal["train", "eval", "excluded"]
Split = Callable[[Second], Part]


class SplitError(CurateError):
    """A split that cannot be understood."""


def parse_split(text: str) -> Split:
    """`time:0.75` or `block:0.2`. Raises SplitError."""
    name, _, share = text.partition(":")
    try:
        value = float(share)
    except ValueError:
        value = -1.0
    if name not in ("time", "block") or not 0.0 < value < 1.0:
        raise SplitError(f"--split {text}", "time:F or block:S with a share between 0 and 1", "for example time:0.75")
    return _by_time(value) if name == "time" else _by_block(value)


def _by_time(train_share: float) -> Split:
    def part(second: Second) -> Part:
        border = train_share * second.of
        if second.number + 1 <= border:
            return "train"
        return "eval" if second.number >= border + GAP_S else "excluded"

    return part


def _by_block(eval_share: float) -> Split:
    def side(drive_id: str, block: int) -> Part:
        digest = hashlib.sha256(f"{KEY}\0{drive_id}\0{block}".encode()).digest()
        return "eval" if int.from_bytes(digest[:8], "big") < eval_share * 2**64 else "train"

    def part(second: Second) -> Part:
        here = side(second.drive_id, second.number // BLOCK_S)
        near = {
            side(second.drive_id, (second.number + d) // BLOCK_S) for d in (-GAP_S, GAP_S) if second.number + d >= 0
        }
        return here if near <= {here} else "excluded"

    return part
