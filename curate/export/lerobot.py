"""A version as a LeRobotDataset v3.0: one episode a clip (`edge.export.lerobot`), and what the version says of frames.

Features beside those of the drives:
- `swerve.weight`, `swerve.inclusion_probability`: of the second that the frame lies in; 0 and 1 where it lies in none.
- `swerve.split`: 0 train, 1 eval, 2 excluded or in no second of the version. One clip may hold seconds of several.
- `swerve.events`: for each kind of the version whether the second belongs to such an event.

LeRobot wants the same cameras in every episode: the set of cameras that most clips have is exported, the other clips
are named and left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.dataset import DatasetVersion
from curate.errors import DatasetError
from curate.export.frames import NOWHERE, ClipRows, clips_of
from edge.drive import Drive
from edge.export.lerobot import Extra, export_lerobot
from trigger.telemetry import Times

SPLITS = ("train", "eval", "excluded")
OTHER_CAMERAS = "has other cameras than most clips of the version"

Cameras = tuple[tuple[str, tuple[int, int]], ...]


def export_version(version: DatasetVersion, out: Path, fps: int = 10) -> dict[str, str]:
    """Write the new folder `out`; returns the clips that were left out, with the reason.

    Raises:
        DatasetError: no clip can be read. DriveError: `out` exists, or a clip cannot be decoded.
    """
    skipped: dict[str, str] = {}
    clips = list(clips_of(version, skipped))
    counts = Counter(_cameras(clip.drive) for clip in clips)
    if not counts:
        raise DatasetError(f"no clip of {version.name} can be read", "one at least", "run: swerve curate verify")
    usual = max(counts, key=lambda cameras: (counts[cameras], cameras))
    skipped |= {clip.clip_id: OTHER_CAMERAS for clip in clips if _cameras(clip.drive) != usual}
    kept = [clip for clip in clips if clip.clip_id not in skipped]
    export_lerobot([clip.drive for clip in kept], out, fps, _extras(version, kept))
    return skipped


def _cameras(drive: Drive) -> Cameras:
    return tuple(sorted((name, camera.size) for name, camera in drive.cameras.items()))


def _extras(version: DatasetVersion, clips: Sequence[ClipRows]) -> tuple[Extra, ...]:
    kinds = tuple(sorted(set(version.rows.column("events").combine_chunks().flatten().to_pylist())))

    def number(column: str, elsewhere: float) -> Extra:
        def at(clip: int, t_ns: Times) -> NDArray[Any]:
            return _at(clips[clip], t_ns, np.asarray(clips[clip].rows.column(column), np.float64), elsewhere)

        return Extra(f"swerve.{column}", "float32", (column,), at)

    def split(clip: int, t_ns: Times) -> NDArray[Any]:
        codes = np.array([SPLITS.index(name) for name in clips[clip].rows.column("split").to_pylist()])
        return _at(clips[clip], t_ns, codes, SPLITS.index("excluded"))

    def events(clip: int, t_ns: Times) -> NDArray[Any]:
        told = clips[clip].rows.column("events").to_pylist()
        return _at(clips[clip], t_ns, np.array([[kind in of for kind in kinds] for of in told]), False)

    extras = [
        number("weight", 0.0),
        number("inclusion_probability", 1.0),
        Extra("swerve.split", "int64", ("split",), split),
    ]
    return (*extras, *([Extra("swerve.events", "bool", kinds, events)] if kinds else []))


def _at(clip: ClipRows, t_ns: Times, values: NDArray[Any], elsewhere: Any) -> NDArray[Any]:
    """(N, K) values of the rows that hold these times."""
    rows = clip.row_at(t_ns)
    columns = values.reshape(len(values), -1)
    return np.where((rows == NOWHERE)[:, None], elsewhere, columns[rows])
