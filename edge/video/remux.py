"""Copy a stretch of a video without touching its pictures: packets from the key frame before, times kept.

Rules:
- Only the video stream is copied: no audio, no data track, no tag, no user-data SEI.
- Leading frames of an open GOP at the start cannot be decoded without what came before; they lie before the
  window and are dropped. Frames past the window stay only where a frame inside it needs them.
- Presentation time stamps keep the source's ticks; `pts_origin` says how many were taken off. Where a window
  crosses from one file to the next, the second one's times are exact to half a tick of the first's clock.
- Damaged packets and those that build on them are left out (`edge.video.packets`).

It copies H.264 and HEVC; `can_copy` says so beforehand. Anything else is encoded once, like images.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeGuard

import av
import numpy as np
from av.video.stream import VideoStream

from edge.errors import VideoError
from edge.video.camera import Camera, VideoFile, open_video, video_stream
from edge.video.joined import JoinedVideo
from edge.video.mp4 import Mp4Track
from edge.video.sei import Framing, strip_extradata, strip_user_data

COPIED = ("h264", "hevc")
RAW_TIME_BASE = Fraction(1, 1_000_000)


def can_copy(camera: Camera) -> TypeGuard[VideoFile | JoinedVideo]:
    parts = camera.parts if isinstance(camera, JoinedVideo) else (camera,)
    if not all(isinstance(part, VideoFile) and part.codec in COPIED for part in parts):
        return False
    return len({(part.codec, part.size, part.extradata) for part in parts if isinstance(part, VideoFile)}) == 1


def copy_stretch(video: VideoFile | JoinedVideo, start_ns: int, end_ns: int, path: Path) -> VideoFile:
    """Write the frames with start_ns <= t < end_ns, and the pre-roll they need, to `path` (MP4).

    Returns:
        The new file, with the times of the old one and its window set.

    Raises:
        VideoError: no frame lies in the stretch.
    """
    files = video.between(start_ns, end_ns) if isinstance(video, JoinedVideo) else [video]
    if not files:
        raise _nothing()
    clock, window_ns = _clock(files[0]), (start_ns, end_ns)
    with open_video(files[0].path) as container:
        stream = video_stream(container, files[0].path)
        packets = _needed(files[0], container, stream, window_ns, clock)
        for file in files[1:]:
            with open_video(file.path) as further:
                packets += _needed(file, further, video_stream(further, file.path), window_ns, clock)
        if not packets:
            raise _nothing()
        origin = min(packet.pts for packet in packets)
        _write(path, stream, packets, clock.time_base, origin)
    return VideoFile(path, clock.t0_ns, clock.pts_origin + origin, window_ns)


def _nothing() -> VideoError:
    return VideoError("a video has no whole frame in the window", "at least one", "cut where there is video")


@dataclass(frozen=True)
class _Clock:
    """The clock a copy is told in: that of its first file."""

    time_base: Fraction
    t0_ns: int
    pts_origin: int

    def pts(self, t_ns: int) -> int:
        """The tick nearest to a time; exact for times that were made from ticks of this clock."""
        ticks = (t_ns - self.t0_ns) * self.time_base.denominator
        per_tick = self.time_base.numerator * 1_000_000_000
        return (2 * ticks + per_tick) // (2 * per_tick) - self.pts_origin


@dataclass(frozen=True)
class _Copied:
    data: bytes
    pts: int
    duration: int
    is_keyframe: bool


def _clock(file: VideoFile) -> _Clock:
    if file.times_ns is not None:
        return _Clock(RAW_TIME_BASE, int(file.times_ns[0]), 0)
    return _Clock(file.time_base, file.t0_ns, file.pts_origin)


def _needed(
    file: VideoFile,
    container: av.container.InputContainer,
    stream: VideoStream,
    window_ns: tuple[int, int],
    clock: _Clock,
) -> list[_Copied]:
    """Packets in decoding order, from the last key frame at or before the window to its last frame."""
    start_ns, end_ns = window_ns
    keys = file.key_times
    if not keys.size:
        return []
    key_ns = int(keys[max(0, int(np.searchsorted(keys, start_ns, side="right")) - 1)])
    copied: list[_Copied] = []
    missing = int(np.diff(np.searchsorted(file.frame_times(), window_ns))[0])
    wanted = 0
    framing = Framing.of(stream.codec_context.name, stream.codec_context.extradata)
    ticks = float(file.time_base / clock.time_base)
    file.seek(container, stream, key_ns)
    for packet, t_ns in file.packets(container, stream):
        if (not copied and t_ns != key_ns) or t_ns < key_ns:
            continue
        duration = round((packet.duration or 0) * ticks)
        data = strip_user_data(bytes(packet), framing)
        copied.append(_Copied(data, clock.pts(t_ns), duration, packet.is_keyframe))
        if start_ns <= t_ns < end_ns:
            wanted, missing = len(copied), missing - 1
        if missing == 0:
            break
    return copied[:wanted]


def _write(path: Path, template: VideoStream, packets: Sequence[_Copied], time_base: Fraction, origin: int) -> None:
    try:
        with closing(Mp4Track(path, time_base)) as target:
            stream = target.container.add_stream_from_template(template)
            framing = Framing.of(template.codec_context.name, template.codec_context.extradata)
            stream.codec_context.extradata = strip_extradata(template.codec_context.extradata, framing)
            stream.time_base = time_base
            for packet, dts in zip(packets, _decoding_times([p.pts - origin for p in packets]), strict=True):
                target.mux(_packet(packet, stream, time_base, packet.pts - origin, dts))
    except av.FFmpegError as error:
        raise VideoError(
            f"a video cannot be copied: {error}", "frames with times of their own", "drop the drive"
        ) from error


def _decoding_times(pts: list[int]) -> list[int]:
    """Increasing decoding stamps, none after its frame's presentation: the presentation stamps in order, shifted.

    Made anew because some containers leave them out and two files' need not follow on.
    """
    ordered = sorted(pts)
    delay = max(o - p for o, p in zip(ordered, pts, strict=True))
    return [o - delay for o in ordered]


def _packet(copied: _Copied, stream: VideoStream, time_base: Fraction, pts: int, dts: int) -> av.Packet[VideoStream]:
    packet = av.Packet(copied.data)
    packet.stream, packet.time_base = stream, time_base
    packet.pts, packet.dts = pts, dts
    packet.duration, packet.is_keyframe = copied.duration, copied.is_keyframe
    return packet  # type: ignore[return-value]
