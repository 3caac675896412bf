"""What became of a clip after its receipt: where the nightly admission has put it, and why.

    received      in the inbox; nobody has looked at it yet
    admitted      every frame decodes and every second has a probability; datasets are made of it
    quarantined   refused, with the code of `curate.check.Code` as the reason; kept
    moved         no longer where clips are admitted or refused; whoever runs the store has taken it elsewhere

With it the dataset versions that were made of the clip, oldest first.

Read from where the clip lies, from the versions' heads and nowhere else, so that it cannot disagree with the store.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from curate.service.shelf import Shelf
from curate.version.membership import is_made_of
from edge.upload.destination import CLIPS, INBOX, QUARANTINE

STATES = {INBOX: "received", CLIPS: "admitted", QUARANTINE: "quarantined"}


def status(shelf: Shelf, copies: Path, clip_id: str) -> dict[str, Any]:
    """State of a committed clip, the reason's code of one that was refused, and names of versions; `copies` as in
    `Shelf.heads`.
    """
    kept = shelf.find(clip_id)
    told: dict[str, Any] = {"clip": clip_id, "state": STATES[kept.place] if kept else "moved"}
    told["versions"] = [name for name, head in shelf.heads(copies) if _is_made_of(head, clip_id)]
    return told | ({"reason": _code(shelf.reason(clip_id))} if told["state"] == "quarantined" else {})


def _is_made_of(head: Path, clip_id: str) -> bool:
    """A version that is only half there, or was just taken away, names nobody."""
    with suppress(FileNotFoundError):
        return is_made_of(head, clip_id)
    return False


def _code(reason: bytes) -> str:
    try:
        return str(json.loads(reason)["reason"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "unknown"
