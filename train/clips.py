"""The clips of a dataset version as training uses them: recording, pictures, and what is known of the cameras.

A clip that cannot be read is left out once, counted and named; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from curate.clipref import refs_of
from curate.dataset import DatasetVersion
from edge.drive import Drive, open_drive
from edge.errors import DriveError
from train.errors import SampleError
from train.frame_cache import FrameCache
from train.frame_folder import ClipFrames
from train.frames import View
from train.on_demand import FramesOnDemand
from train.perspective import Geometry, geometry_of
from train.rows import Index, rows_by_clip

Pictures = ClipFrames | FramesOnDemand


@dataclass(frozen=True, repr=False, eq=False)
class SourceClip:
    """One clip that is in use: its recording, its pictures and its rows of the version.

    Attributes:
        frames: of the first camera, whose frame times are the samples' times. others: of the further cameras.
        geometry: of each camera in that order; None where it is not known of all of them.
    """

    clip_id: str
    drive: Drive
    frames: Pictures
    rows: Index
    others: tuple[Pictures, ...] = ()
    geometry: tuple[Geometry, ...] | None = None

    @property
    def cameras(self) -> tuple[Pictures, ...]:
        return (self.frames, *self.others)


def open_clips(
    version: DatasetVersion,
    view: View,
    advance: Callable[[int, int], None] = lambda done, total: None,
    cache: FrameCache | None = None,
    others: Sequence[View] = (),
) -> tuple[tuple[SourceClip, ...], dict[str, str]]:
    """Every clip of the version that can be used, and why the others cannot.

    Args:
        advance: told how many clips are open, of how many; decoding one for the first time takes a while.
        cache: where decoded frames are kept; `<store>/cache/frames` unless told.
        others: views of further cameras; a clip that lacks one of them is left out.
    """
    cache = cache or FrameCache.of(version.store)
    rows_of = rows_by_clip(version)
    clips: list[SourceClip] = []
    skipped: dict[str, str] = {}
    for done, clip_id in enumerate(sorted(rows_of)):
        advance(done, len(rows_of))
        try:
            clips.append(_open(version, clip_id, rows_of[clip_id], (view, *others), cache))
        except (DriveError, SampleError) as problem:
            skipped[clip_id] = problem.got
    cache.trim()
    return tuple(clips), skipped


def remarks(clips: Sequence[SourceClip], aside: bool) -> list[str]:
    """What is to be said of how they are used. `aside`: whether samples are to be seen from the side."""
    whole = sum(not all(camera.from_proxy for camera in clip.cameras) for clip in clips)
    said = (
        [f"{whole} of {len(clips)} clips have no proxy as large as the policy's picture: read whole"] if whole else []
    )
    beyond = sum(any(isinstance(camera, FramesOnDemand) for camera in clip.cameras) for clip in clips)
    if beyond:
        said.append(f"{beyond} of {len(clips)} clips do not fit into the cache: decoded for each sample")
    if aside:
        known = sum(clip.geometry is not None for clip in clips)
        said.append(f"seen from the side: samples of {known} of {len(clips)} clips, whose cameras' geometry is known")
    return said


def _open(version: DatasetVersion, clip_id: str, rows: Index, views: Sequence[View], cache: FrameCache) -> SourceClip:
    (ref,) = refs_of(version.store, [version.clip_folder(clip_id)])
    drive = open_drive(ref.folder)
    frames, *others = (cache.frames(drive, view, ref) for view in views)
    known = tuple(geometry for view in views if (geometry := geometry_of(drive, view)))
    return SourceClip(clip_id, drive, frames, rows, tuple(others), known if len(known) == len(views) else None)
