"""Frames of a video here and there, from a decoder that stays open.

Of each stretch from one key frame to the next only what leads up to the last frame wanted there is decoded, and a
stretch without one is jumped over. A video that is read from end to end is better read by `VideoFile.frames`.

The trade-off: packets are not looked at for damage again, as the video's index did when it was opened. One decoder must
not be used by two threads, nor on both sides of a fork.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from av.video.frame import VideoFrame

from edge.errors import VideoError
from edge.video.camera import DECODE_ERRORS, VideoFile, open_video, video_stream
from edge.video.frame_clock import one_frame_t_ns
from trigger.telemetry import Times


class Picker:
    """A decoder of one video whose container tells its frames' times (an MP4; no raw stream)."""

    def __init__(self, video: VideoFile) -> None:
        """Raises VideoError where it cannot be opened."""
        self._video = video
        self._container = open_video(video.path)
        self._stream = video_stream(self._container, video.path)
        self._stream.thread_type = "NONE"

    def pick(self, t_ns: Times) -> Iterator[VideoFrame]:
        """Decode the frames at these times, (N,) int64 ns, increasing, each the time of a frame.

        Raises:
            VideoError: one of them does not decode.
        """
        stretch = np.searchsorted(self._video.key_times, t_ns, side="right")
        for wanted in np.split(t_ns, np.flatnonzero(np.diff(stretch)) + 1):
            yield from self._within(wanted.tolist())

    def _within(self, wanted: list[int]) -> Iterator[VideoFrame]:
        """Of one stretch between key frames."""
        self._video.seek(self._container, self._stream, wanted[0], begun=True)
        left = set(wanted)
        for t_ns, frame in self._decoded():
            if t_ns in left:
                left.remove(t_ns)
                yield frame
            if t_ns >= wanted[-1]:
                break
        if left:
            raise VideoError(f"{self._video.path} has no frame at {min(left)} ns", "a whole video", "copy it again")

    def _decoded(self) -> Iterator[tuple[int, VideoFrame]]:
        video, base = self._video, self._video.time_base
        try:
            for frame in self._container.decode(self._stream):
                if frame.pts is not None:
                    yield one_frame_t_ns(frame.pts + video.pts_origin, base, video.t0_ns), frame
        except DECODE_ERRORS as error:
            raise VideoError(f"{video.path} does not decode: {error}", "a whole video", "copy it again") from error
