"""Commit: the uploads of one clip become that clip, once, and the receipt can be asked for again for ever.

In this order, each step on the disk before the next: the files (when they arrived), the clip in the inbox with its
receipt beside it, the row of the receipt, and only then is what arrived let go. A crash between any two is mended by
asking again. What is checked here is that the clip is whole and is what it says; whether its pictures decode and its
claims hold is the nightly admission's to find out: an acknowledgement is about custody, not about merit.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from curate.service.refusal import Reason, Refused
from curate.service.shelf import Shelf
from curate.service.state import State
from curate.service.uploads import Upload, Uploads
from edge.clip import content_digest
from edge.errors import ClipError, DriveError, EdgeError
from edge.manifest import MANIFEST, FileEntry, Manifest, canonical_json, read_manifest
from edge.offer import OFFER, read_offer


@dataclass(frozen=True)
class Receipt:
    """The service's word that it holds a clip: `digest` as in `edge.clip.content_digest`, `time` in s since 1970."""

    clip: str
    device: str
    digest: str
    bytes: int
    time: int

    def to_json(self) -> str:
        return canonical_json(asdict(self)).decode()


class Commits:
    def __init__(self, state: State, uploads: Uploads, shelf: Shelf, now_s: Callable[[], float]) -> None:
        self.state, self.uploads, self.shelf, self.now_s = state, uploads, shelf, now_s

    def receipt(self, clip_id: str) -> Receipt | None:
        row = self.state.row("SELECT * FROM receipt WHERE clip = ?", clip_id)
        return Receipt(**dict(row)) if row else None

    def commit(self, device: str, clip_id: str) -> tuple[Receipt, bool]:
        """The receipt, and whether the clip is new.

        Raises:
            Refused: files are missing (409), another request is at work (423), not a whole clip (422).
        """
        known = self.receipt(clip_id)
        if known:
            return known, False
        with self.uploads.alone(device, clip_id):
            found = self.uploads.of_clip(device, clip_id)
            receipt = self._kept_before(clip_id) or self._keep(device, clip_id, found)
            first = self._remember(receipt, found)
        self._free(found)
        return first, first == receipt

    def _kept_before(self, clip_id: str) -> Receipt | None:
        """The receipt beside a clip that was kept just before a crash."""
        kept = self.shelf.find(clip_id)
        return Receipt(**json.loads(kept.receipt)) if kept and kept.receipt else None

    def _keep(self, device: str, clip_id: str, found: Mapping[str, Upload]) -> Receipt:
        files = {name: self.uploads.path(upload) for name, upload in found.items()}
        try:
            _check(clip_id, found, files)
        except Refused as refusal:
            if refusal.status == 422:
                why = {"reason": refusal.reason, "got": refusal.got, "device": device, "time": int(self.now_s())}
                self.shelf.set_aside(clip_id, files, canonical_json(why))
                self._let_go(found)
            raise
        digest = content_digest({name: upload.sha256 for name, upload in found.items()})
        size = sum(upload.length for upload in found.values())
        receipt = Receipt(clip_id, device, digest, size, int(self.now_s()))
        self.shelf.keep(clip_id, files, receipt.to_json().encode())
        return receipt

    def _remember(self, receipt: Receipt, found: Mapping[str, Upload]) -> Receipt:
        """The receipt that holds: this one, or that of another device which sent the same clip and was quicker."""

        def remember(db: sqlite3.Connection) -> Receipt:
            db.execute("INSERT OR IGNORE INTO receipt VALUES (?,?,?,?,?)", tuple(asdict(receipt).values()))
            for upload in found.values():
                db.execute("UPDATE upload SET state = 'committed', offset = length WHERE id = ?", (upload.id,))
            row = db.execute("SELECT * FROM receipt WHERE clip = ?", (receipt.clip,)).fetchone()
            return Receipt(**dict(row))

        return self.state.change(remember)

    def _let_go(self, found: Mapping[str, Upload]) -> None:
        ids = [(upload.id,) for upload in found.values()]
        self.state.change(lambda db: db.executemany("UPDATE upload SET state = 'gone' WHERE id = ?", ids))
        self._free(found)

    def _free(self, found: Mapping[str, Upload]) -> None:
        for upload in found.values():
            self.uploads.path(upload).unlink(missing_ok=True)


def _check(clip_id: str, found: Mapping[str, Upload], files: Mapping[str, Path]) -> None:
    """Every file was hashed when its last byte arrived, so that only what they say of each other is left to check."""
    _complete(found, {MANIFEST, OFFER})
    manifest = _manifest(clip_id, files[MANIFEST])
    named = {MANIFEST, OFFER, *manifest.files}
    _complete(found, named)
    for name in sorted(set(found) - named):
        raise Refused(422, Reason.WRONG_FILE, f"{name} is not a file of this clip")
    for name, entry in manifest.files.items():
        if entry != FileEntry(found[name].sha256, found[name].length):
            raise Refused(422, Reason.WRONG_FILE, f"{name} is not the file that the manifest names")
    try:
        offered = read_offer(files[OFFER]).clip_id
    except ClipError as error:
        _raise_ours(error)
        raise Refused(422, Reason.BAD_OFFER, error.got) from error
    if offered != clip_id:
        raise Refused(422, Reason.BAD_OFFER, f"the offer is for clip {offered[:12]}")


def _complete(found: Mapping[str, Upload], names: set[str]) -> None:
    missing = sorted(name for name in names if name not in found or not found[name].whole)
    if missing:
        raise Refused(409, Reason.INCOMPLETE, f"not all there: {', '.join(missing)[:200]}")


def _manifest(clip_id: str, path: Path) -> Manifest:
    try:
        manifest = read_manifest(path)
    except DriveError as error:
        _raise_ours(error)
        raise Refused(422, Reason.BAD_MANIFEST, error.got) from error
    if manifest.cut is None:
        raise Refused(422, Reason.BAD_MANIFEST, "a whole drive, not a clip")
    if manifest.digest != clip_id:
        raise Refused(422, Reason.WRONG_CLIP, f"the manifest is that of clip {manifest.digest[:12]}")
    return manifest


def _raise_ours(error: EdgeError) -> None:
    """A disk that cannot be read now says nothing against the clip."""
    if isinstance(error.__cause__, OSError):
        raise error.__cause__
