"""Pictures that tell their own number, also after compression."""

from __future__ import annotations

import av
import numpy as np


def picture(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A picture that tells its own number: no two of 4,096 are alike, also after compression."""
    image = np.full((height, width, 3), 96, np.uint8)
    for bit in range(12):
        column = bit * (width // 12)
        image[:, column : column + width // 12] = 230 if number >> bit & 1 else 30
    return image


def number_in(frame: av.VideoFrame) -> int:
    """The number that `picture` drew, read back from decoded pixels; for the width of 64."""
    grey = frame.to_ndarray(format="gray")
    return sum(1 << bit for bit in range(12) if grey[24, bit * 5 + 2] > 128)


def gray(number: int) -> int:
    """Of numbers in turn, one bit changes from each to the next: pictures that move on as a video does."""
    return number ^ number >> 1
