"""Admit what has arrived, or quarantine it with a reason; what was found out goes with the clip.

`admission.json` beside an admitted clip names the claims it does not bear out, or nobody here can check; `reason.json`
beside a refused one says why, with a code. Nothing is deleted.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

from curate.check import BOUNDS, Checked, Code, Unfit, check
from curate.store import Store
from edge.durable import sync_folder, write_bytes
from edge.errors import EdgeError
from edge.isolate import ChildDied, each
from edge.manifest import canonical_json
from edge.upload.destination import CLIPS, INBOX, QUARANTINE

REASON, ADMISSION = "reason.json", "admission.json"
Claims = frozenset[tuple[str, int]]
"""Kind and onset, int ns, of each."""


@dataclass(frozen=True)
class Admission:
    """What became of one clip; `reason` and `code` are empty when it was admitted."""

    clip_id: str
    reason: str = ""
    code: str = ""
    refuted: int = 0
    unchecked: int = 0


def admit(store: Store) -> list[Admission]:
    """Move every clip of the inbox to `clips/` or to `quarantine/`; a second run finds nothing to do.

    Raises:
        CampaignFileError: a campaign of the store cannot be followed; nothing was moved.
    """
    folders = store.folders(INBOX)
    job = partial(check, campaigns=store.campaigns())
    return [_move(store, *pair) for pair in zip(folders, each(job, folders, BOUNDS), strict=True)]


@dataclass(frozen=True)
class Doubted:
    """The claims of an admitted clip that gain no weight; none where nothing was written down."""

    refuted: Claims = frozenset()
    unchecked: Claims = frozenset()


def doubted_claims(folder: Path) -> Doubted:
    """What was written down of an admitted clip; an earlier swerve refuted what it could not check."""
    try:
        told = json.loads((folder / ADMISSION).read_bytes())
        lists = (told["refuted"], told.get("unchecked", []))
        return Doubted(*(frozenset((str(kind), int(t_ns)) for kind, t_ns in claims) for claims in lists))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Doubted()


def _move(store: Store, folder: Path, found: Checked | EdgeError) -> Admission:
    if isinstance(found, Checked):
        told = {name: [[event.kind, event.t_ns] for event in events] for name, events in vars(found.doubts).items()}
        write_bytes(folder / ADMISSION, canonical_json(told))
        admission = Admission(folder.name, refuted=len(told["refuted"]), unchecked=len(told["unchecked"]))
    else:
        code = _code(found)
        parts = {"reason": code, "got": found.got, "wanted": found.wanted, "todo": found.todo}
        write_bytes(folder / REASON, canonical_json(parts))
        admission = Admission(folder.name, str(found), code)
    place = store.root / (QUARANTINE if admission.code else CLIPS)
    place.mkdir(exist_ok=True)
    sync_folder(store.root)
    target = place / folder.name
    if target.exists() and not admission.code:  # committed twice at once; clips are what their id says: one is enough
        shutil.rmtree(folder)
    else:
        folder.rename(target if not target.exists() else place / f"{folder.name}.{uuid4().hex[:8]}")
    for parent in (place, folder.parent):
        sync_folder(parent)
    return admission


def _code(error: EdgeError) -> Code:
    if isinstance(error, Unfit):
        return error.code
    return Code.CRASHED if isinstance(error, ChildDied) else Code.UNCHECKABLE
