"""Where clips go: calls that a folder and a network service both answer.

`held` says how many bytes of a file have arrived, `append` adds the next ones, `commit` checks the whole clip and
answers with a receipt. So a hand-over resumes inside a file, and nothing counts as delivered before the receiver
has checked it. A clip becomes visible in `inbox/` only by `commit`; what has arrived until then lies in `arriving/`.
The service's side is `edge/upload/http_destination.py`.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge.clip import open_clip
from edge.durable import make_folder, sync_folder, sync_tree
from edge.errors import ClipError, DriveError, PushError
from edge.manifest import FileEntry
from edge.upload.device_key import DeviceKey

ARRIVING, INBOX, CLIPS, QUARANTINE = "arriving", "inbox", "clips", "quarantine"


@dataclass(frozen=True)
class Receipt:
    """What the receiver vouches for: the clip, whole and on its disk.

    Attributes:
        digest: `edge.clip.content_digest` of the files as the receiver holds them.
        known: it had the clip before.
    """

    clip_id: str
    digest: str
    bytes: int
    known: bool


class Destination(Protocol):
    def receipt(self, clip_id: str) -> Receipt | None:
        """The receipt of a clip that was committed before and not refused since, None for any other."""

    def held(self, clip_id: str, name: str, entry: FileEntry) -> int:
        """Bytes of this file, whose size and sha256 will be `entry`, that have arrived."""

    def append(self, clip_id: str, name: str, offset: int, data: bytes) -> int:
        """Add bytes at `offset` and return what is held now: less than was sent where some must be sent again.

        Raises:
            PushError: refused, or not to be reached.
        """

    def commit(self, clip_id: str) -> Receipt:
        """Check the clip and make it visible. Raises PushError, and forgets what arrived, where it is not whole."""


@dataclass(frozen=True)
class FolderDestination:
    """A store that is a folder, on this machine or mounted."""

    root: Path

    def receipt(self, clip_id: str) -> Receipt | None:
        for place in (CLIPS, INBOX):
            try:
                clip = open_clip(self.root / place / _safe(clip_id))
            except (ClipError, DriveError):
                continue  # not there, moved on just now, or damaged since
            return Receipt(clip_id, clip.digest, clip.bytes, known=True)
        return None

    def held(self, clip_id: str, name: str, entry: FileEntry) -> int:
        held = self._size(clip_id, name)
        if held > entry.bytes:  # of an offer on other terms: it cannot be the beginning of this one
            (self._arriving(clip_id) / name).unlink()
            return 0
        return held

    def append(self, clip_id: str, name: str, offset: int, data: bytes) -> int:
        held = self._size(clip_id, name)
        if held != offset:
            raise PushError(f"bytes for {name} at {offset}", f"at {held}", "ask what is held and go on from there")
        make_folder(self._arriving(clip_id))
        with (self._arriving(clip_id) / _safe(name)).open("ab") as file:
            file.write(data)
        return offset + len(data)

    def commit(self, clip_id: str) -> Receipt:
        folder = self._arriving(clip_id)
        try:
            clip = open_clip(folder)
            clip.verify()
            if clip.id != clip_id:
                raise ClipError(f"a clip {clip.id[:12]} sent as {clip_id[:12]}", "one id", "send it again")
        except (ClipError, DriveError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise PushError(
                f"{clip_id[:12]} did not arrive whole: {error.got}", error.wanted, "push it again"
            ) from error
        receipt = Receipt(clip_id, clip.digest, clip.bytes, known=False)
        sync_tree(folder)
        inbox = self.root / INBOX
        make_folder(inbox)
        sync_folder(self.root)
        try:
            folder.rename(inbox / clip_id)
        except OSError:
            if not (inbox / clip_id).is_dir():
                raise
            shutil.rmtree(folder)  # another process committed the very same clip
        sync_folder(inbox)
        return receipt

    def _size(self, clip_id: str, name: str) -> int:
        path = self._arriving(clip_id) / _safe(name)
        return path.stat().st_size if path.exists() else 0

    def _arriving(self, clip_id: str) -> Path:
        return self.root / ARRIVING / _safe(clip_id)


def _safe(name: str) -> str:
    if name != os.path.basename(name) or name in ("", ".", "..") or "\0" in name:  # noqa: PTH119
        raise PushError(f"the name {name!r}", "a plain file name", "cut the clip again")
    return name


def destination(where: str, key: DeviceKey | None = None) -> Destination:
    """The destination a user named; `key` says to a service who sends. Raises PushError for one that is unknown."""
    scheme, found, _ = where.partition("://")
    if scheme in ("https", "http") and found:
        try:
            from edge.upload.http_destination import HttpDestination
        except ModuleNotFoundError as error:
            raise PushError(
                f"{error.name} is not installed", "what uploads need", "pip install 'swerve[upload]'"
            ) from error
        return HttpDestination.to(where, key)
    if found and scheme != "file":
        raise PushError(f"the destination {where}", "a folder, file:///path or https://host", "name one of these")
    return FolderDestination(Path(where.removeprefix("file://")))
