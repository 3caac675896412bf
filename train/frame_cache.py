"""A clip's pictures at the size a policy sees, decoded once and kept as raw bytes on disk, up to a limit.

Rules:
- Decoded is the proxy that the night made (`curate.look`), and the clip's own video only where there is no whole proxy
  that holds the policy's picture.
- A folder (`train.frame_folder`) that is not whole is made again. Its key holds the sha256 of the video, its clock,
  whether it was read from a proxy, and the view: another size, or the same bytes told another time, is another folder.
- Above the limit the folders longest unused are removed, but none that was read through this cache. Where one training
  needs more than the limit, or than the disk has left, no more is kept: proxies are then decoded for each sample
  (`train.on_demand`). Only what has no proxy is kept all the same.
- What another process has mapped stays readable there after its folder is gone.
"""

from __future__ import annotations

import hashlib
import math
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np

from curate.clipref import ClipRef
from curate.errors import CurateError
from curate.look import FOLDER, read_look
from edge.drive import Drive
from edge.errors import EdgeError
from edge.manifest import MANIFEST, canonical_json, read_manifest
from edge.video.camera import Camera, VideoFile
from train.errors import SampleError
from train.frame_folder import ClipFrames, has_disk, read_frames, remove_frames, shape_of, write_frames
from train.frames import View, camera_name
from train.on_demand import FramesOnDemand

FORMAT = "swerve-frames/2"
LIMIT_BYTES = 50_000_000_000
"""Of a store's cache, unless told: a day of 128 x 80 at 20 Hz."""


class FrameCache:
    """The decoded frames below `root`, at most `limit_bytes` of them where that is possible."""

    def __init__(self, root: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self.root, self.limit_bytes = root, limit_bytes
        self._used: dict[Path, int] = {}

    @classmethod
    def of(cls, store: Path, limit_bytes: int = LIMIT_BYTES) -> FrameCache:
        return cls(store / "cache" / "frames", limit_bytes)

    def frames(self, drive: Drive, view: View, ref: ClipRef | None = None) -> ClipFrames | FramesOnDemand:
        """The frames of a native drive or clip, from the cache where they lie there, else decoded and put there, or
        decoded on demand where there is no room.

        Args:
            ref: of a clip in a store, whose proxy is to be read; without it the drive's own video is.

        Raises:
            SampleError: no such camera, or not one frame can be decoded.
            DriveError: the manifest or the video cannot be read.
        """
        name = camera_name(drive, view)
        if ref and (ref.made / FOLDER).is_dir():
            folder = self.root / _key(drive, name, view, FOLDER)
            found = read_frames(folder, view, from_proxy=True)
            if found is None and (proxy := _proxy(ref, name, view)):
                if not self._has_room_for(proxy, view):
                    return FramesOnDemand(proxy, view)
                with suppress(SampleError):
                    found = self._decoded(folder, proxy, view, from_proxy=True)
            if found and not found.lost:
                return self._noted(folder, found)
        folder = self.root / _key(drive, name, view, "")
        found = read_frames(folder, view, from_proxy=False)
        return self._noted(folder, found or self._decoded(folder, drive.cameras[name], view, from_proxy=False))

    def _noted(self, folder: Path, frames: ClipFrames) -> ClipFrames:
        """Remember that they are in use, here and for those who look for what is not."""
        self._used[folder] = frames.pixels.nbytes
        with suppress(OSError):
            os.utime(folder)
        return frames

    def _has_room_for(self, video: VideoFile, view: View) -> bool:
        size = math.prod(shape_of(video.frame_times().size, view))
        return sum(self._used.values()) + size <= self.limit_bytes and has_disk(self.root, size)

    def _decoded(self, folder: Path, camera: Camera, view: View, from_proxy: bool) -> ClipFrames:
        remove_frames(folder)
        write_frames(folder, camera, view)
        found = read_frames(folder, view, from_proxy)
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
                remove_frames(folder)
                over -= size


def _proxy(ref: ClipRef, name: str, view: View) -> VideoFile | None:
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
