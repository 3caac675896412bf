"""Uploads: one a file of a clip, resumable, written by one request at a time, gone when nobody finishes them.

The offset in the row is the promise: so many bytes are on the disk. How they get there is `curate.service.writing`'s.
An upload that is begun with its bytes has no row before they are there, so that a small file is one transaction.

An upload belongs to the device that began it: to any other it does not exist. Its bytes lie in a file named by its
random id, so that nothing a device sends is ever part of a path.
"""

from __future__ import annotations

import math
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from curate.service.limits import Limits
from curate.service.refusal import Reason, Refused
from curate.service.state import State
from curate.service.tus import Announced
from edge.durable import sync_folder

SECONDS_A_DAY = 86_400
OF_FILE = "device = ? AND clip = ? AND name = ? AND state <> 'gone'"
NEW = "new"
"""State of an upload without a row."""
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
    def new(self) -> bool:
        """Nothing tells of it yet."""
        return self.state == NEW

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
        self._busy: dict[tuple[str, str, str], int] = {}
        self._lock = threading.Lock()

    def find(self, device: str, announced: Announced) -> Upload:
        """The upload of this file: the one that was begun before, however far it got, or a new one, which nothing tells
        of before its first promise. Only inside `alone`.

        Raises:
            Refused: too large (413), the clip is committed with another content (403), too much is lying about (429).
        """
        self.limits.check_size(announced.name, announced.length)
        self.limits.check_disk(self.arriving, announced.length)
        mine = (device, announced.clip, announced.name)
        row = self.state.row(f"SELECT * FROM upload WHERE {OF_FILE}", *mine)
        old = Upload(**dict(row)) if row else None
        same = old and (old.sha256, old.length) == (announced.sha256, announced.length)
        if old and same and (old.committed or old.expires > self.now_s()):
            return old
        if old and old.committed:
            raise Refused(403, Reason.COMMITTED, f"{announced.name} of a committed clip")
        with self._lock:
            self.limits.check_waiting(self._announced(device) + announced.length)
            self._busy[mine] = announced.length
        return Upload(
            id=secrets.token_urlsafe(16),
            device=device,
            clip=announced.clip,
            name=announced.name,
            sha256=announced.sha256,
            length=announced.length,
            offset=0,
            metadata=announced.metadata,
            expires=self._expiry(),
            state=NEW,
        )

    def _announced(self, device: str) -> int:
        """Bytes a device has announced and not committed; those of new uploads are known here alone."""
        row = self.state.row("SELECT sum(length) AS bytes FROM upload WHERE device = ? AND state = 'live'", device)
        return int(row["bytes"] or 0 if row else 0) + sum(n for busy, n in self._busy.items() if busy[0] == device)

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
            self._busy[mine] = 0
        try:
            yield
        finally:
            with self._lock:
                del self._busy[mine]

    def path(self, upload: Upload) -> Path:
        return self.arriving / upload.id

    def promise(self, upload: Upload, offset: int) -> Upload:
        """Remember that `offset` bytes are on the disk; the folder that names their file is forced to it here. A new
        upload takes the place of another content of its name. Only inside `alone`.
        """
        kept = replace(upload, offset=offset, expires=self._expiry(), state="live")
        folder = self.arriving if upload.offset == 0 and offset > 0 else None
        if not upload.new:
            told = (kept.offset, kept.expires, kept.id)
            update = "UPDATE upload SET offset = ?, expires = ? WHERE id = ?"
            self.state.change(lambda db: db.execute(update, told), folder)
            return kept

        def begin(db: sqlite3.Connection) -> list[sqlite3.Row]:
            mine = (upload.device, upload.clip, upload.name)
            old = db.execute(
                f"UPDATE upload SET state = 'gone' WHERE {OF_FILE} AND state = 'live' RETURNING id", mine
            ).fetchall()
            db.execute("INSERT INTO upload VALUES (?,?,?,?,?,?,?,?,?,?)", tuple(vars(kept).values()))
            return old

        replaced = self.state.change(begin, folder)
        self._busy[upload.device, upload.clip, upload.name] = 0
        for row in replaced:
            (self.arriving / row["id"]).unlink(missing_ok=True)
        return kept

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
        old = (now_s - REMEMBERED_S,)
        self.state.change(lambda db: db.execute("DELETE FROM upload WHERE state = 'gone' AND expires <= ?", old))
        return swept

    def tidy(self) -> None:
        """Free what a crash left that no row tells of, or of a clip that is committed; only before requests come."""
        told = {row["id"] for row in self.state.rows("SELECT id FROM upload WHERE state = 'live'")}
        for path in self.arriving.iterdir():
            if path.name not in told:
                path.unlink()

    def _forget(self, upload: Upload) -> None:
        """The row first: a row without its file would promise bytes that are not there."""
        self.state.change(
            lambda db: db.execute("UPDATE upload SET state = 'gone' WHERE id = ? AND state = 'live'", (upload.id,))
        )
        self.path(upload).unlink(missing_ok=True)

    def _expiry(self) -> int:
        return int(self.now_s()) + self.limits.unfinished_s
