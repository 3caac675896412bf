"""Whether a version was made of a clip, told from its head without reading it whole.

A head is canonical JSON, so its inputs are sorted and every entry `"<clip id>":"<digest>",` is as long as the others:
one is found by halving. That takes some twenty looks however many clips there are, nothing is remembered, and a head
just published is asked like any other. Heads of "swerve-dataset/2" name no inputs, and none is found in them.
"""

from __future__ import annotations

import mmap
import re
from bisect import bisect_left
from pathlib import Path

ID = 64
"""Hex digits of a clip's id, and of its digest."""
ENTRY = len('"":"",') + 2 * ID
INPUTS = re.compile(rb'"inputs":\{(?="[0-9a-f]{64}":"[0-9a-f]{64}"[,}])')
NEXT = b'},"parent":'
"""What follows the inputs in a head."""


def is_made_of(head: Path, clip_id: str) -> bool:
    """Whether the clip (64 hex digits) had a say in the version. Raises OSError where the head cannot be read."""
    with head.open("rb") as file:
        if not head.stat().st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            begin = INPUTS.search(data)
            return begin is not None and _holds(data, begin.end(), data.rfind(NEXT), clip_id.encode())


def _holds(data: mmap.mmap, first: int, end: int, wanted: bytes) -> bool:
    """Whether one of the entries in data[first:end] is of the clip `wanted`."""

    def clip(number: int) -> bytes:
        return data[first + number * ENTRY + 1 : first + number * ENTRY + 1 + ID]

    count = (end + 1 - first) // ENTRY  # the last has no comma
    place = bisect_left(range(count), wanted, key=clip)
    return place < count and clip(place) == wanted
