"""A camera that wrote single pictures: JPEG or PNG files, each with a time.

A picture that is absent, or has lost its beginning or its end, is left out and counted; what lies between is not read
before it is shown, and a picture that then cannot be decoded is passed over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from edge.errors import VideoError
from edge.video.camera import DECODE_ERRORS
from trigger.telemetry import Times

MARKS = ((b"\xff\xd8", b"\xff\xd9"), (b"\x89PNG\r\n\x1a\n", b"IEND"))
"""How a JPEG and a PNG begin, and what stands near their end."""
END_BYTES = 4096
"""The end mark is looked for in so many last bytes: some cameras fill a file up behind it."""


@dataclass(frozen=True)
class ImageFiles:
    """Pictures in files, one a frame.

    Attributes:
        t_ns: (N,) int64 ns, increasing, one for each path.
    """

    paths: Sequence[Path]
    t_ns: Times
    lost: tuple[str, ...] = ()

    @cached_property
    def size(self) -> tuple[int, int]:
        frame = next(self.frames(), None)
        if frame is None:
            raise VideoError(f"none of {len(self.paths)} images can be decoded", "JPEG or PNG", "copy the folder again")
        return frame[1].width, frame[1].height

    @property
    def key_times(self) -> Times:
        return self.t_ns

    def frame_times(self) -> Times:
        return self.t_ns

    def frames(self, start_ns: int | None = None, end_ns: int | None = None) -> Iterator[tuple[int, VideoFrame]]:
        low = -(1 << 62) if start_ns is None else start_ns
        high = 1 << 62 if end_ns is None else end_ns
        first, last = np.searchsorted(self.t_ns, [low, high])
        for t_ns, path in zip(self.t_ns[first:last].tolist(), self.paths[first:last], strict=True):
            try:
                with av.open(str(path), metadata_errors="replace") as container:
                    yield t_ns, next(container.decode(video=0))
            except (*DECODE_ERRORS, StopIteration, OSError):
                continue

    @staticmethod
    def of(name: str, paths: Sequence[Path], t_ns: Times) -> ImageFiles:
        """Those of the files (N,) that are whole; what is lost is said of `name`."""
        whole = np.array([is_whole(path) for path in paths], bool)
        bad = int((~whole).sum())
        lost = (f"{name}: {bad} of {len(paths)} images are missing, empty or damaged",) if bad else ()
        return ImageFiles([path for path, good in zip(paths, whole, strict=True) if good], t_ns[whole], lost)


def is_whole(path: Path) -> bool:
    """False where a picture is absent, empty, no JPEG or PNG, or without its beginning or end."""
    try:
        with path.open("rb") as file:
            begin = file.read(8)
            file.seek(max(0, file.seek(0, os.SEEK_END) - END_BYTES))
            end = file.read()
    except (OSError, ValueError):  # also a name that no file can have
        return False
    return any(begin.startswith(first) and last in end for first, last in MARKS)
