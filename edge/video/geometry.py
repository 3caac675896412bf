"""Where a camera sits and how it maps directions to pixels, where that is known."""

from __future__ import annotations

from dataclasses import dataclass

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class CameraGeometry:
    """A pinhole camera.

    Attributes:
        intrinsics: 3 x 3, in pixels of the camera's own picture: ((fx, 0, cx), (0, fy, cy), (0, 0, 1)).
        pose: 4 x 4, from the camera's axes (x right, y down, z forward) to the vehicle's (ISO 8855: x forward, y left,
            z up; the origin lies on the road below the middle of the rear axle), in m.
    """

    intrinsics: Matrix
    pose: Matrix
