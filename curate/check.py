"""Is a clip what it says it is, and fit to learn from? Every hash, frame, probability and claim; every kind of defect.

Runs in a child with limits (`edge.isolate`), as it feeds decoders with files from anywhere. A container or codec that
is not expected is not opened at all. What a clip is not ends the check at once, with a code that machines can count by:
one may be added, none is ever renamed. Its video is decoded once, while `curate.look` makes of it what later steps
need; then the kinds of defect (`curate.defects`) are judged by that, all of them. Those that somebody looked at and
overrode (`curate.quarantine`) no longer keep it out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from curate.claims import Doubts, doubts
from curate.clipref import ClipRef
from curate.defects.finding import Finding, Severity
from curate.defects.judge import judge
from curate.defects.scene import Scene, Sight
from curate.errors import CurateError
from curate.look import look, read_look
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
    """A clip that is not admitted: the code of the reason, and the defects that were found, if it is one of them."""

    def __init__(
        self, code: str, got: str, wanted: str, todo: str = "cut it again", findings: tuple[Finding, ...] = ()
    ) -> None:
        super().__init__(got, wanted, todo)
        self.code, self.findings = code, findings

    def __reduce__(self) -> tuple[type[Unfit], tuple[str, str, str, str, tuple[Finding, ...]]]:  # type: ignore[override]
        return type(self), (self.code, self.got, self.wanted, self.todo, self.findings)


@dataclass(frozen=True)
class Checked:
    """A clip that is what it says; `doubts` are the claims it does not bear out, `findings` what is said of it."""

    clip_id: str
    doubts: Doubts
    findings: tuple[Finding, ...] = ()


Overridden = Mapping[str, Collection[str]]
"""By clip id, the codes of defects that somebody looked at and let pass."""
NONE: Overridden = {}


def check(ref: ClipRef, campaigns: Sequence[Campaign] = (), overridden: Overridden = NONE) -> Checked:
    """Check a clip, and look at it (`curate.look`).

    Raises:
        Unfit: it is not what it says, or not fit to learn from; whatever a foreign file makes the checks stumble over.
        StoreError: the store cannot be written, which is no fault of the clip.
    """
    try:
        return _check(ref, campaigns, overridden.get(ref.clip_id, ()))
    except (Unfit, CurateError):
        raise
    except EdgeError as error:
        raise Unfit(Code.UNCHECKABLE, error.got, error.wanted, error.todo) from error
    except (ArithmeticError, LookupError, MemoryError, OSError, TypeError, ValueError) as error:
        raise Unfit(Code.UNCHECKABLE, f"{ref.clip_id[:12]} cannot be checked: {error!r}", "a clip") from error


def _check(ref: ClipRef, campaigns: Sequence[Campaign], overridden: Collection[str]) -> Checked:
    clip = _clip(ref.folder)
    for name, entry in clip.manifest.cameras.items():
        _check_container(name, ref.folder / entry.file)
    drive = _drive(ref.folder)
    for name, entry in clip.manifest.cameras.items():
        _check_stream(name, drive.cameras[name], entry, clip)
    _check_probabilities(clip, drive)
    _look(ref)
    findings = judge(_scene(clip, drive, ref))
    _check_findings(findings, overridden)
    return Checked(clip.id, doubts(clip, drive, campaigns), findings)


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


def _look(ref: ClipRef) -> None:
    try:
        look(ref)
    except VideoError as error:
        raise Unfit(Code.BAD_FRAMES, error.got, error.wanted, error.todo) from error


def _scene(clip: Clip, drive: Drive, ref: ClipRef) -> Scene:
    seen = read_look(ref).cameras
    cameras = {name: Sight(camera.t_ns, camera.thumbs) for name, camera in seen.items()}
    return Scene(clip.cut.window_ns, cameras, drive.telemetry.between(-(1 << 62), clip.cut.window_ns[1]))


def _check_findings(findings: tuple[Finding, ...], overridden: Collection[str]) -> None:
    bad = [f for f in findings if f.severity is Severity.QUARANTINE and f.code not in overridden]
    if bad:
        got = "; ".join(f"{finding.where}: {finding.evidence}" for finding in bad)
        todo = "mend the recorder; where the clip is right, run: swerve curate readmit CLIP_ID --store STORE --why TEXT"
        raise Unfit(bad[0].code, got, "a sound recording", todo, tuple(bad))


def _check_probabilities(clip: Clip, drive: Drive) -> None:
    start, end = clip.cut.window_ns
    try:
        for second in range((start - drive.t0_ns) // SECOND_NS, (end - drive.t0_ns) // SECOND_NS):
            clip.offer.probability(second)
    except ClipError as error:
        raise Unfit(Code.NO_PROBABILITY, error.got, error.wanted, error.todo) from error
