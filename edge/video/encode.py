"""Pictures to H.264, once: for recorders that wrote single images, and for generated drives.

Variable frame rate; times are kept to the microsecond, the finest step that MP4 players share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from numpy.typing import NDArray

from edge.errors import VideoError
from edge.video.mp4 import Mp4Track

TIME_BASE = Fraction(1, 1_000_000)
Picture = VideoFrame | NDArray[np.uint8]


@dataclass(frozen=True)
class Encoding:
    """How pictures are compressed.

    Attributes:
        crf: x264's constant rate factor; 20 is visually close to the source.
        key_every: frames from one key frame to the next; short, so that clips start close to their window.
        b_frames: at most so many in a row are built on later ones, None leaves it to the preset; 0 stores frames in the
            order of display.
        quick: decoded in half the time and a tenth larger: neither arithmetic coding nor the loop filter.
    """

    crf: float = 20
    preset: str = "veryfast"
    key_every: int = 20
    b_frames: int | None = None
    quick: bool = False

    def x264(self) -> str:
        """Its parameters beside preset, crf and key frames."""
        # mbtree=0: x264's macroblock tree reads memory it has not set, and equal pictures gave unequal bytes.
        b_frames = "" if self.b_frames is None else f":bframes={self.b_frames}"
        return "scenecut=0:mbtree=0" + b_frames + (":cabac=0:no-deblock=1" if self.quick else "")


class VideoWriter:
    """An H.264 MP4 to which frames are added one at a time; it is whole once it is closed, and the same every time.

    Args:
        size: width and height in pixels, both even.
        time_base: seconds a tick, 1 / a whole number; the file keeps it.
    """

    def __init__(self, path: Path, size: tuple[int, int], encoding: Encoding, time_base: Fraction = TIME_BASE) -> None:
        self._track = Mp4Track(path, time_base)
        stream = self._track.container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = stream.codec_context.time_base = time_base
        stream.codec_context.gop_size = encoding.key_every
        stream.codec_context.thread_count = 1
        stream.options = {"preset": encoding.preset, "crf": str(encoding.crf), "x264-params": encoding.x264()}
        self._stream, self._size, self._time_base = stream, size, time_base
        self._converter = VideoReformatter()  # kept: one for each frame starts threads for each frame

    def add(self, pts: int, frame: VideoFrame) -> None:
        """Stretch the frame to the size of the video and encode it; `pts` in ticks, greater from frame to frame."""
        # JPEG and PNG use all 256 levels; a video that does not say so is read as 16 to 235.
        converted = self._converter.reformat(frame, *self._size, "yuv420p", dst_color_range=ColorRange.MPEG, threads=1)
        converted.pts, converted.time_base = pts, self._time_base
        self._mux(converted)

    def close(self) -> None:
        self._mux(None)
        self._track.close()

    def _mux(self, frame: VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            self._track.mux(packet)


def encode(path: Path, frames: Iterable[tuple[int, Picture]], encoding: Encoding = Encoding()) -> int:
    """Write an MP4 and return t0_ns, the time of its time stamp 0.

    Args:
        frames: (t_ns, picture) in increasing time; a picture is a PyAV frame or (H, W, 3) uint8 RGB. Odd
            widths and heights lose their last column or row, which H.264 4:2:0 cannot hold.

    Raises:
        VideoError: no frames, or pictures of different sizes.
    """
    stream_of_frames = iter(frames)
    first = next(stream_of_frames, None)
    if first is None:
        raise VideoError(f"no pictures for {path.name}", "at least one frame", "check the times of the images")
    t0_ns, picture = first[0], _frame(first[1])
    with closing(VideoWriter(path, (picture.width // 2 * 2, picture.height // 2 * 2), encoding)) as writer:
        for pts, frame in _on_ticks(chain([first], stream_of_frames), t0_ns):
            if (frame.width, frame.height) != (picture.width, picture.height):
                raise VideoError(
                    f"a picture of {frame.width}x{frame.height} among {picture.width}x{picture.height}",
                    "one size for a camera",
                    "give each size a camera of its own",
                )
            writer.add(pts, frame)
    return t0_ns


def _on_ticks(frames: Iterable[tuple[int, Picture]], t0_ns: int) -> Iterator[tuple[int, VideoFrame]]:
    previous = -1
    for t_ns, picture in frames:
        pts = max((t_ns - t0_ns + 500) // 1000, previous + 1)
        previous = pts
        yield pts, _frame(picture)


def _frame(picture: Picture) -> VideoFrame:
    return picture if isinstance(picture, VideoFrame) else VideoFrame.from_ndarray(picture, format="rgb24")
