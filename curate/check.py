"""Is a clip what it says it is? Every hash, every frame, every second's probability, and every claim.

Runs in a child with limits (`edge.isolate`), as it feeds decoders with files from anywhere. A container or codec that
is not expected is not opened at all. The first thing that is wrong ends the check, with a code that machines can
count by: one may be added, none is ever renamed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from curate.claims import Doubts, doubts
from edge.clip import Clip, open_clip
from edge.drive import Drive, open_drive
from edge.errors import ClipError, DriveError, EdgeError, VideoError
from edge.isolate import Bounds
from edge.manifest import CameraEntry
from edge.video.camera import Camera, VideoFile
from trigger.baseline import SECOND_NS
from trigger.campaign import Campaign

BOUNDS = Bounds(cpu_s=300, wall_s=900.0, memory_bytes=3 * 1024**3)
"""Of one clip; a minute of 4K video needs about a tenth of it."""
CODECS = ("h264", "hevc")
MOST_PIXELS = 8192 * 4320
MOST_FRAMES_A_SECOND = 240
LONGEST_PRE_ROLL_NS = 60 * SECOND_NS


class Code(StrEnum):
    BAD_MANIFEST = "bad_manifest"
    BAD_OFFER = "bad_offer"
    WRONG_CLIP = "wrong_clip"
    WRONG_FILE = "wrong_file"
    BAD_TELEMETRY = "bad_telemetry"
    BAD_CONTAINER = "bad_container"
    BAD_CODEC = "bad_codec"
    BAD_SIZE = "bad_size"
    BAD_TIMES = "bad_times"
    BAD_FRAMES = "bad_frames"
    NO_PROBABILITY = "no_probability"
    CRASHED = "crashed"
    UNCHECKABLE = "uncheckable"


class Unfit(ClipError):
    """A clip that is not admitted, with the code of the reason."""

    def __init__(self, code: Code, got: str, wanted: str, todo: str = "cut it again") -> None:
        super().__init__(got, wanted, todo)
        self.code = code

    def __reduce__(self) -> tuple[type[Unfit], tuple[Code, str, str, str]]:  # type: ignore[override]
        return type(self), (self.code, self.got, self.wanted, self.todo)


@dataclass(frozen=True)
class Checked:
    """A clip that is what it says; `doubts` are the claims it does not bear out."""

    clip_id: str
    doubts: Doubts


def check(folder: Path, campaigns: Sequence[Campaign] = ()) -> Checked:
    """Raises Unfit at the first thing that is wrong; whatever a foreign file makes the checks stumble over is one."""
    try:
        return _check(folder, campaigns)
    except Unfit:
        raise
    except EdgeError as error:
        raise Unfit(Code.UNCHECKABLE, error.got, error.wanted, error.todo) from error
    except (ArithmeticError, LookupError, MemoryError, OSError, TypeError, ValueError) as error:
        raise Unfit(Code.UNCHECKABLE, f"{folder.name[:12]} cannot be checked: {error!r}", "a clip") from error


def _check(folder: Path, campaigns: Sequence[Campaign]) -> Checked:
    clip = _clip(folder)
    for name, entry in clip.manifest.cameras.items():
        _check_container(name, folder / entry.file)
    drive = _drive(folder)
    for name, entry in clip.manifest.cameras.items():
        _check_stream(name, drive.cameras[name], entry, clip)
        _check_frames(name, drive.cameras[name])
    _check_probabilities(clip, drive)
    return Checked(clip.id, doubts(clip, drive, campaigns))


def _clip(folder: Path) -> Clip:
    try:
        clip = open_clip(folder)
    except DriveError as error:
        raise Unfit(Code.BAD_MANIFEST, error.got, error.wanted, error.todo) from error
    except ClipError as error:
        raise Unfit(Code.BAD_OFFER, error.got, error.wanted, error.todo) from error
    if clip.id != folder.name:
        got = f"a clip {clip.id[:12]} in the place of {folder.name[:12]}"
        raise Unfit(Code.WRONG_CLIP, got, "one id", "push it again")
    try:
        clip.verify()
    except ClipError as error:
        raise Unfit(Code.WRONG_FILE, error.got, error.wanted, error.todo) from error
    return clip


def _check_container(name: str, path: Path) -> None:
    """ISO/IEC 14496-12, 4.3: a file begins with its type. So no other demuxer is ever let at it, playlists least."""
    with path.open("rb") as file:
        head = file.read(8)
    if head[4:] != b"ftyp":
        raise Unfit(Code.BAD_CONTAINER, f"camera {name}: {path.name} begins with {head!r}", "an MP4 file")


def _drive(folder: Path) -> Drive:
    try:
        return open_drive(folder)
    except VideoError as error:
        raise Unfit(Code.BAD_CONTAINER, error.got, error.wanted, error.todo) from error
    except DriveError as error:
        raise Unfit(Code.BAD_TELEMETRY, error.got, error.wanted, error.todo) from error


def _check_stream(name: str, camera: Camera, entry: CameraEntry, clip: Clip) -> None:
    """What the container says of its video, before a frame of it is decoded."""
    assert isinstance(camera, VideoFile)
    if camera.codec not in CODECS or camera.codec != entry.codec:
        raise Unfit(Code.BAD_CODEC, f"camera {name}: {camera.codec}, said to be {entry.codec}", " or ".join(CODECS))
    width, height = camera.size
    if (width, height) != (entry.width, entry.height) or not 0 < width * height <= MOST_PIXELS:
        got = f"camera {name}: {width} x {height}, said to be {entry.width} x {entry.height}"
        raise Unfit(Code.BAD_SIZE, got, f"the same, and at most {MOST_PIXELS} pixels")
    start, end = clip.cut.window_ns
    span_ns = end - start + LONGEST_PRE_ROLL_NS
    t_ns = camera.windowed(-(1 << 62), 1 << 62).frame_times()
    if int(t_ns[0]) < start - LONGEST_PRE_ROLL_NS or int(t_ns[-1]) >= end + LONGEST_PRE_ROLL_NS:
        raise Unfit(Code.BAD_TIMES, f"camera {name} has frames far outside the clip's window", "those of the window")
    if camera.total_frames != entry.frames or entry.frames > span_ns / SECOND_NS * MOST_FRAMES_A_SECOND:
        got = f"camera {name}: {camera.total_frames} frames, said to be {entry.frames}"
        raise Unfit(Code.BAD_FRAMES, got, f"the same, and at most {MOST_FRAMES_A_SECOND} a second")


def _check_frames(name: str, camera: Camera) -> None:
    expected = len(camera.frame_times())
    decoded = sum(1 for _ in camera.frames())
    if camera.lost or decoded != expected:
        got = f"camera {name}: {decoded} of the window's {expected} frames decode"
        raise Unfit(Code.BAD_FRAMES, got, "all of them")


def _check_probabilities(clip: Clip, drive: Drive) -> None:
    start, end = clip.cut.window_ns
    try:
        for second in range((start - drive.t0_ns) // SECOND_NS, (end - drive.t0_ns) // SECOND_NS):
            clip.offer.probability(second)
    except ClipError as error:
        raise Unfit(Code.NO_PROBABILITY, error.got, error.wanted, error.todo) from error
