"""Take user data out of compressed video, and leave everything a decoder needs.

Cameras hide facts in SEI messages: Tesla's dashcam writes speed and position into every frame. Of all SEI only
recovery points stay, which let a decoder start at an open GOP, and only at their proper length: a damaged size must not
carry a position along under another name.

Covers H.264 and HEVC, with length prefixes (MP4) or start codes (raw streams, MPEG-TS). Nothing is decoded.
ITU-T H.264 7.3.2.3 and annex D; H.265 7.3.2.4 and annex D; ISO/IEC 14496-15 for the length-prefixed form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from edge.errors import VideoError

RECOVERY_POINT, RECOVERY_POINT_BYTES = 6, 8
"""The message that stays, and the longest it can be with its header (three Exp-Golomb codes and flags)."""
LOST_BYTES = 128
"""So many zeros in a unit are a block that the disk lost, which has 512 bytes or more; padding is a few bytes long."""
H264_SEI = 6
_SEI = {"h264": (H264_SEI,), "hevc": (39, 40)}
_SLICES = {"h264": range(1, 6), "hevc": range(32)}
"""Types of units (nal_unit_type)."""
_START_CODE = re.compile(rb"\x00\x00\x00?\x01")
_ESCAPE = re.compile(rb"\x00\x00\x03(?=[\x00-\x03]|$)")


@dataclass(frozen=True)
class Framing:
    """How NAL units stand in a packet: codec "h264" or "hevc"; bytes of the length prefix, 0 = start codes."""

    codec: str
    length_bytes: int

    @staticmethod
    def of(codec: str, extradata: bytes | None) -> Framing:
        """From the codec's private data: avcC and hvcC begin with 1 and hold the prefix's size."""
        data = extradata or b""
        if codec == "h264" and len(data) > 4 and data[0] == 1:
            return Framing(codec, (data[4] & 3) + 1)
        if codec == "hevc" and len(data) > 21 and data[0] == 1:
            return Framing(codec, (data[21] & 3) + 1)
        return Framing(codec, 0)


def strip_user_data(packet: bytes, framing: Framing) -> bytes:
    """The packet without SEI messages but recovery points; the very same bytes where it holds no others.

    Raises:
        VideoError: the packet is not framed as `framing` says, so that what it holds cannot be told.
    """
    if framing.length_bytes == 0 and not packet.lstrip(b"\0").startswith(b"\x01"):
        raise VideoError("a packet without a start code", "H.264 or HEVC as its header says", "drop the drive's video")
    units = list(units_of(packet, framing))
    kept = [clean_unit(unit, framing) for unit in units]
    if kept == units:
        return packet
    return b"".join(_framed(unit, framing) for unit in kept if unit)


def strip_extradata(extradata: bytes | None, framing: Framing) -> bytes | None:
    """Codec private data without such messages; x265 and some cameras put it there too."""
    if not extradata:
        return extradata
    if framing.length_bytes == 0:
        return strip_user_data(extradata, framing)
    return _strip_hvcc(extradata, framing) if framing.codec == "hevc" else extradata


def _strip_hvcc(data: bytes, framing: Framing) -> bytes:
    """hvcC: 22 bytes, a count of arrays, each (type, count, (length, NAL)...)."""
    arrays, at = [], 23
    for _ in range(data[22]):
        head, count = data[at : at + 1], int.from_bytes(data[at + 1 : at + 3], "big")
        at += 3
        units = []
        for _ in range(count):
            size = int.from_bytes(data[at : at + 2], "big")
            units.append(clean_unit(data[at + 2 : at + 2 + size], framing))
            at += 2 + size
        kept = [u for u in units if u]
        if kept:
            body = b"".join(len(u).to_bytes(2, "big") + u for u in kept)
            arrays.append(head + len(kept).to_bytes(2, "big") + body)
    return data[:22] + bytes([len(arrays)]) + b"".join(arrays)


def is_whole(packet: memoryview, framing: Framing) -> bool:
    """False where no encoder can have written the packet: its units do not fill it, hold a stretch of zeros, or none
    of them is a slice.

    A unit never holds three zeros in a row (7.4.1 of both standards), so a stretch is a block that the disk lost; of
    SEI that is not asked, since dashcams put bytes of their own there. Damage to other bytes of a slice is not seen.
    """
    sliced = False
    for begin, end in _spans(packet, framing):
        if not begin < end <= len(packet):
            return False
        kind = _kind(packet[begin], framing)
        if kind not in _SEI[framing.codec] and has_zeros(packet[begin:end]):
            return False
        sliced = sliced or (kind in _SLICES[framing.codec] and packet[begin] < 0x80)
    return sliced


def has_zeros(unit: memoryview) -> bool:
    """Whether it holds a stretch of zeros. A few bytes are looked at first: reading all of them would take longer than
    finding the packets."""
    return b"\0\0" in bytes(unit[:: LOST_BYTES // 2]) and bytes(LOST_BYTES) in bytes(unit)


def units_of(packet: bytes, framing: Framing) -> Iterator[bytes]:
    return (packet[begin:end] for begin, end in _spans(packet, framing))


def _spans(packet: bytes | memoryview, framing: Framing) -> Iterator[tuple[int, int]]:
    """Where each unit begins and ends, which is past the packet's end where the packet breaks off."""
    if framing.length_bytes == 0:
        marks = list(_START_CODE.finditer(packet))
        ends = [*(m.start() for m in marks[1:]), len(packet)]
        yield from ((m.end(), end) for m, end in zip(marks, ends, strict=False))  # none, where there is no mark
        return
    at = 0
    while at < len(packet):
        begin = at + framing.length_bytes
        at = begin + int.from_bytes(packet[at:begin], "big")
        yield begin, at


def _framed(unit: bytes, framing: Framing) -> bytes:
    prefix = len(unit).to_bytes(framing.length_bytes, "big") if framing.length_bytes else b"\x00\x00\x00\x01"
    return prefix + unit


def clean_unit(unit: bytes, framing: Framing) -> bytes:
    """The unit; of an SEI unit only its recovery points, and nothing where it has none."""
    header = 1 if framing.codec == "h264" else 2
    if len(unit) <= header or not _is_sei(unit, framing):
        return unit
    messages = list(_messages(unescaped(unit[header:])))
    kept = [body for kind, body in messages if kind == RECOVERY_POINT and len(body) <= RECOVERY_POINT_BYTES]
    if len(kept) == len(messages):
        return unit
    return unit[:header] + _escaped(b"".join(kept) + b"\x80") if kept else b""


def unescaped(payload: bytes) -> bytes:
    """Without emulation prevention: 00 00 03 is 00 00."""
    return _ESCAPE.sub(b"\x00\x00", payload)


def _is_sei(unit: bytes, framing: Framing) -> bool:
    return _kind(unit[0], framing) in _SEI[framing.codec]


def _kind(header: int, framing: Framing) -> int:
    """nal_unit_type, whatever the bit before it, which must be 0."""
    return header & 0x1F if framing.codec == "h264" else header >> 1 & 0x3F


def _messages(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, whole message with its header); a message that runs past the end is of type -1."""
    at = 0
    while at < len(payload) and payload[at:] != b"\x80":
        start, numbers = at, []
        for _ in range(2):
            number = 0
            while at < len(payload) and payload[at] == 0xFF:
                number, at = number + 255, at + 1
            number, at = number + (payload[at] if at < len(payload) else 0), at + 1
            numbers.append(number)
        kind, size = numbers
        yield (kind, payload[start : at + size]) if at + size <= len(payload) else (-1, b"")
        at += size


def _escaped(payload: bytes) -> bytes:
    """Put emulation prevention back: 00 00 followed by 00..03 gets a 03 between."""
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", payload)
