"""A frame as 18 rows of 32 values: enough to tell that the picture moves, turns, freezes or is black.

The luma is averaged over the area of each cell, as by the video's own range (16 to 235 where it is stored as such).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

ROWS, COLUMNS = 18, 32
Thumb = NDArray[np.uint8]


def thumb(frame: VideoFrame) -> Thumb:
    """(ROWS, COLUMNS) uint8 of a frame whose first plane is luma of 8 bits, such as yuv420p."""
    plane = frame.planes[0]
    luma = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
    mean = _shares(ROWS, plane.height) @ luma.astype(np.float32) @ _shares(COLUMNS, plane.width).T
    return np.asarray(mean + 0.5, np.uint8)


@lru_cache(maxsize=8)
def _shares(cells: int, pixels: int) -> NDArray[np.float32]:
    """(cells, pixels): which share of a cell each pixel is; a row sums to 1."""
    edges = np.arange(cells + 1) * (pixels / cells)
    pixel = np.arange(pixels)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return np.asarray(np.clip(overlap, 0.0, None) * (cells / pixels), np.float32)
