"""Pictures to H.264, once: for recorders that wrote single images, and for generated drives.

Variable frame rate; times are kept to the microsecond, the finest step that MP4 players share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from edge.errors import VideoError

TIME_BASE = Fraction(1, 1_000_000)
Picture = VideoFrame | NDArray[np.uint8]


@dataclass(frozen=True)
class Encoding:
    """How pictures are compressed.

    Attributes:
        crf: x264's constant rate factor; 20 is visually close to the source.
        key_every: frames from one key frame to the next; short, so that clips start close to their window.
    """

    crf: int = 20
    preset: str = "veryfast"
    key_every: int = 20


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
    width, height = picture.width // 2 * 2, picture.height // 2 * 2
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = TIME_BASE
        stream.codec_context.gop_size = encoding.key_every
        stream.codec_context.thread_count = 1
        # mbtree=0: x264's macroblock tree reads memory it has not set, and equal pictures gave unequal bytes.
        stream.options = {"preset": encoding.preset, "crf": str(encoding.crf), "x264-params": "scenecut=0:mbtree=0"}
        for pts, frame in _on_ticks(chain([first], stream_of_frames), t0_ns):
            if (frame.width, frame.height) != (picture.width, picture.height):
                raise VideoError(
                    f"a picture of {frame.width}x{frame.height} among {picture.width}x{picture.height}",
                    "one size for a camera",
                    "give each size a camera of its own",
                )
            # JPEG and PNG use all 256 levels; a video that does not say so is read as 16 to 235.
            converted = frame.reformat(width, height, "yuv420p", dst_color_range=ColorRange.MPEG)
            converted.pts, converted.time_base = pts, TIME_BASE
            container.mux(stream.encode(converted))
        container.mux(stream.encode(None))
    return t0_ns


def _on_ticks(frames: Iterable[tuple[int, Picture]], t0_ns: int) -> Iterator[tuple[int, VideoFrame]]:
    previous = -1
    for t_ns, picture in frames:
        pts = max((t_ns - t0_ns + 500) // 1000, previous + 1)
        previous = pts
        yield pts, _frame(picture)


def _frame(picture: Picture) -> VideoFrame:
    return picture if isinstance(picture, VideoFrame) else VideoFrame.from_ndarray(picture, format="rgb24")
