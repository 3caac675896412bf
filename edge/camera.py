"""A camera of a drive: frames with times, from a video file or from a folder of images.

Both kinds answer the same three questions: how large is the picture, when was each frame taken, and what
does it show between two times. Times are on the drive's clock; frames come in the order of display.
Damage ends a stream early and is counted in `lost`; it never raises past the frames that are whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from edge.errors import VideoError
from edge.frame_clock import frame_t_ns
from trigger.telemetry import Times

DECODE_ERRORS = (av.FFmpegError, IndexError, UnicodeDecodeError, ValueError, EOFError)
"""What PyAV has been seen to raise on damaged files."""


class Camera(Protocol):
    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    @property
    def lost(self) -> tuple[str, ...]:
        """What could not be read, in words; empty when all is well."""

    def frame_times(self) -> Times:
        """Times of all frames, (N,) int64 ns, increasing."""

    def frames(self, start_ns: int | None = None, end_ns: int | None = None) -> Iterator[tuple[int, VideoFrame]]:
        """Decoded frames with start_ns <= t < end_ns."""


@dataclass(frozen=True)
class VideoFile:
    """The first video stream of a container.

    Attributes:
        t0_ns: time of presentation time stamp 0 of the recording, on the drive's clock.
        pts_origin: the recording's time stamp at which this file's 0 lies (a cut keeps its parent's ticks,
            so that times stay equal to the nanosecond).
        window_ns: only frames in [start, end) exist for the reader; pre-roll of a clip lies outside.
    """

    path: Path
    t0_ns: int = 0
    pts_origin: int = 0
    window_ns: tuple[int, int] | None = None

    @cached_property
    def _index(self) -> _Index:
        return _read_index(self)

    @property
    def size(self) -> tuple[int, int]:
        return self._index.size

    @property
    def codec(self) -> str:
        return self._index.codec

    @property
    def key_times(self) -> Times:
        """Times of the key frames, (K,) int64 ns."""
        return self._index.key_ns

    def key_dts(self, index: int) -> int:
        """Decoding time stamp of a key frame, in the file's ticks: what a seek is aimed at."""
        return int(self._index.key_dts[index])

    @property
    def total_frames(self) -> int:
        """Frames in the file, those outside the window included."""
        return int(self._index.t_ns.size)

    @property
    def pre_roll(self) -> int:
        """Frames that lie before the window: decoded on the way to it, never shown."""
        return int((self._index.t_ns < self._bounds(None, None)[0]).sum())

    @property
    def lost(self) -> tuple[str, ...]:
        return self._index.lost

    def frame_times(self) -> Times:
        return self._inside(self._index.t_ns)

    def frames(self, start_ns: int | None = None, end_ns: int | None = None) -> Iterator[tuple[int, VideoFrame]]:
        low, high = self._bounds(start_ns, end_ns)
        with open_video(self.path) as container:
            stream = video_stream(container, self.path)
            stream.thread_type = "NONE"
            before = np.searchsorted(self._index.key_ns, low, side="right") - 1
            if before > 0:
                container.seek(self.key_dts(int(before)), stream=stream)
            for frame in _decoded(container, stream):
                if frame.pts is None:
                    continue
                t_ns = self.time_of(frame.pts, stream.time_base)
                if t_ns >= high:
                    return
                if t_ns >= low:
                    yield t_ns, frame

    def time_of(self, pts: int, time_base: Fraction | None) -> int:
        assert time_base is not None
        return int(frame_t_ns(np.array([pts + self.pts_origin], np.int64), time_base, self.t0_ns)[0])

    def _bounds(self, start_ns: int | None, end_ns: int | None) -> tuple[int, int]:
        window = self.window_ns or (-(1 << 62), 1 << 62)
        low = window[0] if start_ns is None else max(start_ns, window[0])
        high = window[1] if end_ns is None else min(end_ns, window[1])
        return low, high

    def _inside(self, t_ns: Times) -> Times:
        low, high = self._bounds(None, None)
        return t_ns[(t_ns >= low) & (t_ns < high)]


@dataclass(frozen=True)
class ImageFiles:
    """A folder of pictures, one a frame.

    Attributes:
        t_ns: (N,) int64 ns, increasing, one for each path.
    """

    paths: Sequence[Path]
    t_ns: Times
    lost: tuple[str, ...] = ()

    @cached_property
    def size(self) -> tuple[int, int]:
        frame = next(self.frames(), None)
        if frame is None:
            raise VideoError(f"none of {len(self.paths)} images can be decoded", "JPEG or PNG", "copy the folder again")
        return frame[1].width, frame[1].height

    def frame_times(self) -> Times:
        return self.t_ns

    def frames(self, start_ns: int | None = None, end_ns: int | None = None) -> Iterator[tuple[int, VideoFrame]]:
        low = -(1 << 62) if start_ns is None else start_ns
        high = 1 << 62 if end_ns is None else end_ns
        first, last = np.searchsorted(self.t_ns, [low, high])
        for t_ns, path in zip(self.t_ns[first:last].tolist(), self.paths[first:last], strict=True):
            try:
                with av.open(str(path)) as container:
                    yield t_ns, next(container.decode(video=0))
            except (*DECODE_ERRORS, StopIteration, OSError):
                continue


@dataclass(frozen=True)
class _Index:
    size: tuple[int, int]
    codec: str
    t_ns: Times
    key_ns: Times
    key_dts: Times
    lost: tuple[str, ...]


def open_video(path: Path) -> av.container.InputContainer:
    """Open a container, or say what is wrong with it."""
    try:
        return av.open(str(path))
    except FileNotFoundError:
        raise VideoError(f"{path} does not exist", "a video file", "copy the whole drive folder") from None
    except DECODE_ERRORS as error:
        size = path.stat().st_size if path.exists() else 0
        raise VideoError(
            f"{path} ({size} bytes) cannot be opened: {error}",
            "a whole video file; an MP4 whose recording was cut off has lost its index",
            "copy it again, or repair it (for example with untrunc), or drop the drive",
        ) from error


def video_stream(container: av.container.InputContainer, path: Path) -> VideoStream:
    """The first video stream, whichever number it has (audio is often stream 0)."""
    if not container.streams.video:
        raise VideoError(f"{path} has no video stream", "at least one", "give the file that holds the picture")
    return container.streams.video[0]


def _read_index(video: VideoFile) -> _Index:
    """Packet times without decoding: cheap, and enough to align, to cut and to notice a short file."""
    with open_video(video.path) as container:
        stream = video_stream(container, video.path)
        shown: list[int] = []
        keys: list[tuple[int, int]] = []
        broken = ""
        try:
            for packet in container.demux(stream):
                if not packet.size or packet.pts is None:
                    continue
                if packet.is_keyframe and not packet.is_corrupt:
                    keys.append((packet.pts, packet.pts if packet.dts is None else packet.dts))
                if not packet.is_discard:  # decoded on the way, but before the edit list's start
                    shown.append(packet.pts)
        except DECODE_ERRORS as error:
            broken = str(error)
        expected, size = stream.frames, (stream.width, stream.height)
        codec, time_base = stream.codec_context.name, stream.time_base
    if not shown or time_base is None:
        raise VideoError(f"{video.path} holds no readable frame", "a video", "copy it again or drop the drive")
    lost: tuple[str, ...] = ()
    if broken or expected > len(shown):
        missing = f"{expected - len(shown)} of {expected} frames" if expected > len(shown) else "its end"
        lost = (f"{video.path.name}: {missing} could not be read{': ' + broken if broken else ''}",)
    key_pts, key_dts = np.array(sorted(keys), np.int64).reshape(-1, 2).T
    t_ns = frame_t_ns(np.array(sorted(shown)) + video.pts_origin, time_base, video.t0_ns)
    key_ns = frame_t_ns(key_pts + video.pts_origin, time_base, video.t0_ns)
    return _Index(size, codec, t_ns, key_ns, key_dts, lost)


def _decoded(container: av.container.InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    try:
        yield from container.decode(stream)
    except DECODE_ERRORS:
        return
