"""What a Tesla dashcam writes beside every picture: speed, pedals, wheel and position, in an SEI message.

A unit of type 6 whose first message is of type 5 (unregistered user data), its size, one or more 0x42, 0x69, then a
protobuf message, then one byte of trailing bits. It belongs to the next slice. The size is not relied upon: Tesla's own
reader takes everything but the last byte. Field numbers are those of `dashcam.proto` (teslamotors/dashcam); proto3
leaves out what is 0, so an absent field is 0. Other SEI (x264's banner, recovery points) is passed over.

Bytes in, numbers out: what the numbers mean, and which of them can be believed, is decided in
`edge.formats.tesla_evidence`. Covers H.264 with length prefixes, as in MP4; in HEVC no such message is known.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from edge.errors import VideoError
from edge.video.camera import DECODE_ERRORS, open_video, video_stream
from edge.video.frame_clock import one_frame_t_ns
from edge.video.packets import believed
from edge.video.sei import H264_SEI, Framing, unescaped, units_of
from trigger.telemetry import Times, Values

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
FIELDS: dict[int, tuple[str, int]] = {
    1: ("version", VARINT),
    2: ("gear", VARINT),
    3: ("frame_seq_no", VARINT),
    4: ("vehicle_speed_mps", FIXED32),
    5: ("accelerator_pedal_position", FIXED32),
    6: ("steering_wheel_angle", FIXED32),
    7: ("blinker_on_left", VARINT),
    8: ("blinker_on_right", VARINT),
    9: ("brake_applied", VARINT),
    10: ("autopilot_state", VARINT),
    11: ("latitude_deg", FIXED64),
    12: ("longitude_deg", FIXED64),
    13: ("heading_deg", FIXED64),
    14: ("linear_acceleration_mps2_x", FIXED64),
    15: ("linear_acceleration_mps2_y", FIXED64),
    16: ("linear_acceleration_mps2_z", FIXED64),
}
NAMES = tuple(name for name, _ in FIELDS.values())
SLICES = (1, 5)
MAX_FILE_NS = 600_000_000_000
"""A file lasts about a minute; where its frames lie further apart than this, its time stamps are damaged."""
_MARK = re.compile(rb".\x05\xff*.\x42+\x69", re.DOTALL)
_MAX_VARINT_BYTES = 10


@dataclass(frozen=True)
class SeiTrack:
    """One file's frames, and what its SEI says of them.

    Attributes:
        frame_ns: (N,) int64 ns from the file's time stamp 0, increasing.
        frame: (M,) int64, which of these frames each sample belongs to, increasing.
        values: field name (see `NAMES`) to (M,) float64 as recorded; every field, or none where M is 0.
        damaged: messages that begin like Tesla's and cannot be read.
    """

    frame_ns: Times
    frame: Times
    values: Mapping[str, Values]
    damaged: int

    @property
    def t_ns(self) -> Times:
        """Times of the samples, (M,) int64 ns from the file's time stamp 0."""
        return self.frame_ns[self.frame]


def read_track(path: Path) -> SeiTrack:
    """Read one file's packets, without decoding pictures; damage ends it early.

    Raises:
        VideoError: the file cannot be opened, holds no frame, or lasts longer than `MAX_FILE_NS`.
    """
    with open_video(path) as container:
        stream = video_stream(container, path)
        framing = Framing.of(stream.codec_context.name, stream.codec_context.extradata)
        paired = list(pair(_packets(container, stream), framing))
    if not paired:
        raise VideoError(f"{path} holds no readable frame", "a video", "copy it again or drop that minute")
    span_ns = max(t_ns for t_ns, _ in paired) - min(t_ns for t_ns, _ in paired)
    if span_ns > MAX_FILE_NS:
        raise VideoError(
            f"{path}: its frames span {span_ns / 1e9:.0f} s",
            f"at most {MAX_FILE_NS // 1_000_000_000}",
            "copy it again or drop that minute",
        )
    return _track(paired)


def _packets(container: av.container.InputContainer, stream: VideoStream) -> Iterator[tuple[bytes, int]]:
    """All packets with their times; what a damaged one says of the car can be whole where its picture is not."""
    with suppress(*DECODE_ERRORS):
        for packet, _ in believed(container, stream, raw=False):
            if packet.pts is not None and stream.time_base is not None:
                yield bytes(packet), one_frame_t_ns(packet.pts, stream.time_base, 0)


def pair(packets: Iterable[tuple[bytes, int]], framing: Framing) -> Iterator[tuple[int, bytes | None]]:
    """Each packet's time with the message that stood before its slice, None where there was none."""
    readable = framing.codec == "h264" and framing.length_bytes > 0
    waiting: bytes | None = None
    for packet, t_ns in packets:
        found: bytes | None = None
        for unit in units_of(packet, framing) if readable else ():
            if unit and unit[0] & 0x1F in SLICES:
                found, waiting = waiting if found is None else found, None
            else:
                message = message_of(unit)
                waiting = waiting if message is None else message
        yield t_ns, found


def message_of(unit: bytes) -> bytes | None:
    """The protobuf message of a Tesla SEI unit; None for any other unit."""
    if len(unit) < 2 or unit[0] & 0x1F != H264_SEI or unit[1] != 5:
        return None
    plain = unescaped(unit)
    mark = _MARK.match(plain)
    return plain[mark.end() : -1] if mark else None


def decode(message: bytes) -> dict[str, float] | None:
    """Every field by name, 0 where it is absent; None where the bytes are not such a message.

    Fields of other numbers are passed over. Numbers are as recorded: they may be infinite or NaN.
    """
    values = dict.fromkeys(NAMES, 0.0)
    at = 0
    try:
        while at < len(message):
            key, at = _varint(message, at)
            value, at = _value(message, at, key & 7)
            name, kind = FIELDS.get(key >> 3, ("", key & 7))
            if kind != key & 7 or key >> 3 == 0:
                return None
            if name:
                values[name] = value
    except (IndexError, struct.error):
        return None
    return values if message else None


def _value(data: bytes, at: int, kind: int) -> tuple[float, int]:
    if kind == VARINT:
        number, at = _varint(data, at)
        return float(number), at
    if kind == FIXED64:
        return struct.unpack_from("<d", data, at)[0], at + 8
    if kind == FIXED32:
        return struct.unpack_from("<f", data, at)[0], at + 4
    if kind == LENGTH:
        size, at = _varint(data, at)
        if at + size <= len(data):
            return 0.0, at + size
    raise IndexError(f"wire type {kind} at byte {at}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for position in range(_MAX_VARINT_BYTES):
        byte = data[at + position]
        number |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            return number & 0xFFFF_FFFF_FFFF_FFFF, at + position + 1
    raise IndexError(f"a varint of more than {_MAX_VARINT_BYTES} bytes")


def _track(paired: list[tuple[int, bytes | None]]) -> SeiTrack:
    """Frames in the order of display, and the samples of those that have one."""
    paired = sorted(paired, key=lambda entry: entry[0])
    messages = [(number, message) for number, (_, message) in enumerate(paired) if message is not None]
    decoded = [(number, values) for number, message in messages if (values := decode(message)) is not None]
    return SeiTrack(
        frame_ns=np.array([t_ns for t_ns, _ in paired], np.int64),
        frame=np.array([number for number, _ in decoded], np.int64),
        values={name: np.array([values[name] for _, values in decoded]) for name in NAMES} if decoded else {},
        damaged=len(messages) - len(decoded),
    )
