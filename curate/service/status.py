"""What became of a clip after its receipt: where the nightly admission has put it, and why.

    received      in the inbox; nobody has looked at it yet
    admitted      every frame decodes and every second has a probability; datasets are made of it
    quarantined   refused, with the code of `curate.check.Code` as the reason; kept
    moved         no longer where clips are admitted or refused; whoever runs the store has taken it elsewhere

Read from where the clip lies and nowhere else, so that it cannot disagree with the store.
"""

from __future__ import annotations

import json

from curate.service.shelf import Shelf
from edge.upload.destination import CLIPS, INBOX, QUARANTINE

STATES = {INBOX: "received", CLIPS: "admitted", QUARANTINE: "quarantined"}


def status(shelf: Shelf, clip_id: str) -> dict[str, str]:
    """State of a committed clip, and the reason's code of one that was refused."""
    kept = shelf.find(clip_id)
    told = {"clip": clip_id, "state": STATES[kept.place] if kept else "moved"}
    return told | ({"reason": _code(shelf.reason(clip_id))} if told["state"] == "quarantined" else {})


def _code(reason: bytes) -> str:
    try:
        return str(json.loads(reason)["reason"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "unknown"
