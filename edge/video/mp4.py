"""An MP4 of one video track, every frame of which is shown by the players that read it.

An edit list says where the track begins and ends. Players stop at the second key frame that reaches beyond its end,
and take a frame to last as long as it takes until the next one is decoded: with B-frames and an uneven clock, a pause
shortly before the end makes key frames seem to last beyond it, and what comes after them is dropped. So the last frame
is said to last long enough, and a millisecond at least, in which edit lists count.
"""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import av
from av.video.stream import VideoStream


class Mp4Track:
    """A file to which packets are added in decoding order; it is whole once it is closed, and the same every time.

    Attributes:
        container: where the stream is made, before the first packet.

    Args:
        time_base: seconds a tick, 1 / a whole number; the file keeps it.
    """

    def __init__(self, path: Path, time_base: Fraction) -> None:
        muxing = {"movflags": "+faststart", "fflags": "+bitexact", "video_track_timescale": str(time_base.denominator)}
        self.container = av.open(str(path), "w", format="mp4", options=muxing)
        self._held: av.Packet[VideoStream] | None = None
        self._reach, self._least = 0, math.ceil(Fraction(1, 1000) / time_base)

    def mux(self, packet: av.Packet[VideoStream]) -> None:
        """Add a packet with both its stamps, in ticks of the track's time base."""
        held = self._held
        if held is not None:
            if held.is_keyframe:
                self._reach = max(self._reach, _ticks(held.pts) + _ticks(packet.dts) - _ticks(held.dts))
            self.container.mux(held)
        self._held = packet

    def close(self) -> None:
        try:
            if self._held is not None:
                last = _ticks(self._held.pts)
                self._held.duration = max(self._held.duration or 0, self._reach - last + self._least, self._least)
                self.container.mux(self._held)
        finally:
            self.container.close()


def _ticks(stamp: int | None) -> int:
    if stamp is None:
        raise ValueError("a packet without a time stamp cannot be placed in a file")
    return stamp
