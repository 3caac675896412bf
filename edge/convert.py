"""Drives in another format: swerve's own, so that any recording becomes one folder every tool here opens; a
LeRobotDataset for robot learning; MCAP for Foxglove; RRD for Rerun."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from edge.drive import Drive
from edge.errors import DriveError
from edge.export.lerobot import export_lerobot
from edge.export.mcap import export_mcap
from edge.export.rrd import export_rrd
from edge.write import head_of, write_camera, write_drive


def convert(drives: Iterable[Drive], format_: str, out: Path) -> list[Path]:
    """Write drives below `out` as `native`, `lerobot` (one dataset of all), `mcap` or `rrd`; returns what was written.

    Raises:
        DriveError: a clip (converted, nothing would tell it from a whole drive), or what a format says itself.
    """
    drives = [_whole(drive) for drive in drives]
    if format_ == "native":
        return [to_native(drive, out) for drive in drives]
    if format_ == "lerobot":
        export_lerobot(drives, out)
        return [out]
    export = export_rrd if format_ == "rrd" else export_mcap
    out.mkdir(parents=True, exist_ok=True)
    written = [(drive, out / f"{drive.id}.{format_}") for drive in drives]
    for drive, path in written:
        export(drive, path)
    return [path for _, path in written]


def _whole(drive: Drive) -> Drive:
    if drive.cut is not None:
        raise DriveError(f"{drive.source} is a clip of {drive.cut.parent}", "a whole drive", "name the drive itself")
    return drive


def to_native(drive: Drive, out: Path) -> Path:
    """Write the drive below `out` and return its folder. Video is copied without its user data; images are encoded.

    Raises:
        DriveError: the folder exists, or a camera cannot be read.
    """
    head = head_of(drive)
    cameras = {name: partial(write_camera, camera, drive.span_ns) for name, camera in drive.cameras.items()}
    folder = out / drive.id
    write_drive(folder, head, drive.telemetry, cameras, geometry=drive.geometry)
    return folder
