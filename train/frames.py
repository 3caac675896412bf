"""A clip's pictures at the size a policy sees, decoded once and kept as one uint8 array on disk.

The trade-off: the cache takes 3 bytes a pixel (a second of 128 x 80 at 20 Hz is 0.6 MB) and gives back a window
of frames in microseconds, in any order, where H.264 would decode from the key frame before. A folder is either
whole or absent; one whose arrays disagree is made again. The key holds the sha256 of the video, its clock and
the view, so another size, or the same bytes told another time, is another folder.

It does not re-read the video to prove that a cached array is still right, and it stretches the picture to the
size asked for: keep the aspect by choosing it.

Shapes: N frames, H rows, W columns, C colours (red, green, blue).
"""

from __future__ import annotations

import errno
import hashlib
import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from edge.drive import Drive
from edge.durable import new_folder
from edge.manifest import MANIFEST, canonical_json, read_manifest
from edge.video.camera import Camera
from train.errors import SampleError
from trigger.telemetry import Times

Pixels = NDArray[np.uint8]
PIXELS, TIMES, LOST = "frames.npy", "times.npy", "lost.txt"
FORMAT = "swerve-frames/1"
SPARE_BYTES = 64 * 1024 * 1024
"""Room left on the disk beside the frames that are written, in bytes."""


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


@dataclass(frozen=True, repr=False, eq=False)
class ClipFrames:
    """Pictures of one clip.

    Attributes:
        t_ns: (N,) int64 ns on the drive's clock, increasing.
        pixels: (N, H, W, C) uint8, usually a read-only memory map.
        lost: what could not be decoded, in words.
    """

    t_ns: Times
    pixels: Pixels
    lost: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"ClipFrames({self.pixels.shape}, {len(self.lost)} lost)"


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
        view, road = self.view, rgb[int(len(rgb) * self.view.crop_top) :]
        return np.asarray(cv2.resize(road, (view.width, view.height), interpolation=cv2.INTER_AREA), np.uint8)


def cached_frames(drive: Drive, view: View, cache: Path) -> ClipFrames:
    """The frames of a native drive or clip, from `cache` where they lie there, else decoded and put there.

    Raises:
        SampleError: no such camera, or not one frame can be decoded.
        DriveError: the manifest or the video cannot be read.
    """
    name = camera_name(drive, view)
    folder = cache / _key(drive, name, view)
    found = _read(folder, view)
    if found is None:
        _forget(folder)
        _write_or_join(folder, drive.cameras[name], view)
        found = _read(folder, view)
    if found is None:
        raise SampleError(f"no frames could be kept in {folder}", "a folder that can be written", "check the disk")
    return found


def _key(drive: Drive, name: str, view: View) -> str:
    manifest = read_manifest(drive.source / MANIFEST)
    entry = manifest.cameras[name]
    facts = {
        "format": FORMAT,
        "sha256": manifest.files[entry.file].sha256,
        "clock": [entry.t0_ns, entry.pts_origin],
        "window": list(manifest.cut.window_ns) if manifest.cut else None,
        "view": asdict(view) | {"camera": name},
    }
    return hashlib.sha256(canonical_json(facts)).hexdigest()[:32]


def _read(folder: Path, view: View) -> ClipFrames | None:
    try:
        t_ns = np.load(folder / TIMES, allow_pickle=False)
        pixels = np.load(folder / PIXELS, mmap_mode="r", allow_pickle=False)
        lost = tuple((folder / LOST).read_text().splitlines())
    except (OSError, ValueError, EOFError):
        return None
    whole = t_ns.dtype == np.int64 and pixels.dtype == np.uint8
    return ClipFrames(t_ns, pixels, lost) if whole and pixels.shape == (t_ns.size, view.height, view.width, 3) else None


def _write_or_join(folder: Path, camera: Camera, view: View) -> None:
    try:
        _write(folder, camera, view)
    except OSError:
        # Another process may have finished the same folder first; its content is the same.
        if not folder.is_dir():
            raise


def _write(folder: Path, camera: Camera, view: View) -> None:
    expected = camera.frame_times().size
    with new_folder(folder) as temporary:
        shape = (max(expected, 1), view.height, view.width, 3)
        _reserve(temporary, math.prod(shape))
        pixels = np.lib.format.open_memmap(temporary / PIXELS, mode="w+", dtype=np.uint8, shape=shape)
        t_ns = list(_fill(pixels, camera, view))
        if not t_ns:
            raise SampleError(f"no frame of {folder.name} can be decoded", "a video", "copy or cut the clip again")
        pixels.flush()
        if len(t_ns) < expected:
            _shorten(temporary / PIXELS, pixels, len(t_ns))
        np.save(temporary / TIMES, np.array(t_ns, np.int64))
        (temporary / LOST).write_text("\n".join(_lost(camera, len(t_ns), expected)))


def _reserve(folder: Path, size_bytes: int) -> None:
    """Ask for the room before a file is mapped: on a full disk a write to the map would kill the process.

    Raises:
        OSError: the disk has not that much room.
    """
    if shutil.disk_usage(folder).free < size_bytes + SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def _fill(pixels: Pixels, camera: Camera, view: View) -> Iterator[int]:
    eye = Eye(view)
    for index, (t_ns, frame) in zip(range(len(pixels)), camera.frames(), strict=False):
        pixels[index] = eye.look(eye.rgb(frame))
        yield t_ns


def _shorten(path: Path, pixels: Pixels, frames: int) -> None:
    np.save(path.with_suffix(".short.npy"), pixels[:frames])
    path.with_suffix(".short.npy").replace(path)


def _lost(camera: Camera, found: int, expected: int) -> tuple[str, ...]:
    short = (f"{expected - found} of {expected} frames could not be decoded",) if found < expected else ()
    return camera.lost + short


def _forget(folder: Path) -> None:
    """Take a damaged folder out of the way; a healthy cache is never touched."""
    for name in (PIXELS, TIMES, LOST):
        (folder / name).unlink(missing_ok=True)
    if folder.is_dir():
        folder.rmdir()
