"""The recordings in a watched folder, and whether one of them is new or was written to since."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edge.being_written import refuse_while_written
from edge.errors import DriveError, EdgeError
from edge.night.driven import Source, Standing
from edge.night.spool import Spool, typed

if TYPE_CHECKING:
    from edge.night.agent import Runner


def arrived(
    watched: Path, spool: Spool, consent: bool, runner: Runner, tell: Callable[[EdgeError], object]
) -> Iterator[Source]:
    """Recordings that the queue has not done with and that nobody writes to, each asked when its turn comes.

    Args:
        consent: the owner grants it where a recording does not say; what waited for that is then new.
        tell: takes what is wrong with the folder.
    """
    open_ = {Standing.BEGUN} | ({Standing.NOT_GIVEN} if consent else set())
    drives = spool.drives()
    done = {(d.source.path, d.source.recorder, d.source.signature) for d in drives if d.standing not in open_}
    with typed(watched):
        looked = [] if is_empty(watched) else list(runner(look, [watched]))
    for found in looked:
        if isinstance(found, EdgeError):
            tell(found)
            continue
        for source in found:
            if (source.path, source.recorder, source.signature) not in done and not _being_written(source):
                yield source


def _being_written(source: Source) -> bool:
    try:
        refuse_while_written(Path(source.path))
    except DriveError:
        return True
    return False


def is_empty(watched: Path) -> bool:
    """Whether nothing lies in the folder at all: then there is nothing foreign to read, and no need of a child."""
    return next(watched.iterdir(), None) is None


def look(watched: Path) -> tuple[Source, ...]:
    """Every whole recording below the folder; none where there is none yet. Clips are left out."""
    from edge.drive import find_drives
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
