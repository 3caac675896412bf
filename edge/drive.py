"""A recorded drive, whatever recorded it: telemetry, cameras, and what was lost on reading.

`open_drive(path)` opens one; `find_drives(path)` lists what a folder holds. Recorders live in
`edge/recorders/`, one file a format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.errors import DriveError
from trigger.event import Event
from trigger.telemetry import Recorded, Times
from trigger.vehicle import UNKNOWN_VEHICLE, VehicleProfile

if TYPE_CHECKING:
    from edge.video.camera import Camera
    from edge.video.geometry import CameraGeometry


@dataclass(frozen=True)
class Cut:
    """What makes a drive a clip: where it was cut from, and why.

    Attributes:
        parent: id of the drive it was cut from; the clip keeps that drive's clock and its second 0.
        fingerprint: of the parent's first samples: two recordings that share an id still differ in it.
        parent_seconds: how many seconds of the grid that drive has.
        window_ns: [start, end) on that clock, whole seconds of the parent.
        events: the events whose windows it covers.
        pre_roll: camera name to the number of decoded frames before the window.
        engagement: changes of the engaged state from 30 s before the window on, (t_ns, engaged).
    """

    parent: str
    fingerprint: str
    parent_seconds: int
    window_ns: tuple[int, int]
    events: tuple[Event, ...]
    pre_roll: Mapping[str, int]
    engagement: tuple[tuple[int, bool], ...]

    @property
    def recording(self) -> str:
        """The drive it was cut from, told apart from another that goes by the same id."""
        return f"{self.parent}#{self.fingerprint[:8]}"


@dataclass(frozen=True)
class Drive:
    """One recorded drive.

    Attributes:
        id: stable name of the recording; the same bytes give the same id wherever they lie.
        recorder: name of the format it was read from.
        t0_ns: start of second 0, int ns on the drive's clock; the sampling grid of `swerve edge scan`.
        cameras: name to camera, each on its own clock, told in the drive's.
        engagement: what "engaged" means in this recording; "" where it does not record it.
        consent: True or False where the recording says whether it may be shared, else None.
        static: further facts that do not change during the drive.
        geometry: camera name to where it sits and how it sees, of those of which that is known.
        lost: what could not be read, in words. notes: what the reader wants to be known, such as a doubtful sign.
    """

    id: str
    recorder: str
    source: Path
    t0_ns: int
    telemetry: Recorded
    cameras: Mapping[str, Camera]
    vehicle: VehicleProfile = UNKNOWN_VEHICLE
    engagement: str = ""
    consent: bool | None = None
    static: Mapping[str, Any] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cut: Cut | None = None
    geometry: Mapping[str, CameraGeometry] = field(default_factory=dict)

    @cached_property
    def span_ns(self) -> tuple[int, int]:
        """[start, end) of all that was recorded, telemetry and cameras, int ns."""
        shown = [t_ns for camera in self.cameras.values() if len(t_ns := camera.frame_times())]
        spans = [(int(t_ns[0]), int(t_ns[-1])) for t_ns in shown]
        spans += [self.telemetry.span_ns] if self.telemetry.span_ns else []
        if not spans:
            return self.t0_ns, self.t0_ns
        return min(first for first, _ in spans), max(last for _, last in spans) + 1

    def seconds_of(self, times: Iterable[Times]) -> NDArray[np.int64]:
        """Numbers of the seconds of the grid in which any of the times (N,) int64 ns lies, each once, in order."""
        numbers = [np.unique((t_ns - self.t0_ns) // 1_000_000_000) for t_ns in times]
        found = np.unique(np.concatenate([np.empty(0, np.int64), *numbers]))
        return found[(found >= 0) & (found < self.seconds)]

    @cached_property
    def recorded_seconds(self) -> int:
        """How many seconds of the grid hold a sample or a frame: what was driven, without the pauses."""
        frames = (camera.frame_times() for camera in self.cameras.values())
        return int(self.seconds_of(chain(frames, (block.t_ns for block in self.telemetry.blocks()))).size)

    @property
    def seconds(self) -> int:
        """How many seconds of the grid the drive touches."""
        return max(0, -((self.t0_ns - self.span_ns[1]) // 1_000_000_000))


class Recorder(Protocol):
    """One recording format: a module of `edge.recorders`. `GIVES` and `LACKS` say in words what it can and cannot."""

    NAME: str
    GIVES: str
    LACKS: str

    def matches(self, path: Path) -> list[Path]:
        """The drives of this format that `path` itself is or directly holds; empty when it is not one."""

    def open(self, path: Path) -> Drive:
        """Open one of them. Raises DriveError."""


def open_drive(path: Path | str) -> Drive:
    """Open the one drive at `path`.

    Raises:
        DriveError: nothing there, not a known recording, or several drives.
    """
    found = find_drives(Path(path))
    if len(found) > 1:
        names = ", ".join(p.name for _, p in found[:4])
        raise DriveError(f"{path} holds {len(found)} drives ({names}, ...)", "one drive", "name one of them")
    recorder, where = found[0]
    return recorder.open(where)


def find_drives(path: Path) -> list[tuple[Recorder, Path]]:
    """All drives at or below `path`, in the order of their names.

    Raises:
        DriveError: `path` does not exist, is empty, or holds no known recording.
    """
    found = list(_search(path))  # first: an episode inside a dataset has a name but no file of its own
    if not found and not path.exists():
        raise DriveError(f"{path} does not exist", "a recording or a folder of recordings", "check the path")
    if not found:
        empty = path.is_dir() and not any(path.iterdir())
        raise DriveError(
            f"{path} is {'empty' if empty else 'not a recording swerve knows'}",
            "a recording in a format that swerve edge formats lists",
            "see docs/recorders.md for what each format must hold",
        )
    return found


def recorder_named(name: str) -> Recorder:
    from edge.recorders import RECORDERS

    return next(recorder for recorder in RECORDERS if name == recorder.NAME)


def _search(path: Path) -> Iterator[tuple[Recorder, Path]]:
    from edge.recorders import RECORDERS

    for recorder in RECORDERS:
        drives = recorder.matches(path)
        if drives:
            yield from ((recorder, drive) for drive in drives)
            if recorder is not RECORDERS[-1]:  # a folder of loose videos may hold recordings below it
                return
    if path.is_dir():
        for child in sorted(path.iterdir()):
            if child.is_dir() and not child.name.startswith("."):
                yield from _search(child)
