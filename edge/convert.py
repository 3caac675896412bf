"""Drives in another format: swerve's own, so that any recording becomes one folder every tool here opens; a
LeRobotDataset for robot learning; MCAP for Foxglove."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from edge.drive import Drive
from edge.export_lerobot import export_lerobot
from edge.export_mcap import export_mcap
from edge.manifest import Manifest
from edge.write import write_camera, write_drive


def convert(drives: Iterable[Drive], format_: str, out: Path) -> list[Path]:
    """Write drives below `out` as `native`, `lerobot` (one dataset of all) or `mcap`, and return what was written."""
    if format_ == "native":
        return [to_native(drive, out) for drive in drives]
    if format_ == "lerobot":
        export_lerobot(list(drives), out)
        return [out]
    written = []
    for drive in drives:
        path = out / f"{drive.id}.mcap"
        out.mkdir(parents=True, exist_ok=True)
        export_mcap(drive, path)
        written.append(path)
    return written


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
