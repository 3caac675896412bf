"""Files of Tesla's dashcam paired into minutes, and minutes into drives.

Files of one minute belong together where their names are at most 2 s apart; minutes whose names are at most 65 s apart
are one drive. A drive is named by its folder, or, where there are several, by the front file of its first minute; any
other file is its minute alone, with all cameras. Only names are looked at: a folder of thousands is listed at once, but
two drives a minute apart are one.

Not covered: drives that go on in another folder, and what is in the files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edge.errors import DriveError

CAMERAS = ("front", "back", "left_repeater", "right_repeater", "left_pillar", "right_pillar")
CLIP = re.compile(rf"(\d{{4}}-\d\d-\d\d_\d\d-\d\d-\d\d)-({'|'.join(CAMERAS)})\.mp4", re.ASCII)
MAX_STEP_NS = 65_000_000_000
"""Minutes whose names are at most this far apart are one drive."""
SAME_MINUTE_NS = 2_000_000_000
"""Cameras of one minute may be named this far apart."""


@dataclass(frozen=True)
class Minute:
    """Files of one minute by camera; `named_ns` is the earliest of their names."""

    named_ns: int
    files: dict[str, Path]


def named_as(file: Path) -> tuple[int, str] | None:
    """Time (ns) and camera of a name, None where it is not a dashcam's."""
    match = CLIP.fullmatch(file.name)
    try:
        start = datetime.strptime(match[1], "%Y-%m-%d_%H-%M-%S").replace(tzinfo=UTC) if match else None
    except ValueError:
        return None
    return (int(start.timestamp()) * 1_000_000_000, match[2]) if match and start else None


def drives_in(folder: Path) -> list[list[Minute]]:
    """The minutes of a folder, those close to each other together."""
    files = [(*named, file) for file in folder.iterdir() if (named := named_as(file))] if folder.is_dir() else []
    minutes: list[Minute] = []
    for named_ns, camera, file in sorted(files, key=lambda entry: (entry[0], CAMERAS.index(entry[1]))):
        if minutes and named_ns - minutes[-1].named_ns <= SAME_MINUTE_NS and camera not in minutes[-1].files:
            minutes[-1].files[camera] = file
        else:
            minutes.append(Minute(named_ns, {camera: file}))
    drives: list[list[Minute]] = []
    for minute in minutes:
        if drives and minute.named_ns - drives[-1][-1].named_ns <= MAX_STEP_NS:
            drives[-1].append(minute)
        else:
            drives.append([minute])
    return drives


def name_of(minute: Minute) -> str:
    return next(iter(minute.files.values())).name[:19]


def stands_for(drive: list[Minute]) -> Path:
    files = drive[0].files
    return next(files[camera] for camera in CAMERAS if camera in files)


def minutes_of(path: Path) -> list[Minute]:
    """The minutes that a path names: a folder's only drive, the drive that a file stands for, or a file's minute."""
    drives = drives_in(path if path.is_dir() else path.parent)
    if path.is_dir() and len(drives) == 1:
        return drives[0]
    for drive in drives:
        if stands_for(drive) == path:
            return drive
        for minute in drive:
            if path in minute.files.values():
                return [minute]
    raise DriveError(f"{path} holds {len(drives)} Tesla drives", "one", "name the first front file of one of them")
