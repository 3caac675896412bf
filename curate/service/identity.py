"""Which devices the service knows: their public keys. What is signed with the other halves is `curate.service.tokens`'.

To rotate, a second key is added; the first then holds for an overlap, so that a car may change over at any moment of
it.
"""

from __future__ import annotations

import binascii
import sqlite3
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass

from curate.errors import CurateError
from curate.service.state import State
from edge.upload.device_key import DEVICE, KEY_BYTES, key_id

OVERLAP_S = 7 * 86_400


class DeviceError(CurateError):
    """A device or key that cannot be registered, or is not known."""


@dataclass(frozen=True)
class KnownKey:
    """`added` and `expires` in s since 1970; a key that was not rotated out has no end."""

    id: str
    device: str
    public: bytes
    added: int
    expires: int | None


class Registry:
    def __init__(self, state: State, now_s: Callable[[], float]) -> None:
        self.state, self.now_s = state, now_s

    def add(self, device: str, public: str, overlap_s: int = OVERLAP_S) -> KnownKey:
        """Register a key (base64 of its 32 bytes); its other keys end after the overlap. Raises DeviceError."""
        todo = "give what swerve edge key printed"
        if not DEVICE.fullmatch(device):
            raise DeviceError(f"the device name {device!r}", "1 to 64 of a-z, 0-9, _ and -", todo)
        try:
            raw = b64decode(public, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != KEY_BYTES:
            raise DeviceError(f"the key {public[:60]!r}", "an Ed25519 public key: 32 bytes in base64", todo)
        now_s = int(self.now_s())
        key = KnownKey(key_id(raw), device, raw, now_s, None)

        def enter(db: sqlite3.Connection) -> KnownKey:
            owner = db.execute("SELECT device FROM device_key WHERE id = ?", (key.id,)).fetchone()
            if owner:
                raise DeviceError(f"this key is {owner['device']}'s already", "a key of its own for each", todo)
            db.execute(
                "UPDATE device_key SET expires = ? WHERE device = ? AND (expires IS NULL OR expires > ?)",
                (now_s + overlap_s, device, now_s + overlap_s),
            )
            db.execute("INSERT INTO device_key VALUES (?,?,?,?,?)", tuple(vars(key).values()))
            return key

        return self.state.change(enter)

    def revoke(self, device: str) -> int:
        """Forget all keys of a device; returns how many. Raises DeviceError where it has none."""
        count = self.state.change(lambda db: db.execute("DELETE FROM device_key WHERE device = ?", (device,)).rowcount)
        if not count:
            raise DeviceError(f"no device {device!r}", "a registered one", "run: swerve curate devices list")
        return count

    def keys(self) -> list[KnownKey]:
        rows = self.state.rows("SELECT * FROM device_key ORDER BY device, added, id")
        return [KnownKey(**dict(row)) for row in rows]

    def holds(self, key_id: str) -> KnownKey | None:
        """The key of this id, if it holds now."""
        row = self.state.row(
            "SELECT * FROM device_key WHERE id = ? AND (expires IS NULL OR expires > ?)", key_id, int(self.now_s())
        )
        return KnownKey(**dict(row)) if row else None
