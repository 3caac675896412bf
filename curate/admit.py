"""Admit what has arrived, or quarantine it with a reason; what was found out goes with the clip.

`admission.json` beside an admitted clip names the claims it does not bear out or nobody here can check, the defects
that were noted and those that somebody let pass; `reason.json` beside a refused one says why, with a code. Nothing that
arrived is deleted. What was made of a clip on the way (`curate.look`) stays with an admitted one, and goes with a
refused one.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from curate.check import BOUNDS, Checked, Code, Unfit, check
from curate.clipref import ClipRef, refs_of
from curate.defects.finding import Finding, Severity
from curate.quarantine import Readmission, readmissions
from curate.stage import children
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
    """What became of one clip; `reason` and `code` are empty when it was admitted, `noted` are codes of its defects."""

    clip_id: str
    reason: str = ""
    code: str = ""
    refuted: int = 0
    noted: tuple[str, ...] = ()
    unchecked: int = 0


def admit(store: Store) -> list[Admission]:
    """Move every clip of the inbox to `clips/` or to `quarantine/`; a second run finds nothing to do.

    Raises:
        CampaignFileError: a campaign of the store cannot be followed; nothing was moved.
        StoreError: the store cannot be written; what was not moved lies where it lay.
    """
    refs = refs_of(store.root, store.folders(INBOX))
    let_pass = readmissions(store.root)
    codes = {clip_id: readmission.codes for clip_id, readmission in let_pass.items()}
    job = partial(check, campaigns=store.campaigns(), overridden=codes)
    found = zip(refs, each(job, refs, BOUNDS, children()), strict=True)
    return [_move(store, ref, checked, let_pass.get(ref.clip_id)) for ref, checked in found]


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


def _move(store: Store, ref: ClipRef, found: Checked | EdgeError, let_pass: Readmission | None) -> Admission:
    if isinstance(found, Checked):
        admission = _admission(found, let_pass)
        write_bytes(ref.folder / ADMISSION, canonical_json(_said(found, let_pass)))
    else:
        admission = Admission(ref.clip_id, str(found), _code(found))
        write_bytes(ref.folder / REASON, canonical_json(_reason(found)))
        if not (store.root / CLIPS / ref.clip_id).exists():  # what was made of an admitted clip of that name is its own
            shutil.rmtree(ref.made, ignore_errors=True)
    place = store.root / (QUARANTINE if admission.code else CLIPS)
    place.mkdir(exist_ok=True)
    sync_folder(store.root)
    target = place / ref.clip_id
    if target.exists() and not admission.code:  # committed twice at once; clips are what their id says: one is enough
        shutil.rmtree(ref.folder)
    else:
        ref.folder.rename(target if not target.exists() else place / f"{ref.clip_id}.{uuid4().hex[:8]}")
    for parent in (place, ref.folder.parent):
        sync_folder(parent)
    return admission


def _admission(found: Checked, let_pass: Readmission | None) -> Admission:
    passed = let_pass.codes if let_pass else ()
    noted = {f.code.value for f in found.findings if f.severity is Severity.NOTED or f.code in passed}
    doubts = found.doubts
    return Admission(
        found.clip_id, refuted=len(doubts.refuted), unchecked=len(doubts.unchecked), noted=tuple(sorted(noted))
    )


def _said(found: Checked, let_pass: Readmission | None) -> dict[str, Any]:
    said: dict[str, Any] = {
        **{name: [[event.kind, event.t_ns] for event in events] for name, events in vars(found.doubts).items()},
        "findings": _findings(found.findings),
    }
    return said | ({"readmitted": let_pass.to_json()} if let_pass else {})


def _reason(error: EdgeError) -> dict[str, Any]:
    parts = {"reason": _code(error), "got": error.got, "wanted": error.wanted, "todo": error.todo}
    return parts | {"findings": _findings(error.findings if isinstance(error, Unfit) else ())}


def _findings(findings: tuple[Finding, ...]) -> list[dict[str, str]]:
    return [{"code": f.code, "severity": f.severity, "where": f.where, "evidence": f.evidence} for f in findings]


def _code(error: EdgeError) -> str:
    if isinstance(error, Unfit):
        return error.code
    return Code.CRASHED if isinstance(error, ChildDied) else Code.UNCHECKABLE
