"""Writing a native drive: whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from edge.drive import Drive
from edge.durable import new_folder
from edge.errors import DriveError
from edge.manifest import MANIFEST, TELEMETRY, CameraEntry, Manifest, file_entry
from edge.schema import write_telemetry
from edge.video.camera import Camera, VideoFile
from edge.video.encode import Encoding, Picture, encode
from edge.video.geometry import CameraGeometry
from edge.video.remux import can_copy, copy_stretch
from trigger.telemetry import Recorded

CameraWriter = Callable[[Path], VideoFile]
"""Writes a camera's MP4 at the path it is given and says how to read it."""


def encoded(frames: Iterable[tuple[int, Picture]], encoding: Encoding = Encoding()) -> CameraWriter:  # noqa: B008
    """A camera made of pictures, (t_ns, PyAV frame or (H, W, 3) uint8 RGB) in increasing time."""
    return lambda path: VideoFile(path, encode(path, frames, encoding))


def write_camera(camera: Camera, window_ns: tuple[int, int], path: Path) -> VideoFile:
    """A camera's frames in [start, end) as an MP4: packets are copied where that is possible."""
    if can_copy(camera):
        return copy_stretch(camera, *window_ns, path)
    return VideoFile(path, encode(path, camera.frames(*window_ns)), window_ns=window_ns)


def head_of(drive: Drive) -> Manifest:
    """What a manifest takes over from a drive; cameras, files and a cut are filled in by whoever writes it."""
    return Manifest(
        id=drive.id,
        recorder=drive.recorder,
        t0_ns=drive.t0_ns,
        cameras={},
        files={},
        vehicle=drive.vehicle,
        engagement=drive.engagement,
        consent=drive.consent,
        static=drive.static,
        lost=drive.lost,
    )


def write_drive(
    folder: Path,
    head: Manifest,
    telemetry: Recorded,
    cameras: Mapping[str, CameraWriter],
    finish: Callable[[Path, Manifest], object] | None = None,
    geometry: Mapping[str, CameraGeometry] = MappingProxyType({}),
) -> Manifest:
    """Write `folder` and return the finished manifest.

    Args:
        head: what is known of the drive; its `cameras` and `files` are filled in here.
        cameras: name to what writes that camera's file, `<name>.mp4`.
        finish: adds files that must appear together with the folder and are not part of its manifest.
        geometry: of the cameras of which it is known.

    Raises:
        DriveError: the folder exists.
    """
    if folder.exists():
        raise DriveError(f"{folder} exists", "a new folder", "choose another name or remove it")
    with new_folder(folder) as temporary:
        write_telemetry(temporary / TELEMETRY, telemetry)
        videos = {name: writer(temporary / f"{name}.mp4") for name, writer in cameras.items()}
        entries = {name: _camera(video, geometry.get(name)) for name, video in videos.items()}
        files = {path.name: file_entry(path) for path in sorted(temporary.iterdir())}
        cut = replace(head.cut, pre_roll={n: v.pre_roll for n, v in videos.items()}) if head.cut else None
        manifest = replace(head, cameras=entries, files=files, cut=cut)
        (temporary / MANIFEST).write_bytes(manifest.to_bytes())
        if finish:
            finish(temporary, manifest)
    return manifest


def _camera(video: VideoFile, geometry: CameraGeometry | None) -> CameraEntry:
    keys = video.key_times
    return CameraEntry(
        file=video.path.name,
        t0_ns=video.t0_ns,
        pts_origin=video.pts_origin,
        width=video.size[0],
        height=video.size[1],
        codec=video.codec,
        frames=video.total_frames,
        key_frame_spacing_s=round(float(np.diff(keys).max()) / 1e9, 3) if keys.size > 1 else 0.0,
        intrinsics=[list(row) for row in geometry.intrinsics] if geometry else None,
        pose=[list(row) for row in geometry.pose] if geometry else None,
    )
