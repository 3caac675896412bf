"""Admit what has arrived: every hash, every frame count, every second's probability; or quarantine with a reason."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from curate.store import Store
from edge.clip import Clip, open_clip
from edge.destination import CLIPS, INBOX, QUARANTINE
from edge.drive import open_drive
from edge.durable import sync_folder, write_bytes
from edge.errors import ClipError, EdgeError
from edge.manifest import canonical_json
from trigger.baseline import SECOND_NS

REASON = "reason.json"


@dataclass(frozen=True)
class Admission:
    """What became of one clip; `reason` is empty when it was admitted."""

    clip_id: str
    reason: str


def admit(store: Store) -> list[Admission]:
    """Move every clip of the inbox to `clips/` or to `quarantine/`; a second run finds nothing to do."""
    return [_admit_one(store, folder) for folder in store.folders(INBOX)]


def _admit_one(store: Store, folder: Path) -> Admission:
    refusal = _refusal(folder)
    if refusal:
        parts = {"got": refusal.got, "wanted": refusal.wanted, "todo": refusal.todo}
        write_bytes(folder / REASON, canonical_json(parts))
    place = store.root / (QUARANTINE if refusal else CLIPS)
    place.mkdir(exist_ok=True)
    sync_folder(store.root)
    target = place / folder.name
    if target.exists() and not refusal:  # committed twice at once; clips are what their id says, so one is enough
        shutil.rmtree(folder)
    else:
        folder.rename(target if not target.exists() else place / f"{folder.name}.{uuid4().hex[:8]}")
    for parent in (place, folder.parent):
        sync_folder(parent)
    return Admission(folder.name, str(refusal) if refusal else "")


def _refusal(folder: Path) -> EdgeError | None:
    """Why a clip is not admitted; whatever a foreign file makes the checks stumble over is a reason, never a crash."""
    try:
        check(folder)
    except EdgeError as error:
        return error
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        return ClipError(f"{folder.name[:12]} cannot be checked: {error!r}", "a clip", "cut it again")
    return None


def check(folder: Path) -> Clip:
    """Raises EdgeError at the first thing that is wrong with a clip."""
    clip = open_clip(folder)
    if clip.id != folder.name:
        raise ClipError(f"a clip {clip.id[:12]} in the place of {folder.name[:12]}", "one id", "push it again")
    clip.verify()
    drive = open_drive(folder)
    for name in clip.manifest.cameras:
        camera = drive.cameras[name]
        decoded = sum(1 for _ in camera.frames())
        if camera.lost or decoded != len(camera.frame_times()):
            raise ClipError(
                f"camera {name}: {decoded} of the window's {len(camera.frame_times())} frames decode",
                "all of them",
                "cut it again",
            )
    start, end = clip.cut.window_ns
    for second in range((start - drive.t0_ns) // SECOND_NS, (end - drive.t0_ns) // SECOND_NS):
        clip.offer.probability(second)
    return clip
