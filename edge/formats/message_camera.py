"""Cameras whose pictures lie in messages, decoded from the recording when they are asked for.

Covers sensor_msgs/msg/CompressedImage (JPEG, PNG; H.264 or H.265 where its format says so), foxglove.CompressedImage
and foxglove.CompressedVideo (H.264, H.265 in Annex B, one frame a message, no B-frames), in protobuf or as
foxglove_msgs/msg/... in CDR. How a message is taken apart: `edge.formats.message_picture`.

Not covered: raw images, depth, other video codecs. Pictures are never copied into a cut: it encodes them again.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import count

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from edge.errors import VideoError
from edge.formats.bag import Bag
from edge.formats.message import DAMAGE, Channel, Message, clock, near, timed, trusted
from edge.formats.message_picture import INTRA, PICTURES, codec_of, is_key
from edge.video.camera import DECODE_ERRORS, Camera
from trigger.telemetry import Times

NANOSECOND = Fraction(1, 1_000_000_000)
ROW = 7
"""Numbers kept of a picture: its log time, its stamp, the four of its place, and whether decoding can begin with it."""
GENERIC = re.compile(r"(image|camera|video|compressed|sensing|sensors?|raw|rect|color|colour|rgb|_)+")


@dataclass
class PictureTopic:
    """A topic of pictures while it is read. `table`: (N, ROW) int64, complete when it is settled."""

    channel: Channel
    codec: str = ""
    unread: str = ""
    bad: int = 0
    table: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, ROW), np.int64))
    _rows: array[int] = field(default_factory=lambda: array("q"))

    def take(self, message: Message) -> None:
        try:
            stamp, form, start, end = PICTURES[self.channel.type](message.data)
        except DAMAGE:
            self.bad += 1
            return
        content = message.data[start:end]
        codec = codec_of(form, content)
        self.codec = self.codec or codec
        if not content or not codec or codec != self.codec:
            self.bad += 1
            self.unread = self.unread or ("" if codec or not content else form[:40] or "unnamed")
            return
        number, block, base, _ = message.place
        place = (number, block, base + start, base + end)
        self._rows.extend((*clock(message.log_ns, stamp), *place, is_key(codec, content)))

    def log_times(self) -> Iterator[Times]:
        yield np.array(self._rows[::ROW], np.int64)

    def settle(self, first_ns: int, last_ns: int) -> int:
        """All was taken; what was logged outside [first, last] is left out. Returns how many that are."""
        rows = np.array(self._rows, np.int64).reshape(-1, ROW)
        self.table, self._rows = rows[(rows[:, 0] >= first_ns) & (rows[:, 0] <= last_ns)], array("q")
        return len(rows) - len(self.table)


@dataclass(frozen=True, repr=False)
class MessageCamera:
    """Pictures inside a recording, one a message; decoded when they are asked for.

    Attributes:
        codec: FFmpeg's name; all pictures have the same.
        places: (N, 4) where each lies (`edge.formats.message.Place`).
        t_ns: (N,) int64 ns in the order of the recording.
        shown: (N,) bool; False before the first key frame and where the time does not increase.
        keys: (N,) bool; decoding can begin here.
    """

    bag: Bag
    codec: str
    places: NDArray[np.int64]
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

    @property
    def key_times(self) -> Times:
        return self.t_ns[self.shown & self.keys]

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
                packet = av.Packet(self.bag.read(tuple(self.places[number].tolist())))
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
            total = topic.bad + len(topic.table)
            lost.append(f"{topic.channel.topic}: {topic.bad} of {total} pictures are left out{form}")
        if not topic.table[:, -1].any():
            if len(topic.table):
                lost.append(f"{topic.channel.topic}: {len(topic.table)} frames and no key frame: not a picture")
            continue
        name = names.get(topic.channel.topic) or camera_name(topic.channel.topic)
        if name in cameras:
            name = next(other for i in count(2) if (other := f"{name}_{i}") not in cameras)
        cameras[name] = _camera(bag, topic)
    return cameras


def _camera(bag: Bag, topic: PictureTopic) -> MessageCamera:
    log_ns, stamp_ns, keys = topic.table[:, 0], topic.table[:, 1], topic.table[:, -1] > 0
    t_ns = timed(log_ns, stamp_ns, trusted(int(near(log_ns, stamp_ns).sum()), log_ns.size))
    order = np.argsort(t_ns, kind="stable") if topic.codec in INTRA else np.arange(t_ns.size)
    t_ns, keys = t_ns[order], keys[order]
    before = np.arange(t_ns.size) < np.argmax(keys)
    latest = np.maximum.accumulate(t_ns)
    stuck = np.append(False, t_ns[1:] <= latest[:-1])
    found = ((before, "before the first key frame"), (stuck, "whose time does not increase"))
    lost = tuple(f"{topic.channel.topic}: {int(m.sum())} pictures {why}" for m, why in found if m.any())
    places = topic.table[order, 2:6]
    return MessageCamera(bag, topic.codec, places, t_ns, ~before & ~stuck, keys, lost)


def camera_name(topic: str) -> str:
    """`/sensing/camera/front_left/image_raw/compressed` is `front_left`; a name is safe as a file's name."""
    parts = [re.sub(r"[^a-z0-9_-]", "_", part.lower()) for part in topic.split("/") if part]
    telling = [part for part in parts if not GENERIC.fullmatch(part)]
    return "_".join(telling or parts)[:60] or "camera"
