"""The camera files of an openpilot segment, and when their frames were taken: that stands in the log, not in the files.

`fcamera.hevc` is `front`, `ecamera.hevc` is `wide`; `qcamera.ts` is `front` where the route has no fcamera. What cannot
be timed is left out and said. The driver's camera is never opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edge.errors import DriveError
from edge.formats.openpilot_messages import Log
from edge.formats.openpilot_segments import PREVIEW, ROAD, WIDE, Segment
from edge.video.camera import VideoFile
from trigger.telemetry import Times

Source = tuple[str, tuple[str, ...]]
"""A camera's file, and the kinds of messages that may time its frames, the best first."""
Encoded = tuple[int, int, int, int]
"""A message of the encoder: its time, the frame's number in the file, start and end of its exposure; times in ns."""

MAX_FRAMES = 20_000
"""Of one camera file; a minute has 1,200."""
SAME_CLOCK_NS = 10_000_000_000
"""A frame's stamp lies this close to the time of its message, or it is damaged or of another clock."""
SAME_DRIFT_NS = 25_000_000
"""Half a frame: what a preview's own stamps may wander from its index."""


def sources(segments: Sequence[Segment]) -> Mapping[str, Source]:
    """The cameras of a route by name."""
    has_road = any(ROAD in segment.files for segment in segments)
    front = (ROAD, ("roadEncodeIdx",)) if has_road else (PREVIEW, ("qRoadEncodeIdx", "roadEncodeIdx"))
    return {"front": front, "wide": (WIDE, ("wideRoadEncodeIdx",))}


def timed_video(segment: Segment, source: Source, log: Log, lost: list[str]) -> VideoFile | None:
    """One file with the times of its frames; None, and a word about it, where it or they cannot be had."""
    file, kinds = source
    path, where = segment.files[file], f"segment {segment.number}: {file}"
    try:
        frames = VideoFile(path, times_ns=np.arange(MAX_FRAMES)).total_frames
        own = VideoFile(path).frame_times() if file == PREVIEW else None
    except DriveError as error:
        lost.append(f"segment {segment.number}: {error.got}")
        return None
    times, guessed = frame_times(_encoded(log, kinds), frames)
    if not times.size:
        lost.append(f"{where} is left out: the log has no index of its frames ({kinds[0]})")
        return None
    if own is not None and own.size != times.size and np.ptp(own[: times.size] - times[: own.size]) > SAME_DRIFT_NS:
        lost.append(f"{where} is left out: its {own.size} frames do not fit their {times.size} times")
        return None
    if guessed:
        lost.append(f"{where}: the times of {guessed} of {frames} frames are placed between their neighbours'")
    return VideoFile(path, times_ns=times)


def _encoded(log: Log, kinds: Sequence[str]) -> list[Encoded]:
    index = log.table(next((kind for kind in kinds if len(log.table(kind))), kinds[0]))
    fields = (index.fields[name].tolist() for name in ("segmentId", "timestampSof", "timestampEof"))
    return list(zip(index.t_ns.tolist(), *fields, strict=True))


def frame_times(index: Sequence[Encoded], frames: int) -> tuple[Times, int]:
    """When the frames of one camera file were taken.

    The start of the exposure where it was recorded, else its end. The recorder writes a message a frame, in the
    order of the file, but what the encoder made before the recorder ran is in neither: unless the file holds as many
    frames as the last number says, its first frame is that of the lowest number.

    Args:
        index: the encoder's messages of one segment, in any order.
        frames: how many frames the file holds.

    Returns:
        (N,) int64 ns, strictly increasing, one a frame from the first on, also for those the file has lost; and how
        many of them were placed between their neighbours because their message is missing or damaged. N is 0 where
        no time is to be had.
    """
    stamped = _stamped(index)
    if len(stamped) < 2:
        return np.empty(0, np.int64), 0
    number, t_ns = np.array(list(stamped.items()), np.int64).T
    if frames != number[-1] + 1:
        number = number - number[0]
    step = np.median(np.diff(t_ns) / np.diff(number))
    every = np.arange(number[-1] + 1)
    since_ns = np.interp(every, number, t_ns - t_ns[0]) - step * np.maximum(number[0] - every, 0)
    times = t_ns[0] + np.round(since_ns).astype(np.int64)
    return (times, int((~np.isin(every, number)).sum())) if (np.diff(times) > 0).all() else (times[:0], 0)


def _stamped(index: Sequence[Encoded]) -> dict[int, int]:
    """Frame number to time, both increasing; what contradicts its neighbour is left out together with it."""
    for stamp in (2, 3):
        times = {row[1]: row[stamp] for row in index if row[1] < MAX_FRAMES and _near(row[stamp], row[0])}
        if len(times) > len(index) / 2:
            break
    kept = sorted(times.items())
    while wrong := {i + k for i in range(len(kept) - 1) for k in (0, 1) if kept[i][1] >= kept[i + 1][1]}:
        kept = [pair for i, pair in enumerate(kept) if i not in wrong]
    return dict(kept)


def _near(stamp_ns: int, t_ns: int) -> bool:
    return abs(stamp_ns - t_ns) <= SAME_CLOCK_NS
