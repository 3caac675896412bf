"""The recordings in a watched folder, and whether one of them is new or was written to since."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edge.night.driven import Source


def is_empty(watched: Path) -> bool:
    """Whether nothing lies in the folder at all: then there is nothing foreign to read, and no need of a child."""
    return next(watched.iterdir(), None) is None


def look(watched: Path) -> tuple[Source, ...]:
    """Every whole recording below the folder; none where there is none yet. Clips are left out."""
    from edge.drive import find_drives
    from edge.errors import DriveError
    from edge.offer import OFFER

    try:
        found = find_drives(watched)
    except DriveError:
        return ()
    places = [(recorder.NAME, path) for recorder, path in found if not (path / OFFER).is_file()]
    return tuple(source for place in places if (source := _source(*place)))


def _source(recorder: str, path: Path) -> Source | None:
    """None where a file vanished while it was looked at.

    Times of files are only compared with themselves, so it does not matter what the clock showed.
    """
    try:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        facts = [(str(file.relative_to(path.parent)), file.stat()) for file in files]
    except OSError:
        return None
    lines = (f"{name} {stat.st_size} {stat.st_mtime_ns}\n" for name, stat in facts)
    signature = hashlib.sha256("".join(lines).encode()).hexdigest()[:16]
    return Source(recorder, str(path), signature, sum(stat.st_size for _, stat in facts))
