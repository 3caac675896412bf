"""A camera of a drive, and the one that wrote a video file.

Every camera answers the same three questions: how large is the picture, when was each frame taken, and what does it
show between two times. Times are on the drive's clock; frames come in the order of display.

Frames that are damaged, and those that build on them, are left out and counted in `lost` (see `edge.video.packets`). A
file is indexed without decoding it, so damage that only a decoder sees ends in frames that are neither shown nor
counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from edge.errors import VideoError
from edge.video.frame_clock import frame_t_ns, one_frame_t_ns
from edge.video.packets import VideoPacket, believed, lacks_times
from edge.video.transport import transport_damage
from trigger.telemetry import Times

LONGEST_NS = 7 * 86_400 * 1_000_000_000
"""A recording that claims to be longer than a week has a damaged clock."""
SEEKS_BY_PTS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
"""Containers that are sought by presentation time; a key frame's decoding time, which is less, finds the one before."""
DECODE_ERRORS = (av.FFmpegError, IndexError, UnicodeDecodeError, ValueError, EOFError)
"""What PyAV has been seen to raise on damaged files."""


class Camera(Protocol):
    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    @property
    def lost(self) -> tuple[str, ...]:
        """What could not be read, in words; empty when all is well."""

    @property
    def key_times(self) -> Times:
        """Times of the frames at which decoding can begin, (K,) int64 ns, increasing."""

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
            for frame in _decoded(stream, (packet for packet, _ in self.packets(container, stream))):
                t_ns = self._time_of(frame.pts, stream)
                if t_ns is None:
                    continue
                if t_ns >= high:
                    return
                if t_ns >= low:
                    yield t_ns, frame

    def packets(self, container: av.container.InputContainer, stream: VideoStream) -> Iterator[tuple[VideoPacket, int]]:
        """Whole packets in decoding order, each with its frame's time."""
        try:
            for packet, whole in believed(container, stream, raw=self.times_ns is not None):
                t_ns = self._time_of(packet.pts, stream)
                if whole and t_ns is not None:
                    yield packet, t_ns
        except DECODE_ERRORS:
            return

    def seek(self, container: av.container.InputContainer, stream: VideoStream, t_ns: int, begun: bool = False) -> None:
        """Go to the last key frame at or before `t_ns`; a raw stream is read from its beginning.

        Args:
            begun: whether something of the container was read before.
        """
        before = int(np.searchsorted(self._index.key_ns, t_ns, side="right")) - 1
        if before >= (0 if begun else 1) and self.times_ns is None:
            container.seek(int(self._index.key_seek[before]), stream=stream)

    def _time_of(self, pts: int | None, stream: VideoStream) -> int | None:
        if pts is None or stream.time_base is None:
            return None
        if self.times_ns is not None:
            return int(self.times_ns[pts]) if pts < len(self.times_ns) else None
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
class _Index:
    size: tuple[int, int]
    codec: str
    extradata: bytes
    time_base: Fraction
    t_ns: Times
    key_ns: Times
    key_seek: Times
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
        if lacks_times(container, stream):
            raise VideoError(
                f"{video.path} is an AVI whose frames are stored out of order",
                "a container that holds their times, or no B-frames",
                f"encode it again, for example: ffmpeg -i {video.path.name} {video.path.stem}.mp4",
            )
        found = _time_stamps(container, stream, raw=video.times_ns is not None)
        torn = transport_damage(video.path) if container.format.name == "mpegts" else ""
        expected, size = stream.frames, (stream.width, stream.height)
        codec, extradata, time_base = stream.codec_context.name, stream.codec_context.extradata, stream.time_base
        by_pts = container.format.name in SEEKS_BY_PTS
    if not found.shown or time_base is None:
        raise VideoError(f"{video.path} holds no readable frame", "a video", "copy it again or drop the drive")
    pts, key_pts = np.array(sorted(found.shown), np.int64), np.array([p for p, _ in sorted(found.keys)], np.int64)
    key_seek = key_pts if by_pts else np.array([d for _, d in sorted(found.keys)], np.int64)
    if video.times_ns is not None:
        expected = len(video.times_ns)
        t_ns, key_ns = video.times_ns[: pts.size], video.times_ns[key_pts[key_pts < expected]]
    else:
        t_ns, key_ns = (frame_t_ns(p + video.pts_origin, time_base, video.t0_ns) for p in (pts, key_pts))
    if int(t_ns[-1]) - int(t_ns[0]) > LONGEST_NS:
        raise VideoError(
            f"{video.path} spans {(t_ns[-1] - t_ns[0]) / 8.64e13:.0f} days", "a recording", "copy it again"
        )
    said = (*found.lost(expected, video.times_ns is not None), *((torn,) if torn else ()))
    lost = tuple(f"{video.path.name}: {line}" for line in said)
    return _Index(size, codec, extradata or b"", time_base, t_ns, key_ns, key_seek, lost)


@dataclass
class _Stamps:
    """Presentation stamps of the frames shown, (presentation, decoding) stamps of key frames, and what is wrong."""

    shown: list[int] = field(default_factory=list)
    keys: list[tuple[int, int]] = field(default_factory=list)
    damaged: int = 0
    broken: str = ""

    def lost(self, expected: int, raw: bool) -> Iterator[str]:
        """In words; `expected` is the number of frames there should be, 0 where that is not known."""
        total = len(self.shown) + self.damaged
        if self.broken or expected > total:
            missing = f"{expected - total} of {expected} frames" if expected > total else "its end"
            yield f"{missing} could not be read{': ' + self.broken if self.broken else ''}"
        elif raw and total > expected:
            yield f"{total - expected} of {total} frames have no time"
        if self.damaged:
            yield f"{self.damaged} of {total} frames are damaged, or build on damaged ones"


def _time_stamps(container: av.container.InputContainer, stream: VideoStream, raw: bool) -> _Stamps:
    found = _Stamps()
    try:
        for packet, whole in believed(container, stream, raw):
            if packet.pts is None:
                continue
            if whole and packet.is_keyframe:
                found.keys.append((packet.pts, packet.pts if packet.dts is None else packet.dts))
            if packet.is_discard:  # decoded on the way, but before the edit list's start
                continue
            if whole:
                found.shown.append(packet.pts)
            else:
                found.damaged += 1
    except DECODE_ERRORS as error:
        found.broken = str(error)
    return found


def _decoded(stream: VideoStream, packets: Iterator[VideoPacket]) -> Iterator[VideoFrame]:
    """Frames in order of display. A packet that cannot be decoded costs what builds on it, up to the next key frame."""
    broken = False
    for packet in packets:
        broken = broken and not packet.is_keyframe
        if broken:
            continue
        try:
            frames = stream.decode(packet)
        except DECODE_ERRORS:
            broken, frames = True, []
        yield from frames
    with suppress(*DECODE_ERRORS):
        yield from stream.decode(None)
