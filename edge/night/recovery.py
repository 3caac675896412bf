"""What a start of the agent does first: make the queue's rows and folders agree, whatever the last one left behind.

What is half-made is swept; a whole clip without a row is queued; a copy whose row says that it was dropped goes; one
that is not whole is set aside; a row whose copy is gone says so from now on. Done again, it finds nothing to do.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.durable import PREFIX
from edge.errors import EdgeError, SpoolError
from edge.night.queued import WAITING, Queued, Reason, State
from edge.night.spool import Spool, typed
from edge.night.spool_rows import insert


@dataclass(frozen=True)
class Recovered:
    """What a start found: half-made folders swept, clips queued that had no row, and copies that are gone."""

    swept: int
    adopted: int
    lost: int


def recover(spool: Spool) -> Recovered:
    """Raises SpoolError where the disk refuses; nothing is lost by it."""
    with typed(spool.root):
        names = {path.name for path in spool.clips_folder.iterdir()}
    half_made = {name for name in names if name.startswith(PREFIX)}
    known = {clip.folder: clip for clip in spool.clips()}
    leaving = {name for name in names & known.keys() if known[name].state is State.DROPPED}
    damaged = {name for name in leaving if known[name].reason is Reason.DAMAGED}
    spool.remove(half_made | leaving - damaged)
    for name in damaged:
        spool.set_aside(name)
    here = names - half_made - leaving
    adopted = [clip for name in sorted(here - known.keys()) if (clip := _found(spool, name))]
    if adopted:
        with spool.change() as database:
            for clip in adopted:
                insert(database, clip)
    missing = [clip for clip in known.values() if clip.state in WAITING and clip.folder not in here]
    if missing:
        spool.drop(missing, Reason.MISSING)
    return Recovered(len(half_made), len(adopted), len(missing))


def is_damaged(error: EdgeError) -> bool:
    """Whether a clip that could not be opened is not whole, rather than out of reach for now."""
    cause = error.__cause__
    return not isinstance(cause, OSError) or isinstance(cause, FileNotFoundError | NotADirectoryError)


def _found(spool: Spool, folder: str) -> Queued | None:
    """A clip without a row; None for one that is not whole."""
    from edge.clip import open_clip

    try:
        clip = open_clip(spool.clips_folder / folder)
        clip.verify()
    except EdgeError as error:
        if not is_damaged(error):
            raise SpoolError(error.got, "a clip that can be read", "check the disk and start again") from error
        spool.set_aside(folder)
        return None
    return Queued.of(clip)
