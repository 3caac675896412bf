"""Inputs: every clip that a version was made of, by a hash over its files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from edge.clip import open_clip


def inputs_of(folders: Iterable[Path]) -> dict[str, str]:
    """Clip id to `Clip.digest`, sorted; what the manifests say, as admission has held the files against them.

    Raises:
        EdgeError: a clip that cannot be read.
    """
    clips = (open_clip(folder) for folder in sorted(folders))
    return {clip.id: clip.digest for clip in clips}
