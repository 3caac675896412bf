"""One clip's pictures as raw bytes in a folder: `frames.rgb`, `times.npy`, and in `lost.txt` what could not be decoded.

A folder is either whole or absent; one whose files disagree reads as absent. The trade-off: 3 bytes a pixel (a second
of 128 x 80 at 20 Hz is 0.6 MB) and a window of frames in microseconds, in any order, where H.264 would decode from the
key frame before. I420 would be half the bytes, and be converted at every step: 13 ms for a batch of `small`, where RGB
takes 3. It does not re-read the video to prove that what it keeps is still right.

Shapes: N frames, T frames asked for, H rows, W columns, C colours (red, green, blue).
"""

from __future__ import annotations

import errno
import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from edge.durable import new_folder
from edge.video.camera import Camera
from train.errors import SampleError
from train.frames import Eye, Pixels, View
from trigger.telemetry import Times

PIXELS, TIMES, LOST = "frames.rgb", "times.npy", "lost.txt"
SPARE_BYTES = 64 * 1024 * 1024
"""Room left on the disk beside the frames that are written, in bytes."""


@dataclass(frozen=True, repr=False, eq=False)
class ClipFrames:
    """Pictures of one clip.

    Attributes:
        t_ns: (N,) int64 ns on the drive's clock, increasing.
        pixels: (N, H, W, C) uint8, a read-only map of a file.
        lost: what could not be decoded, in words.
        from_proxy: whether they were decoded from the proxy.
    """

    t_ns: Times
    pixels: Pixels
    lost: tuple[str, ...] = ()
    from_proxy: bool = False

    def __repr__(self) -> str:
        return f"ClipFrames({self.pixels.shape}, {len(self.lost)} lost)"

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, C)."""
        return self.pixels.shape[1:]

    def take(self, frame: NDArray[np.int64], out: Pixels) -> None:
        """Write these frames, (T,) indices, to `out`, (T, H, W, C)."""
        np.take(self.pixels, frame, axis=0, out=out, mode="clip")  # any other mode copies twice


def shape_of(frames: int, view: View) -> tuple[int, int, int, int]:
    return (frames, view.height, view.width, 3)


def read_frames(folder: Path, view: View, from_proxy: bool) -> ClipFrames | None:
    """None where they are not there, or not whole."""
    try:
        t_ns = np.load(folder / TIMES, allow_pickle=False)
        pixels = _map(folder / PIXELS, shape_of(t_ns.size, view))
        lost = tuple((folder / LOST).read_text().splitlines())
    except (FileNotFoundError, ValueError, EOFError):
        return None
    return ClipFrames(t_ns, pixels, lost, from_proxy) if t_ns.dtype == np.int64 and t_ns.size else None


def _map(path: Path, shape: tuple[int, ...]) -> Pixels:
    """Not `np.memmap`, which keeps a file open for each map: a store has more clips than a process may open files.

    Raises:
        ValueError: the file has another size.
    """
    size = math.prod(shape)
    if path.stat().st_size != size:
        raise ValueError(path)
    pixels = torch.from_file(str(path), shared=False, size=size, dtype=torch.uint8).numpy().reshape(shape)
    pixels.flags.writeable = False
    return np.asarray(pixels, np.uint8)


def write_frames(folder: Path, camera: Camera, view: View) -> None:
    """Decode a camera's frames into a new folder.

    Raises:
        SampleError: not one can be decoded. OSError: they cannot be written.
    """
    try:
        _write(folder, camera, view)
    except OSError:
        # Another process may have finished the same folder first; its content is the same.
        if not folder.is_dir():
            raise


def _write(folder: Path, camera: Camera, view: View) -> None:
    expected = camera.frame_times().size
    with new_folder(folder) as temporary:
        shape = shape_of(max(expected, 1), view)
        _reserve(temporary, math.prod(shape))
        pixels = np.memmap(temporary / PIXELS, np.uint8, "w+", shape=shape)
        t_ns = list(_fill(pixels, camera, view))
        if not t_ns:
            raise SampleError(f"no frame of {folder.name} can be decoded", "a video", "copy or cut the clip again")
        pixels.flush()
        os.truncate(temporary / PIXELS, math.prod(shape_of(len(t_ns), view)))
        np.save(temporary / TIMES, np.array(t_ns, np.int64))
        (temporary / LOST).write_text("\n".join(_lost(camera, len(t_ns), expected)))


def _reserve(folder: Path, size_bytes: int) -> None:
    """Ask for the room before a file is mapped: on a full disk a write to the map would kill the process.

    Raises:
        OSError: the disk has not that much room.
    """
    if not has_disk(folder, size_bytes):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def has_disk(folder: Path, size_bytes: int) -> bool:
    """Whether so much can be written to a folder, or to where it will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free >= size_bytes + SPARE_BYTES


def _fill(pixels: Pixels, camera: Camera, view: View) -> Iterator[int]:
    eye = Eye(view)
    for index, (t_ns, frame) in zip(range(len(pixels)), camera.frames(), strict=False):
        pixels[index] = eye.look(eye.rgb(frame))
        yield t_ns


def _lost(camera: Camera, found: int, expected: int) -> tuple[str, ...]:
    short = (f"{expected - found} of {expected} frames could not be decoded",) if found < expected else ()
    return camera.lost + short


def remove_frames(folder: Path) -> None:
    """Take a folder out of the way; half gone, it is not read as whole."""
    (folder / TIMES).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
