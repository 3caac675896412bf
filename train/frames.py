"""How a policy sees a camera: which one, how much of its picture, and at what size.

The picture is stretched to the size asked for: keep the aspect by choosing it. A proxy is stretched itself, as a whole,
so shares of its rows and columns are those of the camera's own picture.

Shapes: H rows, W columns, C colours (red, green, blue).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from edge.drive import Drive
from train.errors import SampleError

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """How a policy sees a camera.

    Attributes:
        width, height: of the picture, in pixels.
        crop_top: share of the camera's rows cut away at the top, 0 <= crop_top < 1.
        camera: name of the camera; "" takes `front`, or the first by name.
    """

    width: int
    height: int
    crop_top: float = 0.0
    camera: str = ""

    def __post_init__(self) -> None:
        if not (8 <= self.width <= 4096 and 8 <= self.height <= 4096 and 0.0 <= self.crop_top < 1.0):
            raise SampleError(f"{self}", "8 to 4096 pixels a side and 0 <= crop_top < 1", "choose another view")

    def crops(self, rows: int) -> int:
        """How many of a picture's rows are cut away at the top."""
        return int(rows * self.crop_top)

    def is_held_by(self, size: tuple[int, int]) -> bool:
        """Whether a picture of this width and height has a pixel for each of the policy's."""
        width, height = size
        return width >= self.width and height - self.crops(height) >= self.height


def camera_name(drive: Drive, view: View) -> str:
    """Raises SampleError where the drive has no camera, or not the one asked for."""
    if not drive.cameras or (view.camera and view.camera not in drive.cameras):
        raise SampleError(
            f"{drive.source} has the cameras {', '.join(sorted(drive.cameras)) or 'none'}",
            f"a camera called {view.camera}" if view.camera else "at least one camera",
            "name one of them, or leave the clip out",
        )
    if view.camera:
        return view.camera
    return "front" if "front" in drive.cameras else min(drive.cameras)


class Eye:
    """Turns decoded frames of one camera into what a policy sees.

    One converter serves all frames: making it anew for each costs thirty times the conversion itself.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self._converter = VideoReformatter()

    def rgb(self, frame: VideoFrame) -> Pixels:
        """The whole picture, (rows, columns, C) uint8."""
        return np.asarray(self._converter.reformat(frame, format="rgb24", threads=1).to_ndarray(), np.uint8)

    def look(self, rgb: Pixels) -> Pixels:
        """Cropped, then averaged down to (H, W, C) uint8."""
        view, road = self.view, rgb[self.view.crops(len(rgb)) :]
        return np.asarray(cv2.resize(road, (view.width, view.height), interpolation=cv2.INTER_AREA), np.uint8)
