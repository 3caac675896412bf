"""Any video file on its own: a drive with one camera, `front`, and no telemetry.

The last recorder to be asked: it takes MP4, MOV, M4V, MKV, AVI and MPEG-TS files that no other one knows, one drive a
file, by their endings (`.ts` must also begin as MPEG-TS does, since TypeScript has that ending). Raw streams such as
.hevc hold no times and are not taken.

The clock is the file's creation_time, where it has one that a camera can have written; it is UTC by the containers'
standards, though some cameras write local time and some programs the time of the last edit. Otherwise the drive begins
at 0. The first frame is put at that time.

Without signals only the random baseline chooses from such a drive, and as nobody is known to have driven it holds no
labels. A video that belongs to a recording of another format is refused, so that its signals and its consent are not
left behind.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np

from edge.drive import Drive
from edge.errors import DriveError, VideoError
from edge.video.camera import VideoFile, open_video, video_stream
from edge.video.frame_clock import one_frame_t_ns
from edge.video.transport import PACKET_BYTES, SYNC
from trigger.telemetry import Telemetry

NAME = "video"
GIVES = "one camera"
LACKS = "every signal: only the random baseline chooses from it; often the time"

ENDINGS = (".mp4", ".mov", ".m4v", ".mkv", ".avi", ".ts")
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Earlier creation times are a clock that was never set: 1904 and 1970 are zero in one calendar or another."""
NEWEST = datetime(2262, 1, 1, tzinfo=UTC)
"""From then on ns do not fit int64."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_MISSING_NS = 1_000_000_000
"""Sound and picture seldom end at the same time; a picture that ends earlier than this has lost its end."""
STEADY, STEADY_SHARE = 0.5, 0.75
"""A rate is steady where this share of its steps differs from the usual one by no more than this part of it."""
HASHED_BYTES = 1 << 20
"""Of a file's beginning; with its size they name it."""


def matches(path: Path) -> list[Path]:
    if path.is_dir():
        return [p for p in sorted(path.iterdir()) if _is_video(p)]
    return [path] if _is_video(path) else []


def open(path: Path) -> Drive:
    """Open one file. Raises DriveError."""
    owner = _owner(path)
    if owner:
        raise DriveError(
            f"{path} belongs to the {owner} recording {path.parent}",
            "a video that stands alone",
            f"name {path.parent}, or move the video elsewhere to read it without its signals",
        )
    head = _head(path)
    camera = _begun_at(VideoFile(path, head.created_ns - head.start_ns), head.created_ns)
    origin = "the file's creation_time" if head.created_ns else "0: the file does not say when it was recorded"
    return Drive(
        id=f"video-{_digest(path)[:12]}",
        recorder=NAME,
        source=path,
        t0_ns=head.created_ns,
        telemetry=Telemetry(np.empty(0, np.int64), {}),
        cameras={"front": camera},
        lost=camera.lost or _short(camera, head) or _gaps(camera),
        notes=(
            "no telemetry: triggers that need signals cannot run, only the baseline chooses from this drive",
            f"the first frame is at {origin}",
        ),
    )


def _begun_at(camera: VideoFile, t0_ns: int) -> VideoFile:
    """The same with its first frame at `t0_ns`; some files show it later than their stream says it starts."""
    late_ns = int(camera.frame_times()[0]) - t0_ns
    return VideoFile(camera.path, camera.t0_ns - late_ns) if late_ns else camera


def _is_video(path: Path) -> bool:
    ending = path.suffix.lower()
    if ending not in ENDINGS or path.name.startswith(".") or not path.is_file():
        return False
    return ending != ".ts" or _is_mpeg_ts(path)


def _is_mpeg_ts(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(PACKET_BYTES + 1)[::PACKET_BYTES] == bytes([SYNC, SYNC])
    except OSError:
        return False


def _owner(path: Path) -> str:
    """Name of the format whose recording the file is a part of, "" where it stands alone."""
    from edge.recorders import RECORDERS

    others = (recorder for recorder in RECORDERS if recorder.NAME != NAME)
    return next((recorder.NAME for recorder in others if recorder.matches(path.parent)), "")


@dataclass(frozen=True)
class _Head:
    """What a file says of itself, in ns: when it was made (0 where unknown), where its clock starts, how long it is."""

    created_ns: int
    start_ns: int
    duration_ns: int


def _head(path: Path) -> _Head:
    with open_video(path) as container:
        stream = video_stream(container, path)
        if stream.codec_context is None:
            raise VideoError(f"{path} holds a picture in an unknown or damaged coding", "a video", "copy it again")
        created = [_parsed(tags.get("creation_time", "")) for tags in (container.metadata, stream.metadata)]
        start_ns = one_frame_t_ns(stream.start_time or 0, stream.time_base or Fraction(1), 0)
        return _Head(created[0] or created[1], start_ns, (container.duration or 0) * 1000)


def _short(camera: VideoFile, head: _Head) -> tuple[str, ...]:
    """Containers that hold no count of frames still say how long they are; one that was cut off ends earlier."""
    times = camera.frame_times()
    if len(times) < 2:
        return ()
    shown_ns = int(times[-1] - times[0]) * len(times) // (len(times) - 1)
    if head.duration_ns - shown_ns < MAX_MISSING_NS:
        return ()
    return (f"{camera.path.name}: lasts {head.duration_ns / 1e9:.1f} s, its picture ends after {shown_ns / 1e9:.1f} s",)


def _gaps(camera: VideoFile) -> tuple[str, ...]:
    """Containers can lose frames without a trace; where the rate is steady otherwise, longer steps tell of them."""
    times = camera.frame_times()
    steps = np.diff(times) / max(1, int(np.median(np.diff(times)))) if len(times) > 1 else np.empty(0)
    long = np.flatnonzero(steps > 1.0 + STEADY)
    if not long.size or np.mean(np.abs(steps - 1.0) <= STEADY) < STEADY_SHARE:
        return ()
    missing, first_s = int((np.round(steps[long]) - 1).sum()), (times[long[0]] - times[0]) / 1e9
    return (f"{camera.path.name}: about {missing} frames are missing, the first after {first_s:.1f} s",)


def _parsed(text: str) -> int:
    """A date of ISO 8601 as ns since 1970, UTC where it names no zone; 0 where no camera can have written it."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        return 0
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    return (time - EPOCH) // timedelta(microseconds=1) * 1000 if OLDEST <= time < NEWEST else 0


def _digest(path: Path) -> str:
    """Stable name of the bytes: sha256 of the first MiB and the size."""
    with path.open("rb") as file:
        return hashlib.sha256(file.read(HASHED_BYTES) + str(path.stat().st_size).encode()).hexdigest()
