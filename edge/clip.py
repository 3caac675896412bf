"""A clip: a short drive that was cut from a long one. Immutable; its id is the sha256 of its manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from edge.drive import Cut
from edge.errors import ClipError
from edge.manifest import MANIFEST, FileEntry, Manifest, file_entry, read_manifest
from edge.offer import OFFER, Offer, read_offer


@dataclass(frozen=True)
class Clip:
    folder: Path
    manifest: Manifest
    cut: Cut
    offer: Offer

    @property
    def id(self) -> str:
        return self.manifest.digest

    @property
    def names(self) -> tuple[str, ...]:
        """All files of the clip; the manifest and the offer last, so that they arrive after what they name."""
        return (*sorted(self.manifest.files), MANIFEST, OFFER)

    @cached_property
    def entries(self) -> Mapping[str, FileEntry]:
        """Size and sha256 of every file, in the order of `names`: what the manifest says; its own and the offer's."""
        own = {name: file_entry(self.folder / name) for name in (MANIFEST, OFFER)}
        return {name: own[name] if name in own else self.manifest.files[name] for name in self.names}

    @property
    def bytes(self) -> int:
        return sum((self.folder / name).stat().st_size for name in self.names)

    @property
    def digest(self) -> str:
        """`content_digest` of the clip: what a receiver's receipt must name."""
        return content_digest({name: entry.sha256 for name, entry in self.entries.items()})

    def verify(self) -> None:
        """Every file has the size and the sha256 that the manifest names. Raises ClipError."""
        if self.offer.clip_id != self.id:
            raise ClipError(
                f"{self.folder}: the offer is for clip {self.offer.clip_id[:12]}",
                f"clip {self.id[:12]}",
                "cut the clip again",
            )
        for name, entry in self.manifest.files.items():
            path = self.folder / name
            found = file_entry(path) if path.is_file() else None
            if found != entry:
                got = "is missing" if found is None else f"has {found.bytes} bytes, sha256 {found.sha256[:12]}"
                raise ClipError(
                    f"{path} {got}", f"{entry.bytes} bytes, sha256 {entry.sha256[:12]}", "copy or cut the clip again"
                )


def content_digest(sha256: Mapping[str, str]) -> str:
    """One digest over all files but the offer, whose terms may differ from night to night.

    It is what `sha256sum` prints of them in the order of their names, hashed once more, so that it can be checked by
    hand: `sha256sum $(ls -I offer.json) | sha256sum`.
    """
    lines = (f"{digest}  {name}\n" for name, digest in sorted(sha256.items()) if name != OFFER)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def open_clip(folder: Path) -> Clip:
    """Read a clip's manifest and offer; `verify` checks the rest.

    Raises:
        DriveError: the manifest is damaged. ClipError: it is a whole drive, or the offer is damaged.
    """
    manifest = read_manifest(folder / MANIFEST)
    if manifest.cut is None:
        raise ClipError(f"{folder} is a whole drive", "a clip", "run: swerve edge cut")
    return Clip(folder, manifest, manifest.cut, read_offer(folder / OFFER))


def find_clips(path: Path) -> list[Path]:
    """Folders of clips at or directly below `path`, sorted. Raises ClipError where there is none."""
    if (path / MANIFEST).is_file():
        return [path]
    found = sorted(p.parent for p in path.glob(f"*/{MANIFEST}") if not p.parent.name.startswith("."))
    if not found:
        raise ClipError(f"{path} holds no clip", "a folder written by swerve edge cut", "check the path")
    return found
