"""A reference to one admitted clip: what the steps of the night hand around instead of video."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MADE = "made"
"""Folder of a store: what was made of a clip and can be made again, one sub-folder a clip."""


@dataclass(frozen=True)
class ClipRef:
    """A clip, and the folder for what is made of it; each stage has a sub-folder of its own there, whole or absent."""

    clip_id: str
    folder: Path
    made: Path


def refs_of(root: Path, folders: list[Path]) -> list[ClipRef]:
    """References to the clips in these folders of the store at `root`, in their order."""
    return [ClipRef(folder.name, folder, root / MADE / folder.name) for folder in folders]
