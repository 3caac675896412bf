"""Is a version still whole? Its rows against its digest, and every file of every clip it names against its hash."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from curate.dataset import DatasetVersion, open_version
from edge.clip import open_clip
from edge.errors import EdgeError


@dataclass(frozen=True)
class Verified:
    """A version whose rows match their digest; `damaged`: clips that are missing or changed, with what is wrong."""

    version: DatasetVersion
    damaged: Mapping[str, str]


def verify(store: Path, name: str | None = None, advance: Callable[[int, int], None] = lambda *_: None) -> Verified:
    """Read all of it again.

    Args:
        advance: told how many clips were read, of how many.

    Raises:
        DatasetError: the version itself is missing or damaged.
    """
    version = open_version(store, name)
    damaged = {}
    for done, (clip_id, digest) in enumerate(version.inputs.items()):
        advance(done, len(version.inputs))
        wrong = _wrong(version.clip_folder(clip_id), digest)
        if wrong:
            damaged[clip_id] = wrong
    return Verified(version, damaged)


def _wrong(folder: Path, digest: str) -> str:
    """What is wrong with a clip; empty where nothing is."""
    if not folder.is_dir():
        return "missing"
    try:
        clip = open_clip(folder)
        clip.verify()
    except (EdgeError, OSError) as error:
        return str(error)
    if clip.id != folder.name or digest not in ("", clip.digest):
        return f"another clip lies in its place: {clip.id[:12]}, content {clip.digest[:12]}"
    return ""
