"""One picture of a clip at a time: a still that was made of it, else a frame of its own video.

Clips are foreign files, so decoders run in a child with limits; a clip that gives no picture is shown without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curate.clipref import ClipRef
from curate.look import read_look
from edge.drive import open_drive
from edge.errors import ClipError, DriveError, EdgeError
from edge.isolate import Bounds, each
from edge.page.film import jpeg

BOUNDS = Bounds(cpu_s=30, wall_s=120.0, memory_bytes=2 * 1024**3)


@dataclass(frozen=True)
class Wanted:
    ref: ClipRef
    t_ns: int


def pictures(wanted: Sequence[Wanted]) -> list[bytes]:
    """A JPEG for each, empty where there is none."""
    return [b"" if isinstance(found, EdgeError) else found for found in each(picture, wanted, BOUNDS)]


def picture(wanted: Wanted) -> bytes:
    """Of the first camera by name. Raises DriveError where none has a frame."""
    try:
        seen = read_look(wanted.ref).cameras
        stills = seen[min(seen)].stills
        return min(stills, key=lambda still: abs(still.t_ns - wanted.t_ns)).path.read_bytes()
    except (ClipError, OSError, ValueError):
        return _decoded(wanted)


def _decoded(wanted: Wanted) -> bytes:
    cameras = open_drive(wanted.ref.folder).cameras
    for name in sorted(cameras):
        for _, frame in cameras[name].frames(wanted.t_ns):
            return jpeg(frame)
    raise DriveError(f"no camera of {wanted.ref.folder} shows {wanted.t_ns}", "a frame", "look at the clip")
