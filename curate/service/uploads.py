"""Uploads: one a file of a clip, resumable, written by one request at a time, gone when nobody finishes them.

The offset in the row is the promise: so many bytes are on the disk. What a broken request left in the file beyond it
was never promised, and is cut off before the next byte is written. When the last byte is there the whole file is
hashed; where that is not what was announced, the upload starts again at 0.

An upload belongs to the device that began it: to any other it does not exist. Its bytes lie in a file named by its
random id, so that nothing a device sends is ever part of a path.
"""

from __future__ import annotations

import hashlib
import math
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path

from curate.service.limits import Limits
from curate.service.refusal import Reason, Refused
from curate.service.state import State
from curate.service.tus import Announced, Checksum
from edge.durable import sync_folder

SECONDS_A_DAY = 86_400
REMEMBERED_S = 7 * SECONDS_A_DAY
"""How long an upload that is no more is answered with 410 rather than 404."""


@dataclass(frozen=True)
class Upload:
    """A row; `offset` bytes of `length` are on the disk. `expires` in s since 1970."""

    id: str
    device: str
    clip: str
    name: str
    sha256: str
    length: int
    offset: int
    metadata: str
    expires: int
    state: str

    @property
    def whole(self) -> bool:
        return self.offset == self.length

    @property
    def committed(self) -> bool:
        return self.state == "committed"


class Uploads:
    """All uploads of a service.

    Args:
        arriving: folder for bytes that are not yet a clip, one file an upload.
        now_s: s since 1970.
    """

    def __init__(self, state: State, arriving: Path, limits: Limits, now_s: Callable[[], float]) -> None:
        self.state, self.arriving, self.limits, self.now_s = state, arriving, limits, now_s
        arriving.mkdir(parents=True, exist_ok=True)
        sync_folder(arriving.parent)
        self._busy: set[tuple[str, str, str]] = set()
        self._lock = threading.Lock()

    def begin(self, device: str, announced: Announced) -> Upload:
        """The upload of this file: a new one, or the one that was begun before, however far it got.

        Raises:
            Refused: too large (413), the clip is committed with another content (403), too much is lying about (429).
        """
        self.limits.check_size(announced.name, announced.length)
        self.limits.check_disk(self.arriving, announced.length)
        with self.alone(device, announced.clip, announced.name), self.state.change() as db:
            old = _live(db, device, announced.clip, announced.name)
            same = old and (old.sha256, old.length) == (announced.sha256, announced.length)
            if old and same and (old.committed or old.expires > self.now_s()):
                return old
            if old and old.committed:
                raise Refused(403, Reason.COMMITTED, f"{announced.name} of a committed clip")
            self.limits.check_waiting(_waiting(db, device) + announced.length)
            new = Upload(
                id=secrets.token_urlsafe(16),
                device=device,
                clip=announced.clip,
                name=announced.name,
                sha256=announced.sha256,
                length=announced.length,
                offset=0,
                metadata=announced.metadata,
                expires=self._expiry(),
                state="live",
            )
            db.execute("UPDATE upload SET state = 'gone' WHERE id = ?", (old.id if old else "",))
            db.execute("INSERT INTO upload VALUES (?,?,?,?,?,?,?,?,?,?)", tuple(vars(new).values()))
        if old:
            self.path(old).unlink(missing_ok=True)
        return new

    def get(self, device: str, upload_id: str) -> Upload:
        """Raises Refused: no such upload of this device (404), or no more (410)."""
        row = self.state.row("SELECT * FROM upload WHERE id = ? AND device = ?", upload_id, device)
        if row is None:
            raise Refused(404, Reason.NOT_FOUND, "no such upload")
        upload = Upload(**dict(row))
        if upload.state == "gone" or (upload.expires <= self.now_s() and not upload.committed):
            raise Refused(410, Reason.EXPIRED, "it expired, was replaced or was deleted")
        return upload

    def of_clip(self, device: str, clip: str) -> dict[str, Upload]:
        """All that is there of a clip from this device, by name."""
        rows = self.state.rows("SELECT * FROM upload WHERE device = ? AND clip = ? AND state <> 'gone'", device, clip)
        return {row["name"]: Upload(**dict(row)) for row in rows}

    def delete(self, device: str, upload_id: str) -> None:
        """Raises Refused: 404, 410, and 403 where the clip is committed."""
        upload = self.get(device, upload_id)
        if upload.committed:
            raise Refused(403, Reason.COMMITTED, "a committed clip is not deleted")
        with self.alone(device, upload.clip, upload.name):
            self._forget(upload)

    @contextmanager
    def alone(self, device: str, clip: str, name: str = "") -> Iterator[None]:
        """Nobody else works on this file, or where no name is given on any of the clip. Raises Refused (423)."""
        mine = (device, clip, name)
        with self._lock:
            if any(busy[:2] == mine[:2] and (busy[2] == name or "" in (busy[2], name)) for busy in self._busy):
                within = {"Retry-After": str(math.ceil(self.limits.idle_s))}  # by then it is done, or sent away
                raise Refused(423, Reason.BUSY, "another request is at work on it", within)
            self._busy.add(mine)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(mine)

    def path(self, upload: Upload) -> Path:
        return self.arriving / upload.id

    def write(self, upload: Upload, checksum: Checksum | None) -> Writing:
        """Go on at the upload's offset; only inside `alone`."""
        descriptor = os.open(self.path(upload), os.O_RDWR | os.O_CREAT, 0o644)
        os.ftruncate(descriptor, upload.offset)
        file = os.fdopen(descriptor, "r+b")
        file.seek(upload.offset)
        return Writing(self, upload, file, checksum)

    def advance(self, upload: Upload, offset: int) -> Upload:
        """Promise `offset` bytes, which are on the disk."""
        expires = self._expiry()
        with self.state.change() as db:
            db.execute("UPDATE upload SET offset = ?, expires = ? WHERE id = ?", (offset, expires, upload.id))
        return Upload(**{**vars(upload), "offset": offset, "expires": expires})

    def tidy(self) -> None:
        """Remove what a crash left of uploads that are no more; only while nobody writes."""
        live = {str(row["id"]) for row in self.state.rows("SELECT id FROM upload WHERE state = 'live'")}
        for path in self.arriving.iterdir():
            if path.name not in live:
                path.unlink()

    def sweep(self) -> int:
        """Free what expired uploads hold; returns how many."""
        now_s = int(self.now_s())
        rows = self.state.rows("SELECT * FROM upload WHERE state = 'live' AND expires <= ?", now_s)
        swept = 0
        for upload in (Upload(**dict(row)) for row in rows):
            try:
                with self.alone(upload.device, upload.clip, upload.name):
                    self._forget(upload)
                    swept += 1
            except Refused:
                continue  # someone just went on with it
        with self.state.change() as db:
            db.execute("DELETE FROM upload WHERE state = 'gone' AND expires <= ?", (now_s - REMEMBERED_S,))
        return swept

    def _forget(self, upload: Upload) -> None:
        """The row first: a row without its file would promise bytes that are not there."""
        with self.state.change() as db:
            db.execute("UPDATE upload SET state = 'gone' WHERE id = ? AND state = 'live'", (upload.id,))
        self.path(upload).unlink(missing_ok=True)

    def _expiry(self) -> int:
        return int(self.now_s()) + self.limits.unfinished_s


class Writing:
    """Bytes on their way into one upload: `add` them, then `keep` what was added; without `keep` nothing happened."""

    def __init__(self, uploads: Uploads, upload: Upload, file: BufferedRandom, checksum: Checksum | None) -> None:
        self.uploads, self.upload, self.file, self.checksum = uploads, upload, file, checksum
        self.offset = upload.offset
        self._hashes = {name: hashlib.new(name) for name in {"sha256", checksum.algorithm if checksum else "sha256"}}

    def add(self, data: bytes) -> None:
        """Raises Refused (400) beyond the announced length."""
        if self.offset + len(data) > self.upload.length:
            raise Refused(400, Reason.BEYOND_LENGTH, f"more than the announced {self.upload.length} bytes")
        self.file.write(data)
        self.offset += len(data)
        for digest in self._hashes.values():
            digest.update(data)

    def keep(self) -> Upload:
        """Force what was added to disk and promise it; returns the upload as it stands.

        Raises:
            Refused: 460; nothing of the chunk counts where it is not what its checksum says, nothing of the file where
                the whole is not what was announced.
        """
        if self.checksum and self._hashes[self.checksum.algorithm].digest() != self.checksum.digest:
            raise Refused(460, Reason.CHECKSUM, "the chunk is not what its checksum says")
        if self.offset == self.upload.offset:
            return self.upload
        self.file.flush()
        if self.offset == self.upload.length and self._whole() != self.upload.sha256:
            self.uploads.advance(self.upload, 0)
            raise Refused(460, Reason.CONTENT, "the file is not what was announced")
        os.fsync(self.file.fileno())
        if self.upload.offset == 0:
            sync_folder(self.uploads.arriving)
        return self.uploads.advance(self.upload, self.offset)

    def _whole(self) -> str:
        if self.upload.offset == 0:
            return self._hashes["sha256"].hexdigest()
        self.file.seek(0)
        return hashlib.file_digest(self.file, "sha256").hexdigest()

    def close(self) -> None:
        """Also where nothing was kept; a full disk may complain once more about bytes nobody will miss."""
        with suppress(OSError):
            self.file.close()


def _live(db: sqlite3.Connection, device: str, clip: str, name: str) -> Upload | None:
    row = db.execute(
        "SELECT * FROM upload WHERE device = ? AND clip = ? AND name = ? AND state <> 'gone'", (device, clip, name)
    ).fetchone()
    return Upload(**dict(row)) if row else None


def _waiting(db: sqlite3.Connection, device: str) -> int:
    """Bytes a device has announced and not committed."""
    found = db.execute("SELECT sum(length) FROM upload WHERE device = ? AND state = 'live'", (device,)).fetchone()
    return int(found[0] or 0)
