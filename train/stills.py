"""Single pictures of a drive for a page: the frame nearest to a time, as a JPEG inside an address.

Each costs a seek and the frames from the key frame on. Nothing is cached.

Shapes: a picture is (H, W, 3) uint8.
"""

from __future__ import annotations

import base64

import cv2
import numpy as np

from edge.drive import Drive
from train.frames import Eye, Pixels, View, camera_name

NEAR_NS = 500_000_000
QUALITY = 82


def still(drive: Drive, view: View, t_ns: int, width: int = 360) -> Pixels | None:
    """The frame nearest to `t_ns` within half a second, at most `width` pixels wide; None where there is none."""
    camera = drive.cameras[camera_name(drive, view)]
    times = camera.frame_times()
    if not times.size:
        return None
    nearest = int(times[np.abs(times - t_ns).argmin()])
    found = next(camera.frames(nearest, nearest + 1), None)
    if found is None or abs(nearest - t_ns) > NEAR_NS:
        return None
    return shrunk(Eye(view).rgb(found[1]), width)


def shrunk(picture: Pixels, width: int) -> Pixels:
    height = round(picture.shape[0] * width / picture.shape[1])
    kind = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=kind), np.uint8)


def data_address(picture: Pixels) -> str:
    """`data:image/jpeg;base64,...`"""
    _, content = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(content.tobytes()).decode()
