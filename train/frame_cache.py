"""A clip's pictures at the size a policy sees, decoded once and kept as raw bytes on disk, up to a limit.

Rules:
- Decoded is the proxy that the night made (`curate.look`), and the clip's own video only where there is no whole proxy
  that holds the policy's picture.
- A folder is either whole or absent; one whose files disagree is made again. Its key holds the sha256 of the video, its
  clock, whether it was read from a proxy, and the view: another size, or the same bytes told another time, is another
  folder.
- Above the limit the folders longest unused are removed, but none that was read through this cache: where one
  training needs more than the limit, more is kept. What another process has mapped stays readable there after its
  folder is gone.

The trade-off: the cache takes 3 bytes a pixel (a second of 128 x 80 at 20 Hz is 0.6 MB) and gives back a window of
frames in microseconds, in any order, where H.264 would decode from the key frame before. It does not re-read the
video to prove that what it keeps is still right.

Shapes: N frames, H rows, W columns, C colours (red, green, blue).
"""

from __future__ import annotations

import errno
import hashlib
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from curate.clipref import ClipRef
from curate.errors import CurateError
from curate.look import FOLDER, read_look
from edge.drive import Drive
from edge.durable import new_folder
from edge.errors import EdgeError
from edge.manifest import MANIFEST, canonical_json, read_manifest
from edge.video.camera import Camera
from train.errors import SampleError
from train.frames import Eye, Pixels, View, camera_name
from trigger.telemetry import Times

PIXELS, TIMES, LOST = "frames.rgb", "times.npy", "lost.txt"
FORMAT = "swerve-frames/2"
SPARE_BYTES = 64 * 1024 * 1024
"""Room left on the disk beside the frames that are written, in bytes."""
LIMIT_BYTES = 50_000_000_000
"""Of a store's cache, unless told: a day of 128 x 80 at 20 Hz."""


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


class FrameCache:
    """The decoded frames below `root`, at most `limit_bytes` of them where that is possible."""

    def __init__(self, root: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self.root, self.limit_bytes = root, limit_bytes
        self._used: set[Path] = set()

    @classmethod
    def of(cls, store: Path, limit_bytes: int = LIMIT_BYTES) -> FrameCache:
        return cls(store / "cache" / "frames", limit_bytes)

    def frames(self, drive: Drive, view: View, ref: ClipRef | None = None) -> ClipFrames:
        """The frames of a native drive or clip, from the cache where they lie there, else decoded and put there.

        Args:
            ref: of a clip in a store, whose proxy is to be read; without it the drive's own video is.

        Raises:
            SampleError: no such camera, or not one frame can be decoded.
            DriveError: the manifest or the video cannot be read.
        """
        name = camera_name(drive, view)
        if ref and (ref.made / FOLDER).is_dir():
            folder = self.root / _key(drive, name, view, FOLDER)
            found = _read(folder, view, from_proxy=True)
            if found is None and (proxy := _proxy(ref, name, view)):
                with suppress(SampleError):
                    found = self._decoded(folder, proxy, view, from_proxy=True)
            if found and not found.lost:
                return self._noted(folder, found)
        folder = self.root / _key(drive, name, view, "")
        found = _read(folder, view, from_proxy=False)
        return self._noted(folder, found or self._decoded(folder, drive.cameras[name], view, from_proxy=False))

    def _noted(self, folder: Path, frames: ClipFrames) -> ClipFrames:
        """Remember that they are in use, here and for those who look for what is not."""
        self._used.add(folder)
        with suppress(OSError):
            os.utime(folder)
        return frames

    def _decoded(self, folder: Path, camera: Camera, view: View, from_proxy: bool) -> ClipFrames:
        _remove(folder)
        _write_or_join(folder, camera, view)
        found = _read(folder, view, from_proxy)
        if found is None:
            raise SampleError(f"no frames could be kept in {folder}", "a folder that can be written", "check the disk")
        return found

    def trim(self) -> None:
        """Remove what is longest unused until the rest fits below the limit."""
        folders = []
        for folder in self.root.glob("[!.]*"):
            with suppress(OSError):
                size = sum(file.stat().st_size for file in folder.iterdir())
                folders.append((folder.stat().st_mtime_ns, folder, size))
        over = sum(size for _, _, size in folders) - self.limit_bytes
        for _, folder, size in sorted(folders):
            if over > 0 and folder not in self._used:
                _remove(folder)
                over -= size


def _proxy(ref: ClipRef, name: str, view: View) -> Camera | None:
    """The proxy of a camera; None where it is missing, damaged, not of every frame, or smaller than the view."""
    try:
        seen = read_look(ref).cameras[name]
        whole = np.array_equal(seen.video.frame_times(), seen.t_ns)
        return seen.video if whole and view.is_held_by(seen.video.size) else None
    except (CurateError, EdgeError, KeyError):
        return None


def _key(drive: Drive, name: str, view: View, look: str) -> str:
    manifest = read_manifest(drive.source / MANIFEST)
    entry = manifest.cameras[name]
    facts = {
        "format": FORMAT,
        "sha256": manifest.files[entry.file].sha256,
        "clock": [entry.t0_ns, entry.pts_origin],
        "window": list(manifest.cut.window_ns) if manifest.cut else None,
        "look": look,
        "view": asdict(view) | {"camera": name},
    }
    return hashlib.sha256(canonical_json(facts)).hexdigest()[:32]


def _shape(frames: int, view: View) -> tuple[int, int, int, int]:
    return (frames, view.height, view.width, 3)


def _read(folder: Path, view: View, from_proxy: bool) -> ClipFrames | None:
    try:
        t_ns = np.load(folder / TIMES, allow_pickle=False)
        pixels = _map(folder / PIXELS, _shape(t_ns.size, view))
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
        shape = _shape(max(expected, 1), view)
        _reserve(temporary, math.prod(shape))
        pixels = np.memmap(temporary / PIXELS, np.uint8, "w+", shape=shape)
        t_ns = list(_fill(pixels, camera, view))
        if not t_ns:
            raise SampleError(f"no frame of {folder.name} can be decoded", "a video", "copy or cut the clip again")
        pixels.flush()
        os.truncate(temporary / PIXELS, math.prod(_shape(len(t_ns), view)))
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


def _lost(camera: Camera, found: int, expected: int) -> tuple[str, ...]:
    short = (f"{expected - found} of {expected} frames could not be decoded",) if found < expected else ()
    return camera.lost + short


def _remove(folder: Path) -> None:
    """Take a folder out of the way; half gone, it is not read as whole."""
    (folder / TIMES).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
