"""A clip's pictures, decoded from its proxy whenever a sample asks for them: for clips that no cache has room for.

Each process opens decoders of its own when it first needs them, so samples may be read on both sides of a fork and sent
to a new process. At most `OPEN_DECODERS` are kept; one that was let go is opened again (about a millisecond).

The trade-off: a window costs milliseconds of decoding, where the cache gives it in tens of microseconds
(`benchmarks/loader.py`). Not for several threads of one process.

Shapes: N frames of the clip, T frames asked for, H rows, W columns, C colours (red, green, blue).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edge.video.camera import VideoFile
from edge.video.pick import Picker
from train.frames import Eye, Pixels, View
from trigger.telemetry import Times

OPEN_DECODERS = 64
"""In one process: each holds a file open, of the thousand or so that a process may."""


@dataclass(frozen=True, eq=False)
class FramesOnDemand:
    """Pictures of one clip; `video` is its proxy, all of whose frames are whole, `view` how they are seen."""

    video: VideoFile
    view: View

    from_proxy: ClassVar[bool] = True

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, C)."""
        return (self.view.height, self.view.width, 3)

    @property
    def t_ns(self) -> Times:
        """(N,) int64 ns on the drive's clock, increasing."""
        return self.video.frame_times()

    def take(self, frame: NDArray[np.int64], out: Pixels) -> None:
        """Write these frames, (T,) indices in any order, to `out`, (T, H, W, C).

        Raises:
            VideoError: the proxy is no longer what it was.
        """
        wanted, place = np.unique(frame, return_inverse=True)
        picker, eye = _decoder(self.video, self.view, os.getpid())
        for number, picture in enumerate(picker.pick(self.t_ns[wanted])):
            out[place == number] = eye.look(eye.rgb(picture))


@lru_cache(OPEN_DECODERS)
def _decoder(video: VideoFile, view: View, process: int) -> tuple[Picker, Eye]:
    """`process` keeps a child from using what it got from its parent: they would read one file by one position."""
    return Picker(video), Eye(view)
