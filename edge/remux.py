"""Copy a stretch of a video without touching its pictures: packets from the key frame before, times kept.

Rules:
- Only the video stream is copied: no audio, no data track, no tag, no user-data SEI.
- Leading frames of an open GOP at the start cannot be decoded without what came before; they lie before the
  window and are dropped. Frames past the window stay only where a frame inside it needs them.
- Presentation time stamps keep the parent's ticks; `pts_origin` says how many were taken off.
- Damaged packets end the copy; what is whole before them is kept.

It copies H.264 and HEVC; `can_copy` says so beforehand. Anything else is encoded once, like images.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias, cast

import av
import numpy as np
from av.video.stream import VideoStream

from edge.camera import DECODE_ERRORS, VideoFile, open_video, video_stream
from edge.errors import VideoError
from edge.sei import Framing, strip_extradata, strip_user_data

VideoPacket: TypeAlias = "av.Packet[VideoStream]"
COPIED = ("h264", "hevc")


def can_copy(video: VideoFile) -> bool:
    return video.codec in COPIED


def copy_stretch(video: VideoFile, start_ns: int, end_ns: int, path: Path) -> VideoFile:
    """Write the frames with start_ns <= t < end_ns, and the pre-roll they need, to `path` (MP4).

    Returns:
        The new file, with the times of the old one and its window set.

    Raises:
        VideoError: no frame lies in the stretch.
    """
    with open_video(video.path) as source:
        stream = video_stream(source, video.path)
        packets = _needed(video, source, stream, start_ns, end_ns)
        if not packets:
            raise VideoError(
                f"{video.path.name} has no whole frame in the window", "at least one", "cut where there is video"
            )
        origin = min(_pts(p) for p in packets)
        _write(path, stream, packets, origin)
    return VideoFile(path, video.t0_ns, video.pts_origin + origin, (start_ns, end_ns))


def _needed(
    video: VideoFile, source: av.container.InputContainer, stream: VideoStream, start_ns: int, end_ns: int
) -> list[VideoPacket]:
    """Packets in decoding order, from the last key frame at or before the window to its last frame."""
    keys = video.key_times
    index = max(0, int(np.searchsorted(keys, start_ns, side="right")) - 1)
    if not keys.size:
        return []
    key_ns = int(keys[index])
    if index:
        source.seek(video.key_dts(index), stream=stream)
    packets: list[VideoPacket] = []
    wanted = 0
    for packet in _whole_packets(source, stream):
        t_ns = video.time_of(_pts(packet), stream.time_base)
        if not packets and t_ns != key_ns:
            continue
        if packet.dts is not None and video.time_of(packet.dts, stream.time_base) >= end_ns:
            break
        if t_ns < key_ns:
            continue
        packets.append(packet)
        if start_ns <= t_ns < end_ns:
            wanted = len(packets)
    return packets[:wanted]


def _whole_packets(source: av.container.InputContainer, stream: VideoStream) -> Iterator[VideoPacket]:
    try:
        for packet in source.demux(stream):
            if packet.size and packet.pts is not None and not packet.is_corrupt:
                yield packet
    except DECODE_ERRORS:
        return


def _write(path: Path, source: VideoStream, packets: list[VideoPacket], origin: int) -> None:
    framing = Framing.of(source.codec_context.name, source.codec_context.extradata)
    assert source.time_base is not None
    options = {
        "movflags": "+faststart",
        "fflags": "+bitexact",
        "video_track_timescale": str(source.time_base.denominator),
    }
    with av.open(str(path), "w", format="mp4", options=options) as target:
        stream = target.add_stream_from_template(source)
        stream.codec_context.extradata = strip_extradata(source.codec_context.extradata, framing)
        stream.time_base = source.time_base
        for packet in packets:
            target.mux(_packet(packet, stream, framing, origin))


def _packet(packet: VideoPacket, stream: VideoStream, framing: Framing, origin: int) -> VideoPacket:
    copied = cast("VideoPacket", av.Packet(strip_user_data(bytes(packet), framing)))
    copied.stream = stream
    copied.time_base = packet.time_base
    copied.pts = _pts(packet) - origin
    copied.dts = None if packet.dts is None else packet.dts - origin
    copied.duration = packet.duration
    copied.is_keyframe = packet.is_keyframe
    return copied


def _pts(packet: VideoPacket) -> int:
    assert packet.pts is not None
    return packet.pts
