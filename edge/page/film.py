"""Small pictures of a drive's cameras, so that a page can show what was seen at a time.

A frame at regular steps, more of them around each event, until a budget of bytes is full. Times are wanted in order of
worth: a few over the whole drive, then the onsets, then what lies around them, then an ever finer grid; where the
budget is too small, what is worth least is missing, evenly.

Regular stills are taken at key frames where there are any, which need no other frame to be decoded; a camera is read
once, in order of time, and sought where that skips enough. What cannot be decoded leaves an empty still and no error.

Shapes: N frames, K key frames.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter

from edge.drive import Drive
from edge.errors import VideoError
from edge.page.envelope import Window, unbroken
from edge.video.camera import DECODE_ERRORS, Camera
from trigger.baseline import KIND as BASELINE
from trigger.event import Event
from trigger.telemetry import Times

WIDTH = 400
QUALITY = 6
"""FFmpeg's scale of a JPEG, 2 best to 31; 6 gives about 11 kB for a road at 400x300."""
TYPICAL_BYTES = 11_000
EVERY_S = 1.0
FEW = 64
"""Steps between stills of a short drive. A long one has longer steps, so that stills of typical size fill half the
budget and leave the rest to the events, but not fewer than `FEW`: theirs may be small."""
AROUND_S = tuple(step / 4 for step in (0, -4, 4, -2, 2, 6, 8, -8, -6, 10, 12, -1, 1, -3, 3, 5, -5, 7, -7, 9, 11))
"""From 2 s before an onset to 3 s after it in quarters of a second, in order of worth."""
OVERVIEW = 32
"""Stills over the whole drive that come before any event's."""
NEAR_S = 0.5
"""A frame further than this from a time is not what was seen then."""
SEEK_FRAMES = 10
"""Frames that are decoded for nothing rather than opening the file again to skip them."""


@dataclass(frozen=True, repr=False)
class Still:
    """A frame as a JPEG; empty where it could not be decoded."""

    t_ns: int
    jpeg: bytes


@dataclass(frozen=True, repr=False)
class Reel:
    """One camera: the stretches in which it recorded, and its stills in order of time."""

    camera: str
    recorded_ns: tuple[Window, ...]
    stills: tuple[Still, ...]


@dataclass(frozen=True, repr=False)
class Film:
    """Stills of all cameras; `left_out` counts those that the budget had no room for."""

    reels: tuple[Reel, ...] = ()
    every_s: float = EVERY_S
    left_out: int = 0


def film(drive: Drive, events: Sequence[Event], budget_bytes: int) -> Film:
    """Stills of a drive whose JPEGs together have at most `budget_bytes`."""
    start_ns, end_ns = drive.span_ns
    room = max(FEW, budget_bytes // (2 * TYPICAL_BYTES * max(1, len(drive.cameras))))
    every_s = max(EVERY_S, (end_ns - start_ns) / 1e9 / room)
    kept = _Budget(budget_bytes)
    for name, camera in drive.cameras.items():
        regular = _one_a_step(camera, start_ns, round(every_s * 1e9))
        around = list(_around(camera.frame_times(), events))
        wanted = dict.fromkeys([*regular[:OVERVIEW], *around, *regular[OVERVIEW:]])
        place = {t_ns: number for number, t_ns in enumerate(wanted)}
        for still in _stills(camera, sorted(wanted)):
            kept.add(place[still.t_ns], name, still)
    reels = tuple(
        Reel(name, tuple(unbroken(camera.frame_times())), kept.of(name)) for name, camera in drive.cameras.items()
    )
    return Film(reels, every_s, kept.left_out)


def coarse_to_fine(count: int) -> list[int]:
    """0 to count - 1 in an order of which every beginning is spread evenly (bit-reversed)."""
    bits = max(count - 1, 0).bit_length()
    turned = (int(format(number, f"0{bits}b")[::-1], 2) for number in range(1 << bits))
    return [number for number in turned if number < count]


def _one_a_step(camera: Camera, start_ns: int, step_ns: int) -> list[int]:
    """Time of one frame in each step from `start_ns` on, a key frame where there is one; coarse to fine."""
    first: dict[int, int] = {}
    shown = camera.frame_times()
    for t_ns in (shown, np.intersect1d(shown, camera.key_times)):
        steps, index = np.unique((t_ns - start_ns) // step_ns, return_index=True)
        first |= zip(steps.tolist(), t_ns[index].tolist(), strict=True)
    return [first[step] for step in coarse_to_fine(max(first, default=-1) + 1) if step in first]


def _around(t_ns: Times, events: Sequence[Event]) -> Iterator[int]:
    """Times of the frames nearest to what is wanted around events: all onsets first, the severest before others."""
    found = sorted((event for event in events if event.kind != BASELINE), key=lambda event: -event.severity)
    for shift_s in AROUND_S:
        for event in found:
            want = event.t_ns + round(shift_s * 1e9)
            after = int(np.searchsorted(t_ns, want))
            near = t_ns[max(0, after - 1) : after + 1]
            if near.size and np.abs(near - want).min() <= NEAR_S * 1e9:
                yield int(near[np.abs(near - want).argmin()])


def _stills(camera: Camera, times: Sequence[int]) -> Iterator[Still]:
    """A still for each of the frames' times, which increase."""
    for stretch in stretches(camera.frame_times(), camera.key_times, times):
        rest = deque(stretch)
        while rest:
            for still in _decoded(camera, rest):
                while rest[0] < still.t_ns:
                    yield Still(rest.popleft(), b"")
                rest.popleft()
                yield still
            if rest:  # it broke off here; what comes later may be whole
                yield Still(rest.popleft(), b"")


def stretches(t_ns: Times, key_ns: Times, times: Sequence[int]) -> list[list[int]]:
    """The wanted frames' times, in groups: within one it is as quick to decode on as to seek.

    Args:
        t_ns: (N,) int64 ns of all frames. key_ns: (K,) of those at which decoding can begin.
    """
    number = np.searchsorted(t_ns, times)
    key = np.searchsorted(key_ns, times, side="right") - 1
    begin = np.where(key >= 0, np.searchsorted(t_ns, key_ns[key]), 0) if key_ns.size else np.zeros_like(number)
    cuts = np.flatnonzero(begin[1:] - number[:-1] > SEEK_FRAMES) + 1
    return [list(times[a:b]) for a, b in pairwise([0, *cuts.tolist(), len(times)])]


def _decoded(camera: Camera, times: Sequence[int]) -> Iterator[Still]:
    wanted = set(times)
    try:
        for t_ns, frame in camera.frames(times[0], times[-1] + 1):
            if t_ns in wanted:
                wanted.remove(t_ns)
                yield Still(t_ns, jpeg(frame))
            if not wanted:
                return
    except (*DECODE_ERRORS, VideoError, OSError):
        return


def jpeg(frame: VideoFrame) -> bytes:
    """The frame as a JPEG at most `WIDTH` wide, with nothing beside the picture in it."""
    width = max(2, min(WIDTH, frame.width) // 2 * 2)
    height = max(2, round(frame.height * width / frame.width / 2) * 2)
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base, encoder.thread_count = Fraction(1, 1), 1
    encoder.qmin = encoder.qmax = QUALITY
    small = VideoReformatter().reformat(frame, width, height, "yuvj420p", dst_color_range=ColorRange.JPEG, threads=1)
    small.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(small), *encoder.encode(None)])


class _Budget:
    """Keeps the stills that are worth most and together fit; never holds more than the budget and one still."""

    def __init__(self, room_bytes: int) -> None:
        self.room_bytes, self.left_out = room_bytes, 0
        self._worst_first: list[tuple[int, str, Still]] = []

    def add(self, place: int, camera: str, still: Still) -> None:
        heapq.heappush(self._worst_first, (-place, camera, still))
        self.room_bytes -= len(still.jpeg)
        while self.room_bytes < 0:
            _, _, worst = heapq.heappop(self._worst_first)
            self.room_bytes += len(worst.jpeg)
            self.left_out += 1

    def of(self, camera: str) -> tuple[Still, ...]:
        own = (still for _, name, still in self._worst_first if name == camera)
        return tuple(sorted(own, key=lambda still: still.t_ns))
