"""Packets of a video stream in decoding order, each with a word on whether its picture can be whole.

A picture is not whole where its own packet is damaged, or one that it builds on: after damage nothing is believed until
the next key frame, nor the pictures that are shown before that one. What the container marks as damaged counts, and
what no encoder writes (`edge.sei.is_whole`); a flipped bit within a slice is seen by neither.

A raw stream holds no times: its packets are stamped with their numbers, and since damage can swallow a packet, no
number after it is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import av
from av.video.stream import VideoStream

from edge.sei import Framing, is_whole

VideoPacket: TypeAlias = "av.Packet[VideoStream]"
KNOWN = ("h264", "hevc")


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
        damaged = packet.is_corrupt or (framing is not None and not is_whole(memoryview(packet), framing))
        if damaged:
            broken = True
        elif broken and packet.is_keyframe and packet.pts is not None and not raw:
            broken, first_pts = False, packet.pts
        yield packet, not broken and (packet.pts is None or packet.pts >= first_pts)
