"""Packets of a video stream in decoding order, each with a word on whether its picture can be whole.

A picture is not whole where its own packet is damaged, or one that it builds on: after damage nothing is believed until
the next key frame, nor the pictures that are shown before that one. What the container marks as damaged counts, and
what no encoder writes (`edge.video.sei.is_whole`); a flipped bit within a slice is seen by neither.

A raw stream holds no times: its packets are stamped with their numbers, and since damage can swallow a packet, no
number after it is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import av
from av.video.stream import VideoStream

from edge.video.sei import Framing, has_zeros, is_whole

VideoPacket: TypeAlias = "av.Packet[VideoStream]"
KNOWN = ("h264", "hevc")
JPEG = b"\xff\xd8"


def lacks_times(container: av.container.InputContainer, stream: VideoStream) -> bool:
    """An AVI holds no times of display; with B-frames FFmpeg makes up wrong ones for H.264 and HEVC."""
    context = stream.codec_context
    return container.format.name == "avi" and context.name in KNOWN and context.has_b_frames


def believed(
    container: av.container.InputContainer, stream: VideoStream, raw: bool
) -> Iterator[tuple[VideoPacket, bool]]:
    """All packets from where the container stands; raises what PyAV raises where it breaks off."""
    codec = stream.codec_context.name
    framing = Framing.of(codec, stream.codec_context.extradata) if codec in KNOWN else None
    broken, first_pts = False, -(1 << 62)
    for number, packet in enumerate(p for p in container.demux(stream) if p.size):
        if raw:
            packet.pts = packet.dts = number
        if packet.is_corrupt or _is_damaged(memoryview(packet), codec, framing):
            broken = True
        elif broken and packet.is_keyframe and packet.pts is not None and not raw:
            broken, first_pts = False, packet.pts
        yield packet, not broken and (packet.pts is None or packet.pts >= first_pts)


def _is_damaged(packet: memoryview, codec: str, framing: Framing | None) -> bool:
    if framing is not None:
        return not is_whole(packet, framing)
    return codec == "mjpeg" and (packet[:2] != JPEG or has_zeros(packet))
