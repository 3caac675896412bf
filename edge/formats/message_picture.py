"""Messages that hold a picture, taken apart: when it was taken, how it is compressed, where its bytes lie.

Only the fields that matter are looked for, which needs neither the message's definition nor a copy of its picture, but
is right for the types in `PICTURES` alone: sensor_msgs/msg/CompressedImage, foxglove.CompressedImage and
foxglove.CompressedVideo, in protobuf or as foxglove_msgs/msg/... in CDR.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

INTRA = ("mjpeg", "png")
KEY_UNITS = {"h264": {5, 7}, "hevc": {16, 17, 18, 19, 20, 21, 32, 33}}
"""Unit types with which decoding can begin: key frames, and the parameter sets sent before them."""
PICTURES: dict[str, Callable[[bytes], tuple[int, str, int, int]]] = {
    "sensor_msgs/msg/CompressedImage": lambda data: _cdr_picture(data, format_first=True),
    "foxglove_msgs/msg/CompressedImage": lambda data: _cdr_picture(data, format_first=False),
    "foxglove_msgs/msg/CompressedVideo": lambda data: _cdr_picture(data, format_first=False),
    "foxglove.CompressedImage": lambda data: _protobuf_picture(data, content=2, form=3),
    "foxglove.CompressedVideo": lambda data: _protobuf_picture(data, content=3, form=4),
}
"""Message type to what takes it apart: its own time in ns, its format, where the picture starts and ends."""


def _cdr_picture(data: bytes, format_first: bool) -> tuple[int, str, int, int]:
    order = "<" if data[1] & 1 else ">"
    seconds, nanoseconds = struct.unpack_from(f"{order}iI", data, 4)
    spans: list[tuple[int, int]] = []
    at = 12
    for _ in range(3):  # strings and bytes are a length and their content, on a multiple of four
        at += -at % 4
        (length,) = struct.unpack_from(f"{order}I", data, at)
        spans.append((at + 4, at + 4 + length))
        at += 4 + length
    if at > len(data):
        raise ValueError("the message is short")
    form, content = (spans[1], spans[2]) if format_first else (spans[2], spans[1])
    return seconds * 1_000_000_000 + nanoseconds, data[slice(*form)].rstrip(b"\0").decode(), *content


def _protobuf_picture(data: bytes, content: int, form: int) -> tuple[int, str, int, int]:
    spans = {number: value for number, value in _protobuf(data, 0, len(data)) if isinstance(value, tuple)}
    stamp = dict(_protobuf(data, *spans[1])) if 1 in spans else {}
    seconds, nanoseconds = (v if isinstance(v := stamp.get(number, 0), int) else 0 for number in (1, 2))
    start, end = spans.get(content, (0, 0))
    name = data[slice(*spans[form])].decode() if form in spans else ""
    return seconds * 1_000_000_000 + nanoseconds, name, start, end


def _protobuf(data: bytes, at: int, end: int) -> Iterator[tuple[int, int | tuple[int, int]]]:
    """Fields of a protobuf message: number, and an integer or where its bytes lie."""
    while at < end:
        key, at = _varint(data, at)
        if key & 7 == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if key & 7 == 2:
            length, at = _varint(data, at)
        else:
            length = {1: 8, 5: 4}[key & 7]
        if at + length > end:
            raise ValueError("the message is short")
        if key & 7 == 2:
            yield key >> 3, (at, at + length)
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
    raise ValueError("a number without end")


def codec_of(form: str, content: bytes) -> str:
    """FFmpeg's name of what a picture is compressed with; "" where it is not one that is read."""
    form = form.lower()
    if "depth" in form or form.startswith(("16uc", "32fc")):
        return ""
    for codec, names in (("h264", ("h264", "h.264")), ("hevc", ("h265", "h.265", "hevc")), ("mjpeg", ("jpeg", "jpg"))):
        if any(name in form for name in names):
            return codec
    return "mjpeg" if content[:2] == b"\xff\xd8" else "png" if content[:4] == b"\x89PNG" else ""


def is_key(codec: str, content: bytes) -> bool:
    """Can decoding begin here? Looks at the first slice, before which parameter sets stand."""
    if codec in INTRA:
        return True
    starts = (match.end() for match in re.finditer(rb"\x00\x00\x01", content[:4096]))
    shift, mask = (0, 31) if codec == "h264" else (1, 63)
    return any(content[at] >> shift & mask in KEY_UNITS[codec] for at in starts if at < len(content))
