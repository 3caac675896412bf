"""The way back out of quarantine: somebody looked at a clip, and says why a defect that was found is none.

`readmitted/<clip id>.json` of a store names the codes that no longer keep the clip out, and why. It lies outside the
clip, whose files come from the car. The clip returns to the inbox and is checked in full on the next night: only the
kinds of defect can be let pass, never what a clip is not (its hashes, its files, its frames).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curate.defects.finding import Defect
from curate.errors import StoreError
from curate.store import Store
from edge.durable import sync_folder, write_bytes
from edge.manifest import canonical_json, strict_json
from edge.upload.destination import CLIPS, INBOX, QUARANTINE

READMITTED, REASON = "readmitted", "reason.json"
FEWEST_LETTERS = 8
"""Of a clip's id, so that a slip of the hand does not name one."""


@dataclass(frozen=True)
class Readmission:
    """Codes of the defects that are let pass, in order, and why."""

    codes: tuple[str, ...]
    why: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"codes": list(self.codes)}


def readmissions(root: Path) -> Mapping[str, Readmission]:
    """All of the store at `root`, by clip id. Raises StoreError where one is damaged."""
    return {path.stem: _read(path) for path in sorted((root / READMITTED).glob("*.json"))}


def readmit(store: Store, name: str, why: str) -> tuple[str, Readmission]:
    """Let a quarantined clip pass: back to the inbox it goes, to be checked again. Done twice, it is done once.

    Args:
        name: id of the clip, or its first letters.

    Returns:
        id of the clip, and what was written down.

    Raises:
        StoreError: no such clip or several, no reason given, a reason that cannot be overridden, or a night at work.
    """
    if (store.root / ".bucket").is_file():
        got = f"{store.root} is the copy of a bucket, and the next night makes it equal to that again"
        raise StoreError(got, "a store in a folder", "push the clip again, after its defect is mended")
    if not why.strip():
        raise StoreError("no reason", "why the clip is right after all", 'give one, for example: --why "fog"')
    with store.locked():
        folder = _quarantined(store, name)
        clip_id = folder.name.partition(".")[0]
        known = readmissions(store.root).get(clip_id)
        codes = {*_codes(folder), *(known.codes if known else ())}
        for place in (CLIPS, INBOX):
            if (store.root / place / clip_id).exists():
                raise StoreError(f"{clip_id[:12]} lies in {place}/ already", "a clip that was refused", "nothing to do")
        readmission = Readmission(tuple(sorted(codes)), why.strip())
        write_bytes(store.root / READMITTED / f"{clip_id}.json", canonical_json(readmission.to_json()))
        sync_folder(store.root)
        (store.root / INBOX).mkdir(exist_ok=True)
        folder.rename(store.root / INBOX / clip_id)
        for parent in (folder.parent, store.root / INBOX):
            sync_folder(parent)
    return clip_id, readmission


def _quarantined(store: Store, name: str) -> Path:
    """The newest copy of the one clip that is meant."""
    found = [f for f in store.folders(QUARANTINE) if len(name) >= FEWEST_LETTERS and f.name.startswith(name)]
    if not found:
        raise StoreError(
            f"no clip {name!r} in {store.root / QUARANTINE}",
            f"the id of a quarantined clip, or its first {FEWEST_LETTERS} letters and more",
            f"look into {store.root / QUARANTINE}",
        )
    if len({f.name.partition(".")[0] for f in found}) > 1:
        names = ", ".join(f.name[:16] for f in found[:4])
        raise StoreError(f"{name!r} may be {names}", "one clip", "give more of its id")
    return max(found, key=lambda f: f.stat().st_mtime_ns)


def _codes(folder: Path) -> list[str]:
    """Codes of the defects for which the clip was refused. Raises StoreError where it was for something else."""
    try:
        said = strict_json((folder / REASON).read_bytes())
        reason, codes = str(said["reason"]), [str(finding["code"]) for finding in said.get("findings", [])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        got = f"{folder} has no readable {REASON}: {error!r}"
        raise StoreError(got, "why it was refused", "push it again") from error
    if not codes or not {reason, *codes} <= set(Defect):
        raise StoreError(
            f"{folder.name[:12]} was refused as {reason}: it is not what it says",
            f"a defect that can be judged: {', '.join(Defect)}",
            "cut the clip again, and push it",
        )
    return codes


def _read(path: Path) -> Readmission:
    try:
        said = json.loads(path.read_bytes())
        codes = tuple(str(code) for code in said["codes"])
        if not set(codes) <= set(Defect):
            raise ValueError(f"codes {codes}")
        return Readmission(codes, str(said["why"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        got = f"{path} cannot be read: {error!r}"
        raise StoreError(got, "codes and why", "remove it and readmit again") from error
