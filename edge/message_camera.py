"""Cameras whose pictures lie in messages, decoded from the recording when they are asked for.

Covers sensor_msgs/msg/CompressedImage (JPEG, PNG; H.264 or H.265 where its format says so), foxglove.CompressedImage
and foxglove.CompressedVideo (H.264, H.265 in Annex B, one frame a message, no B-frames), in protobuf or as
foxglove_msgs/msg/... in CDR. Only the two fields that matter are looked for in a message, which needs neither its
definition nor a copy of its picture, but is right for these types alone.

Not covered: raw images, depth, other video codecs. Pictures are never copied into a cut: it encodes them again.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import compress, count

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from edge.bag import Bag
from edge.camera import DECODE_ERRORS, Camera
from edge.errors import VideoError
from edge.message import DAMAGE, Clocked, Message, Place
from trigger.telemetry import Times

NANOSECOND = Fraction(1, 1_000_000_000)
INTRA = ("mjpeg", "png")
KEY_UNITS = {"h264": {5, 7}, "hevc": {16, 17, 18, 19, 20, 21, 32, 33}}
"""Unit types with which decoding can begin: key frames, and the parameter sets sent before them."""
GENERIC = re.compile(r"(image|camera|video|compressed|sensing|sensors?|raw|rect|color|colour|rgb|_)+")
PICTURES: dict[str, Callable[[bytes], tuple[int, str, int, int]]] = {
    "sensor_msgs/msg/CompressedImage": lambda data: _cdr_picture(data, format_first=True),
    "foxglove_msgs/msg/CompressedImage": lambda data: _cdr_picture(data, format_first=False),
    "foxglove_msgs/msg/CompressedVideo": lambda data: _cdr_picture(data, format_first=False),
    "foxglove.CompressedImage": lambda data: _protobuf_picture(data, content=2, form=3),
    "foxglove.CompressedVideo": lambda data: _protobuf_picture(data, content=3, form=4),
}
"""Message type to what takes it apart: its own time in ns, its format, where the picture starts and ends."""


@dataclass
class PictureTopic(Clocked):
    places: list[Place] = field(default_factory=list)
    keys: list[bool] = field(default_factory=list)
    codec: str = ""
    unread: str = ""

    def keep(self, rows: Sequence[bool]) -> None:
        super().keep(rows)
        self.places, self.keys = list(compress(self.places, rows)), list(compress(self.keys, rows))

    def take(self, message: Message) -> None:
        try:
            stamp, form, start, end = PICTURES[self.channel.type](message.data)
        except DAMAGE:
            self.bad += 1
            return
        content = message.data[start:end]
        codec = _codec(form, content)
        self.codec = self.codec or codec
        if not content or not codec or codec != self.codec:
            self.bad += 1
            self.unread = self.unread or ("" if codec or not content else form[:40] or "unnamed")
            return
        number, block, base, _ = message.place
        self.places.append((number, block, base + start, base + end))
        self.keys.append(_is_key(codec, content))
        self.clock(message.log_ns, stamp)


@dataclass(frozen=True, repr=False)
class MessageCamera:
    """Pictures inside a recording, one a message; decoded when they are asked for.

    Attributes:
        codec: FFmpeg's name; all pictures have the same.
        t_ns: (N,) int64 ns in the order of the recording.
        shown: (N,) bool; False before the first key frame and where the time does not increase.
        keys: (N,) bool; decoding can begin here.
    """

    bag: Bag
    codec: str
    places: Sequence[Place]
    t_ns: Times
    shown: NDArray[np.bool_]
    keys: NDArray[np.bool_]
    lost: tuple[str, ...] = ()

    @cached_property
    def size(self) -> tuple[int, int]:
        frame = next(self.frames(), None)
        if frame is None:
            got = f"none of {len(self.places)} pictures can be decoded"
            raise VideoError(got, self.codec, "record the topic again")
        return frame[1].width, frame[1].height

    def frame_times(self) -> Times:
        return self.t_ns[self.shown]

    def frames(self, start_ns: int | None = None, end_ns: int | None = None) -> Iterator[tuple[int, VideoFrame]]:
        low = -(1 << 62) if start_ns is None else start_ns
        high = 1 << 62 if end_ns is None else end_ns
        inside = np.flatnonzero(self.shown & (self.t_ns >= low) & (self.t_ns < high))
        if not inside.size:
            return
        first, last = int(inside[0]), int(inside[-1])
        begin = int(np.flatnonzero(self.keys[: first + 1])[-1])
        for number, frame in self._decoded(begin):
            if number > last:
                return
            if number >= first and self.shown[number]:
                yield int(self.t_ns[number]), frame

    def _decoded(self, begin: int) -> Iterator[tuple[int, VideoFrame]]:
        """Number of the picture and the picture; after damage decoding goes on at the next key frame."""
        decoder, broken = self._decoder(), False
        for number in range(begin, len(self.places)):
            if broken and not self.keys[number]:
                continue
            try:
                packet = av.Packet(self.bag.read(self.places[number]))
                packet.pts, packet.time_base = number, NANOSECOND
                decoded, broken = decoder.decode(packet), False
            except (*DECODE_ERRORS, OSError):
                decoder, decoded, broken = self._decoder(), [], True
            yield from ((frame.pts, frame) for frame in decoded if frame.pts is not None)
        try:
            yield from ((frame.pts, frame) for frame in decoder.decode(None) if frame.pts is not None)
        except DECODE_ERRORS:
            return

    def _decoder(self) -> VideoCodecContext:
        decoder = av.CodecContext.create(self.codec, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.thread_count = 1
        return decoder


def cameras_of(
    bag: Bag, topics: Sequence[PictureTopic], names: Mapping[str, str], lost: list[str]
) -> dict[str, Camera]:
    """Cameras by name; `names` holds those that the user gave to topics."""
    cameras: dict[str, Camera] = {}
    for topic in sorted(topics, key=lambda t: t.channel.topic):
        if topic.bad:
            form = f", the format {topic.unread!r} is not read" if topic.unread else ""
            total = topic.bad + len(topic.places)
            lost.append(f"{topic.channel.topic}: {topic.bad} of {total} pictures are left out{form}")
        if not any(topic.keys):
            if topic.places:
                lost.append(f"{topic.channel.topic}: {len(topic.places)} frames and no key frame: not a picture")
            continue
        name = names.get(topic.channel.topic) or camera_name(topic.channel.topic)
        if name in cameras:
            name = next(other for i in count(2) if (other := f"{name}_{i}") not in cameras)
        cameras[name] = _camera(bag, topic)
    return cameras


def _camera(bag: Bag, topic: PictureTopic) -> MessageCamera:
    t_ns, keys = topic.times(), np.array(topic.keys, bool)
    order = np.argsort(t_ns, kind="stable") if topic.codec in INTRA else np.arange(t_ns.size)
    t_ns, keys = t_ns[order], keys[order]
    before = np.arange(t_ns.size) < np.argmax(keys)
    latest = np.maximum.accumulate(t_ns)
    stuck = np.append(False, t_ns[1:] <= latest[:-1])
    found = ((before, "before the first key frame"), (stuck, "whose time does not increase"))
    lost = tuple(f"{topic.channel.topic}: {int(m.sum())} pictures {why}" for m, why in found if m.any())
    places = [topic.places[i] for i in order]
    return MessageCamera(bag, topic.codec, places, t_ns, ~before & ~stuck, keys, lost)


def camera_name(topic: str) -> str:
    """`/sensing/camera/front_left/image_raw/compressed` is `front_left`; a name is safe as a file's name."""
    parts = [re.sub(r"[^a-z0-9_-]", "_", part.lower()) for part in topic.split("/") if part]
    telling = [part for part in parts if not GENERIC.fullmatch(part)]
    return "_".join(telling or parts)[:60] or "camera"


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


def _codec(form: str, content: bytes) -> str:
    """FFmpeg's name of what a picture is compressed with; "" where it is not one that is read."""
    form = form.lower()
    if "depth" in form or form.startswith(("16uc", "32fc")):
        return ""
    for codec, names in (("h264", ("h264", "h.264")), ("hevc", ("h265", "h.265", "hevc")), ("mjpeg", ("jpeg", "jpg"))):
        if any(name in form for name in names):
            return codec
    return "mjpeg" if content[:2] == b"\xff\xd8" else "png" if content[:4] == b"\x89PNG" else ""


def _is_key(codec: str, content: bytes) -> bool:
    """Can decoding begin here? Looks at the first slice, before which parameter sets stand."""
    if codec in INTRA:
        return True
    starts = (match.end() for match in re.finditer(rb"\x00\x00\x01", content[:4096]))
    shift, mask = (0, 31) if codec == "h264" else (1, 63)
    return any(content[at] >> shift & mask in KEY_UNITS[codec] for at in starts if at < len(content))
