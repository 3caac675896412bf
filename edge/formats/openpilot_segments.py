"""Which files make an openpilot segment, and which segments a route.

Segments of a minute: `DONGLE|LOGID--SEG/` or `LOGID--SEG/`, or files `DONGLE_LOGID--SEG--rlog.zst`; "|", which some
file systems refuse, is told as "_". LOGID is `YYYY-MM-DD--HH-MM-SS` or, since 2024, `COUNT--UID`. A route is named by
its first segment in the folder where it lies: opening that opens all of it. Any later segment is a drive of its own,
that one minute. A folder of segments holds one drive a route.

Nothing is opened here. `dcamera.hevc`, the driver's camera, is not even listed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

SEGMENT_NAME = re.compile(
    r"(?:(?P<dongle>[0-9a-f]{16})[|_])?"
    r"(?P<log>[0-9]{4}-[0-9]{2}-[0-9]{2}--[0-9]{2}-[0-9]{2}-[0-9]{2}|[0-9a-f]{8}--[0-9a-z]{10})"
    r"--(?P<number>[0-9]{1,9})(?:--(?P<file>[a-z]+(?:_log)?(?:\.[a-z0-9]+)*))?"
)
RLOGS = ("rlog.zst", "rlog.bz2", "rlog", "raw_log.bz2")
QLOGS = ("qlog.zst", "qlog.bz2", "qlog")
ROAD, WIDE, PREVIEW = "fcamera.hevc", "ecamera.hevc", "qcamera.ts"
READ = {*RLOGS, *QLOGS, ROAD, WIDE, PREVIEW}


@dataclass(frozen=True)
class Segment:
    """One minute. `files` holds what may be read of it, and locks, by the names they have on the device."""

    route: str
    number: int
    folder: Path | None
    files: Mapping[str, Path]

    @property
    def path(self) -> Path:
        """The folder, or of loose files the log."""
        return self.folder or next(self.files[name] for name in (*RLOGS, *QLOGS, *READ) if name in self.files)

    @property
    def locked(self) -> bool:
        """Still being written."""
        return any(name.endswith(".lock") for name in self.files)


def first_segments(path: Path) -> list[Path]:
    """The segment that `path` is, or the first segment of every route in a folder."""
    if SEGMENT_NAME.fullmatch(path.resolve().name):
        return [path] if route_of(path) else []
    routes = groupby(_segments(path), key=lambda segment: segment.route) if path.is_dir() else ()
    return [next(segments).path for _, segments in routes]


def route_of(path: Path) -> list[Segment]:
    """What `path` opens: all its route where it is the first segment of it, else the one it is."""
    name = SEGMENT_NAME.fullmatch(path.resolve().name)
    if name is None or (name["file"] or RLOGS[0]) not in READ:
        return []
    key = _key(name)
    route = [segment for segment in _segments(path.resolve().parent) if segment.route == key[0]]
    first = route[:1]
    here = [segment for segment in route if segment.number == key[1]]
    return route if here == first else here


def _segments(folder: Path) -> list[Segment]:
    """All segments that lie in a folder, by route and number; folders and loose files of one are put together."""
    found: dict[tuple[str, int], Segment] = {}
    for entry in _entries(folder):
        name = SEGMENT_NAME.fullmatch(entry.name)
        if name is None:
            continue
        inside = {name["file"]: entry} if name["file"] else {file.name: file for file in _entries(entry)}
        files = {n: p for n, p in inside.items() if n in READ or n.endswith(".lock")}
        if files:
            key = _key(name)
            known = found.get(key, Segment(*key, None, {}))
            found[key] = Segment(*key, known.folder if name["file"] else entry, {**known.files, **files})
    return [found[key] for key in sorted(found) if READ & found[key].files.keys()]


def _key(name: re.Match[str]) -> tuple[str, int]:
    """Route and number."""
    return f"{name['dongle']}_{name['log']}" if name["dongle"] else name["log"], int(name["number"])


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
