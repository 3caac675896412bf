"""Pictures that tell their own number, also after compression."""

from __future__ import annotations

import av
import numpy as np


def picture(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A picture that tells its own number: no two of 4,096 are alike, also after compression.

    In Gray code, so that one bar changes from picture to picture, as little as in a video.
    """
    code = number ^ number >> 1
    image = np.full((height, width, 3), 96, np.uint8)
    for bit in range(12):
        column = bit * (width // 12)
        image[:, column : column + width // 12] = 230 if code >> bit & 1 else 30
    return image


def number_in(frame: av.VideoFrame) -> int:
    """The number that `picture` drew, read back from decoded pixels; for the width of 64."""
    grey = frame.to_ndarray(format="gray")
    number = code = sum(1 << bit for bit in range(12) if grey[24, bit * 5 + 2] > 128)
    while code := code >> 1:
        number ^= code
    return number
