"""A look at a clip: every camera is decoded once, and all that later steps need of its pictures is made on the way.

`made/<clip id>/look-1/` holds, for each camera of which a frame lies in the clip's window:

    proxy-<camera>.mp4       what training reads (`curate.proxy`)
    preview-<camera>.mp4     what a browser plays, only where it does not play the clip's own video
    still-<camera>-<k>.jpg   at most 5 pictures in order of time: start, middle, end, the onsets of the two worst events
    seen.npz                 `<camera>.t_ns` (N,) int64, `<camera>.thumbs` (N, 18, 32) uint8: every frame of the window
    look.json                which of these there are, and the clock of the proxies

The folder is whole or absent, holds the same bytes whenever it is made of the same clip, and is never changed. It is
made only where every frame decodes.
"""

from __future__ import annotations

import errno
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from curate.clipref import ClipRef
from curate.errors import StoreError
from curate.proxy import PREVIEW, PROXY, plays_in_browsers, preview_size, proxy_size
from curate.thumbs import Thumb, thumb
from edge.clip import open_clip
from edge.drive import Drive, open_drive
from edge.durable import PREFIX, new_folder
from edge.errors import ClipError, VideoError
from edge.manifest import canonical_json
from edge.page.film import jpeg
from edge.video.camera import VideoFile
from edge.video.encode import VideoWriter
from trigger.baseline import KIND as BASELINE
from trigger.event import Event
from trigger.telemetry import Times

FOLDER, HEAD, SEEN = "look-1", "look.json", "seen.npz"
WORST_EVENTS = 2
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
"""What says that the store cannot be written, and nothing of the clip."""


@dataclass(frozen=True)
class Still:
    """A frame as a JPEG, and when it was taken."""

    t_ns: int
    path: Path


@dataclass(frozen=True, repr=False, eq=False)
class Seen:
    """What one camera saw.

    Attributes:
        t_ns: (N,) int64 ns, increasing: every frame of the window.
        thumbs: (N, 18, 32) uint8, `curate.thumbs`.
        stills: at most 5, in order of time.
        preview: what a browser plays; None where it plays the clip's own video.
        video: the proxy with its clock: its frame times are those of the clip's own video.
    """

    t_ns: Times
    thumbs: NDArray[np.uint8]
    stills: tuple[Still, ...]
    preview: Path | None
    video: VideoFile

    @property
    def proxy(self) -> Path:
        return self.video.path


@dataclass(frozen=True)
class Look:
    cameras: Mapping[str, Seen]


def look(ref: ClipRef) -> None:
    """Look at a clip where that was not done yet.

    Raises:
        VideoError: not all frames of the window decode. DriveError, ClipError: it is not a whole clip.
        StoreError: the store cannot be written.
    """
    folder = ref.made / FOLDER
    if folder.is_dir():
        return
    drive, events = open_drive(ref.folder), open_clip(ref.folder).cut.events
    try:
        _clear(ref.made)
        with new_folder(folder) as temporary:
            _make(temporary, drive, events)
    except OSError as error:
        if error.errno not in DISK:
            raise
        raise StoreError(f"{ref.made} cannot be written: {error.strerror}", "room on the disk", "make room") from error


def read_look(ref: ClipRef) -> Look:
    """Raises ClipError where no look was taken, or it is damaged."""
    folder = ref.made / FOLDER
    try:
        head = json.loads((folder / HEAD).read_bytes())
        with np.load(folder / SEEN, allow_pickle=False) as arrays:
            return Look({name: _seen(folder, name, entry, arrays) for name, entry in head["cameras"].items()})
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, BadZipFile) as error:
        raise ClipError(
            f"{folder} cannot be read: {error!r}", "a look at the clip", f"remove {ref.made} and run the night again"
        ) from error


def _seen(folder: Path, name: str, entry: dict[str, Any], arrays: Mapping[str, Any]) -> Seen:
    stills = tuple(Still(int(still["t_ns"]), folder / still["file"]) for still in entry["stills"])
    preview = folder / entry["preview"] if entry["preview"] else None
    video = VideoFile(folder / entry["proxy"], int(entry["t0_ns"]), int(entry["pts_origin"]))
    return Seen(arrays[f"{name}.t_ns"], arrays[f"{name}.thumbs"], stills, preview, video)


def _clear(made: Path) -> None:
    """Away with what a killed run left half-made; only one night is at work."""
    for left in made.glob(f"{PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)


def _make(folder: Path, drive: Drive, events: Sequence[Event]) -> None:
    arrays: dict[str, NDArray[Any]] = {}
    cameras: dict[str, Any] = {}
    for name, camera in drive.cameras.items():
        assert isinstance(camera, VideoFile)
        if camera.frame_times().size:
            cameras[name], arrays[f"{name}.t_ns"], arrays[f"{name}.thumbs"] = _look_at(folder, name, camera, events)
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]
    (folder / SEEN).write_bytes(packed.getvalue())
    (folder / HEAD).write_bytes(canonical_json({"cameras": cameras}))


def _look_at(
    folder: Path, name: str, camera: VideoFile, events: Sequence[Event]
) -> tuple[dict[str, Any], Times, NDArray[np.uint8]]:
    """The one pass over a camera's frames: entry of the head, times (N,), thumbs (N, 18, 32)."""
    times = camera.frame_times()
    wanted = still_times(times, events)
    t_ns: list[int] = []
    thumbs: list[Thumb] = []
    stills: list[dict[str, Any]] = []
    with ExitStack() as open_files:
        copies = _Copies(folder, name, camera, open_files)
        for at_ns, frame in camera.frames():
            thumbs.append(thumb(copies.add(frame)))
            t_ns.append(at_ns)
            if at_ns in wanted:
                file = f"still-{name}-{len(stills)}.jpg"
                (folder / file).write_bytes(jpeg(frame))
                stills.append({"file": file, "t_ns": at_ns})
    if camera.lost or len(t_ns) != times.size:
        got = f"camera {name}: {len(t_ns)} of the window's {times.size} frames decode"
        raise VideoError("; ".join((got, *camera.lost)), "all of them", "cut it again")
    return copies.entry | {"frames": len(t_ns), "stills": stills}, np.array(t_ns, np.int64), np.stack(thumbs)


class _Copies:
    """The proxy of a camera, and its preview where one is needed, on the camera's clock; opened at the first frame."""

    def __init__(self, folder: Path, name: str, camera: VideoFile, open_files: ExitStack) -> None:
        self._folder, self._name, self._camera, self._open_files = folder, name, camera, open_files
        self._shrink, self._size = VideoReformatter(), proxy_size(camera.size)
        self._writers: list[VideoWriter] = []
        self._first_pts = 0
        self.entry: dict[str, Any] = {}

    def add(self, frame: VideoFrame) -> VideoFrame:
        """Add a frame to the copies, and return it as it went to the proxy."""
        small = self._shrink.reformat(
            frame, *self._size, "yuv420p", interpolation=Interpolation.AREA, dst_color_range=ColorRange.MPEG, threads=1
        )
        pts = frame.pts or 0
        if not self._writers:
            self._open(frame, pts)
        for writer, picture in zip(self._writers, (small, frame), strict=False):
            picture.pict_type = PictureType.NONE  # what the frame was in its source does not bind this encoder
            writer.add(pts - self._first_pts, picture)
        return small

    def _open(self, frame: VideoFrame, pts: int) -> None:
        camera, base = self._camera, self._camera.time_base
        proxy, preview = f"proxy-{self._name}.mp4", ""
        self._writers.append(VideoWriter(self._folder / proxy, self._size, PROXY, base))
        if not plays_in_browsers(camera.codec, frame):
            preview = f"preview-{self._name}.mp4"
            self._writers.append(VideoWriter(self._folder / preview, preview_size(camera.size), PREVIEW, base))
        for writer in self._writers:
            self._open_files.enter_context(closing(writer))
        self._first_pts = pts
        clock = {"t0_ns": camera.t0_ns, "pts_origin": camera.pts_origin + pts}
        self.entry = {"proxy": proxy, "preview": preview, "size": list(self._size), **clock}


def still_times(t_ns: Times, events: Sequence[Event]) -> set[int]:
    """Of frames at t_ns (N,), N > 0, those kept as pictures: the first, middle and last, and at the worst onsets."""
    worst = sorted((e for e in events if e.kind != BASELINE), key=lambda e: (-e.severity, e.t_ns, e.kind))
    onsets = [int(np.abs(t_ns - event.t_ns).argmin()) for event in worst[:WORST_EVENTS]]
    return {int(t_ns[index]) for index in (0, t_ns.size // 2, t_ns.size - 1, *onsets)}
