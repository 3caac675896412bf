"""Cut clips: which stretches of a drive to keep (pure), and writing them.

Windows are widened to whole seconds of the drive, the unit in which inclusion is known; those that overlap or
touch share one clip. Video that is already compressed is copied packet by packet; images are encoded once.
Telemetry begins 30 s before the picture: all the context any trigger may need to be run again on the clip.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import numpy as np

from edge.clip import open_clip
from edge.drive import Cut, Drive
from edge.durable import PREFIX, sync_folder, write_bytes
from edge.errors import EdgeError
from edge.gathered import collected
from edge.manifest import Manifest
from edge.offer import OFFER, Offer, run_lengths
from edge.scan import Scan, inclusion, whole_seconds
from edge.stored import part_of
from edge.write import CameraWriter, head_of, write_camera, write_drive
from trigger.baseline import SECOND_NS
from trigger.disengagement import engagement_changes
from trigger.event import Event
from trigger.signals import POSITION
from trigger.telemetry import Recorded, Telemetry

CONTEXT_NS = 30 * SECOND_NS


@dataclass(frozen=True)
class Stretch:
    """Seconds [first, end) of a drive, and the events whose windows they cover."""

    first: int
    end: int
    events: tuple[Event, ...]


def plan(found: Scan) -> list[Stretch]:
    """Stretches to keep, in order of time, none overlapping or touching."""
    stretches: list[Stretch] = []
    windows = sorted((*whole_seconds(found.drive, e.window_ns), i, e) for i, e in enumerate(found.events))
    for first, end, _, event in windows:
        if first >= end:
            continue
        if stretches and first <= stretches[-1].end:
            last = stretches[-1]
            stretches[-1] = Stretch(last.first, max(last.end, end), (*last.events, event))
        else:
            stretches.append(Stretch(first, end, (event,)))
    return stretches


@dataclass(frozen=True)
class Written:
    """A clip on disk; `new` is False where the very same clip lay there already."""

    folder: Path
    stretch: Stretch
    bytes: int
    new: bool


def cut(found: Scan, out: Path, position: bool = True) -> Iterator[Written]:
    """Write the clips of one scan below `out`, one at a time; stretches without a picture are left out.

    Args:
        position: False leaves latitude, longitude and heading out of the clips.
    """
    chances = inclusion(found)
    out.mkdir(parents=True, exist_ok=True)
    for stretch in plan(found):
        if cameras := _cameras(found.drive, _window(found.drive, stretch)):
            runs = run_lengths(stretch.first, chances[stretch.first : stretch.end])
            yield _write(found, stretch, cameras, runs, out, position)


def seen(drive: Drive, stretch: Stretch) -> bool:
    """Whether a camera saw anything in a stretch, so that it can be a clip."""
    window = _window(drive, stretch)
    return any(_sees(camera.frame_times(), window) for camera in drive.cameras.values())


def _write(
    found: Scan,
    stretch: Stretch,
    cameras: dict[str, CameraWriter],
    runs: tuple[tuple[int, int, float], ...],
    out: Path,
    position: bool,
) -> Written:
    drive, window = found.drive, _window(found.drive, stretch)
    temporary = out / f"{PREFIX}cut-{uuid4().hex}"
    telemetry = _telemetry(drive, window, position)
    head = _head(drive, stretch, window, telemetry)
    bind = partial(_offer, baseline=found.baseline, runs=runs)
    manifest = write_drive(temporary, head, telemetry, cameras, bind, drive.geometry)
    folder = out / f"{drive.id}_{stretch.first:04d}-{stretch.end:04d}s_{manifest.digest[:8]}"
    size = sum(p.stat().st_size for p in temporary.iterdir())
    if folder.exists() and not _is_whole(folder):
        folder.rename(out / f"{PREFIX}damaged-{uuid4().hex}")
    try:
        temporary.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        # The very same clip lies there, perhaps put there just now by another process; the terms may be others now.
        offer = (temporary / OFFER).read_bytes()
        if (folder / OFFER).read_bytes() != offer:
            write_bytes(folder / OFFER, offer)
        shutil.rmtree(temporary)
        return Written(folder, stretch, size, new=False)
    sync_folder(out)
    return Written(folder, stretch, size, new=True)


def _is_whole(folder: Path) -> bool:
    try:
        open_clip(folder).verify()
    except EdgeError:
        return False
    return True


def _offer(folder: Path, manifest: Manifest, baseline: float, runs: tuple[tuple[int, int, float], ...]) -> None:
    """Bind the offer to the finished clip."""
    (folder / OFFER).write_bytes(Offer(manifest.digest, baseline, runs).to_bytes())


def _head(drive: Drive, stretch: Stretch, window: tuple[int, int], telemetry: Recorded) -> Manifest:
    made = Cut(drive.id, fingerprint(drive), drive.seconds, window, stretch.events, {}, engagement_changes(telemetry))
    return replace(head_of(drive), id=f"{drive.id}@{stretch.first}-{stretch.end}s", cut=made)


def fingerprint(drive: Drive) -> str:
    """sha256 over the first 64 sample times and values: the same while a recording grows, another for another one."""
    head = next(drive.telemetry.blocks(), Telemetry.merge({}))
    first = head.t_ns[:64]
    nothing = np.full(first.size, np.nan)
    columns = [head.columns.get(name, nothing)[:64].tobytes() for name in sorted(set(drive.telemetry))]
    frames = [camera.frame_times()[:1].tobytes() for _, camera in sorted(drive.cameras.items())]
    return hashlib.sha256(b"".join([first.tobytes(), *columns, *frames])).hexdigest()


def _window(drive: Drive, stretch: Stretch) -> tuple[int, int]:
    return drive.t0_ns + stretch.first * SECOND_NS, drive.t0_ns + stretch.end * SECOND_NS


def _telemetry(drive: Drive, window: tuple[int, int], position: bool) -> Recorded:
    """The rows of a clip, of which there can be many: where every second is kept, a clip is as long as its drive."""
    kept = part_of(drive.telemetry, window[0] - CONTEXT_NS, window[1])
    if not position:
        kept = (Telemetry.merge({n: part.samples(n) for n in part if n not in POSITION}) for part in kept)
    return collected(kept)


def _cameras(drive: Drive, window: tuple[int, int]) -> dict[str, CameraWriter]:
    """What writes each camera that saw anything in the window."""
    return {
        name: partial(write_camera, camera, window)
        for name, camera in drive.cameras.items()
        if _sees(camera.frame_times(), window)
    }


def _sees(t_ns: np.ndarray, window: tuple[int, int]) -> bool:
    return bool(np.diff(np.searchsorted(t_ns, window))[0] > 0)
