"""One camera whose recording was cut into files, as dashcams and openpilot do every minute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
from av.video.frame import VideoFrame

from edge.errors import DriveError, VideoError
from edge.video.camera import VideoFile
from trigger.telemetry import Times


@dataclass(frozen=True)
class JoinedVideo:
    """Files of one camera in order of time, each with times of its own; windows cross their borders.

    Files that cannot be opened are left out and said in `lost`. Where two overlap, the later one's frames before
    the end of the earlier one are not shown.
    """

    files: tuple[VideoFile, ...]

    @cached_property
    def parts(self) -> tuple[VideoFile, ...]:
        """The files that can be read, each with the window in which it is the one that counts."""
        readable: list[VideoFile] = []
        for file in self.files:
            try:
                times = file.frame_times()
            except DriveError:
                continue
            if not len(times):
                continue
            low = int(times[0])
            if readable:
                low = max(low, int(readable[-1].frame_times()[-1]) + 1)
            if times[-1] >= low:
                readable.append(file.windowed(low, int(times[-1]) + 1))
        if not readable:
            raise VideoError(
                f"none of {len(self.files)} files of a camera can be opened", "at least one", "copy the drive again"
            )
        return tuple(readable)

    @property
    def codec(self) -> str:
        return self.parts[0].codec

    @property
    def size(self) -> tuple[int, int]:
        return self.parts[0].size

    @cached_property
    def lost(self) -> tuple[str, ...]:
        opened = {part.path for part in self.parts}
        missing = tuple(
            f"{file.path.parent.name}/{file.path.name} cannot be opened"
            for file in self.files
            if file.path not in opened
        )
        return missing + tuple(chain.from_iterable(part.lost for part in self.parts))

    @property
    def key_times(self) -> Times:
        return np.unique(np.concatenate([part.key_times for part in self.parts]))

    def frame_times(self) -> Times:
        return np.concatenate([part.frame_times() for part in self.parts])

    def frames(self, start_ns: int | None = None, end_ns: int | None = None) -> Iterator[tuple[int, VideoFrame]]:
        return chain.from_iterable(part.frames(start_ns, end_ns) for part in self.between(start_ns, end_ns))

    def between(self, start_ns: int | None, end_ns: int | None) -> list[VideoFile]:
        """The parts that show a frame with start_ns <= t < end_ns."""
        low, high = start_ns if start_ns is not None else -(1 << 62), end_ns if end_ns is not None else 1 << 62
        return [p for p in self.parts if np.diff(np.searchsorted(p.frame_times(), (low, high)))[0] > 0]
