"""A camera of a drive: frames with times, from a video file or from a folder of images.

Both kinds answer the same three questions: how large is the picture, when was each frame taken, and what
does it show between two times. Times are on the drive's clock; frames come in the order of display.
Damage ends a stream early and is counted in `lost`; it never raises past the frames that are whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeAlias

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from edge.errors import VideoError
from edge.frame_clock import frame_t_ns, one_frame_t_ns
from trigger.telemetry import Times

VideoPacket: TypeAlias = "av.Packet[VideoStream]"
LONGEST_NS = 7 * 86_400 * 1_000_000_000
"""A recording that claims to be longer than a week has a damaged clock."""
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
        times_ns: for a raw stream, which holds no time stamps: the time of each frame, (N,) int64 ns, in the
            order of the file. Such a stream must not reorder its frames (no B-frames).
    """

    path: Path
    t0_ns: int = 0
    pts_origin: int = 0
    window_ns: tuple[int, int] | None = None
    times_ns: Times | None = field(default=None, compare=False, repr=False)

    @cached_property
    def _index(self) -> _Index:
        return _read_index(self)

    def windowed(self, start_ns: int, end_ns: int) -> VideoFile:
        """The same file, of which only [start, end) exists for the reader; what was read of it is kept."""
        part = replace(self, window_ns=(start_ns, end_ns))
        part.__dict__["_index"] = self._index
        return part

    @property
    def size(self) -> tuple[int, int]:
        return self._index.size

    @property
    def codec(self) -> str:
        return self._index.codec

    @property
    def extradata(self) -> bytes:
        """The codec's private data: files of one camera can be joined only where it is the same."""
        return self._index.extradata

    @property
    def time_base(self) -> Fraction:
        """Seconds a tick of the container's clock."""
        return self._index.time_base

    @property
    def key_times(self) -> Times:
        """Times of the key frames, (K,) int64 ns."""
        return self._index.key_ns

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
            self.seek(container, stream, low)
            for number, frame in enumerate(_decoded(container, stream)):
                t_ns = self._time_of(frame.pts, stream, number)
                if t_ns is None:
                    continue
                if t_ns >= high:
                    return
                if t_ns >= low:
                    yield t_ns, frame

    def packets(self, container: av.container.InputContainer, stream: VideoStream) -> Iterator[tuple[VideoPacket, int]]:
        """Whole packets in decoding order, each with its frame's time; ends where damage begins."""
        try:
            for number, packet in enumerate(p for p in container.demux(stream) if p.size):
                t_ns = self._time_of(packet.pts, stream, number)
                if t_ns is not None and not packet.is_corrupt:
                    yield packet, t_ns
        except DECODE_ERRORS:
            return

    def seek(self, container: av.container.InputContainer, stream: VideoStream, t_ns: int) -> None:
        """Go to the last key frame at or before `t_ns`; a raw stream is read from its beginning."""
        before = int(np.searchsorted(self._index.key_ns, t_ns, side="right")) - 1
        if before > 0 and self.times_ns is None:
            container.seek(int(self._index.key_dts[before]), stream=stream)

    def _time_of(self, pts: int | None, stream: VideoStream, number: int) -> int | None:
        if self.times_ns is not None:
            return int(self.times_ns[number]) if number < len(self.times_ns) else None
        if pts is None or stream.time_base is None:
            return None
        return one_frame_t_ns(pts + self.pts_origin, stream.time_base, self.t0_ns)

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
                with av.open(str(path), metadata_errors="replace") as container:
                    yield t_ns, next(container.decode(video=0))
            except (*DECODE_ERRORS, StopIteration, OSError):
                continue


@dataclass(frozen=True)
class _Index:
    size: tuple[int, int]
    codec: str
    extradata: bytes
    time_base: Fraction
    t_ns: Times
    key_ns: Times
    key_dts: Times
    lost: tuple[str, ...]


def open_video(path: Path) -> av.container.InputContainer:
    """Open a container, or say what is wrong with it."""
    try:
        return av.open(str(path), metadata_errors="replace")
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
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise VideoError(f"{path} holds a picture in an unknown or damaged coding", "a video", "copy it again")
    return stream


def _read_index(video: VideoFile) -> _Index:
    """Packet times without decoding: cheap, and enough to align, to cut and to notice a short file."""
    with open_video(video.path) as container:
        stream = video_stream(container, video.path)
        shown, keys, broken = _time_stamps(container, stream, raw=video.times_ns is not None)
        expected, size = stream.frames, (stream.width, stream.height)
        codec, extradata, time_base = stream.codec_context.name, stream.codec_context.extradata, stream.time_base
    if not shown or time_base is None:
        raise VideoError(f"{video.path} holds no readable frame", "a video", "copy it again or drop the drive")
    pts, key_pts = np.array(sorted(shown), np.int64), np.array([p for p, _ in sorted(keys)], np.int64)
    key_dts = np.array([d for _, d in sorted(keys)], np.int64)
    if video.times_ns is not None:
        expected = len(video.times_ns)
        t_ns, key_ns = video.times_ns[: pts.size], video.times_ns[key_pts[key_pts < expected]]
    else:
        t_ns, key_ns = (frame_t_ns(p + video.pts_origin, time_base, video.t0_ns) for p in (pts, key_pts))
    if int(t_ns[-1]) - int(t_ns[0]) > LONGEST_NS:
        raise VideoError(
            f"{video.path} spans {(t_ns[-1] - t_ns[0]) / 8.64e13:.0f} days", "a recording", "copy it again"
        )
    lost: tuple[str, ...] = ()
    if broken or expected > pts.size:
        missing = f"{expected - pts.size} of {expected} frames" if expected > pts.size else "its end"
        lost = (f"{video.path.name}: {missing} could not be read{': ' + broken if broken else ''}",)
    elif video.times_ns is not None and pts.size > expected:
        lost = (f"{video.path.name}: {pts.size - expected} of {pts.size} frames have no time",)
    return _Index(size, codec, extradata or b"", time_base, t_ns, key_ns, key_dts, lost)


def _time_stamps(
    container: av.container.InputContainer, stream: VideoStream, raw: bool
) -> tuple[list[int], list[tuple[int, int]], str]:
    """Presentation stamps of the frames shown, (presentation, decoding) stamps of key frames, and what broke off.

    A raw stream has none; its frames are numbered instead.
    """
    shown: list[int] = []
    keys: list[tuple[int, int]] = []
    try:
        for number, packet in enumerate(p for p in container.demux(stream) if p.size):
            pts = number if raw else packet.pts
            if pts is None:
                continue
            if packet.is_keyframe and not packet.is_corrupt:
                keys.append((pts, pts if packet.dts is None else packet.dts))
            if not packet.is_discard:  # decoded on the way, but before the edit list's start
                shown.append(pts)
    except DECODE_ERRORS as error:
        return shown, keys, str(error)
    return shown, keys, ""


def _decoded(container: av.container.InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    try:
        yield from container.decode(stream)
    except DECODE_ERRORS:
        return
