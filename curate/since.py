"""Clips by when they were recorded, which is theirs for ever; when they arrived depends on the store they are in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge.clip import open_clip
from edge.errors import EdgeError


def clips_since(folders: Sequence[Path], since_ns: int | None) -> list[Path]:
    """Those whose window begins at or after a time, in ns since 1970; all where there is none.

    A recorder that knew no date counts from 1970 and is left out; a clip that cannot be read is for others to tell.
    """
    return [folder for folder in folders if since_ns is None or _begins_since(folder, since_ns)]


def _begins_since(folder: Path, since_ns: int) -> bool:
    try:
        return open_clip(folder).cut.window_ns[0] >= since_ns
    except EdgeError:
        return True
