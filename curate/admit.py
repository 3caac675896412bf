"""Admit what has arrived: every hash, every frame count, every second's probability; or quarantine with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
    try:
        check(folder)
        reason = ""
    except EdgeError as error:
        reason = str(error)
        write_bytes(folder / REASON, canonical_json({"got": error.got, "wanted": error.wanted, "todo": error.todo}))
    target = store.root / (QUARANTINE if reason else CLIPS) / folder.name
    target.parent.mkdir(exist_ok=True)
    folder.rename(target)
    for parent in (target.parent, folder.parent):
        sync_folder(parent)
    return Admission(folder.name, reason)


def check(folder: Path) -> Clip:
    """Raises EdgeError at the first thing that is wrong with a clip."""
    clip = open_clip(folder)
    if clip.id != folder.name:
        raise ClipError(f"a clip {clip.id[:12]} in the place of {folder.name[:12]}", "one id", "push it again")
    clip.verify()
    drive = open_drive(folder)
    for name, entry in clip.manifest.cameras.items():
        camera = drive.cameras[name]
        decoded = sum(1 for _ in camera.frames())
        if camera.lost or decoded != len(camera.frame_times()):
            raise ClipError(
                f"camera {name}: {decoded} of {len(camera.frame_times())} frames decode",
                f"all of {entry.frames}",
                "cut it again",
            )
    start, end = clip.cut.window_ns
    for second in range((start - drive.t0_ns) // SECOND_NS, (end - drive.t0_ns) // SECOND_NS):
        clip.offer.probability(second)
    return clip
