"""A drive in another format: today swerve's own, so that any recording becomes one folder every tool here opens."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from edge.camera import Camera, VideoFile
from edge.drive import Drive
from edge.encode import encode
from edge.manifest import Manifest
from edge.remux import can_copy, copy_stretch
from edge.write import write_drive


def to_native(drive: Drive, out: Path) -> Path:
    """Write the drive below `out` and return its folder. Video is copied without its user data; images are encoded.

    Raises:
        DriveError: the folder exists, or a camera cannot be read.
    """
    head = Manifest(
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
    cameras = {name: partial(write_camera, camera, drive.span_ns) for name, camera in drive.cameras.items()}
    folder = out / drive.id
    write_drive(folder, head, drive.telemetry, cameras)
    return folder


def write_camera(camera: Camera, window_ns: tuple[int, int], path: Path) -> VideoFile:
    """A camera's frames in [start, end) as an MP4: packets are copied where that is possible."""
    if can_copy(camera):
        return copy_stretch(camera, *window_ns, path)
    return VideoFile(path, encode(path, camera.frames(*window_ns)), window_ns=window_ns)
