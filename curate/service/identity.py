"""Which device is asking: the public keys the service knows, and the tokens that were signed with their other halves.

Keys are looked up for every request, so that a revocation holds from the next one on. To rotate, a second key is added;
the first then holds for an overlap, so that a car may change over at any moment of it.
"""

from __future__ import annotations

import binascii
import sqlite3
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from curate.errors import CurateError
from curate.service.refusal import Reason, Refused
from curate.service.state import State
from edge.upload.device_key import DEVICE, KEY_BYTES, key_id

LONGEST_S = 900
"""Longest life of a token, in s."""
SKEW_S = 60
"""By how much a token may seem to come from the future, in s."""
LONGEST_TOKEN = 2048
REMEMBERED = 1024
"""Tokens whose signature is not checked again while they are in use."""
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

    def device(self, authorization: str | None) -> str:
        """The device that an Authorization header proves. Raises Refused (401), which tells the service's clock."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme != "Bearer" or not token:
            raise _refused(Reason.NO_TOKEN)
        if len(token) > LONGEST_TOKEN:
            raise _refused(Reason.BAD_TOKEN)
        return self._verified(token)

    def _verified(self, token: str) -> str:
        import jwt

        now_s = self.now_s()
        try:
            row = self.state.row(
                "SELECT * FROM device_key WHERE id = ? AND (expires IS NULL OR expires > ?)",
                _key_named(token),
                int(now_s),
            )
            if row is None:
                raise _refused(Reason.UNKNOWN_DEVICE)
            device, issued_s, ends_s = _signed(token, row["public"])
        except (jwt.InvalidTokenError, TypeError, ValueError, RecursionError):
            raise _refused(Reason.BAD_TOKEN) from None
        if device != row["device"] or not 0 < ends_s - issued_s <= LONGEST_S:
            raise _refused(Reason.BAD_TOKEN)
        if not issued_s - SKEW_S <= now_s < ends_s:
            raise _refused(Reason.TOKEN_EXPIRED)
        return str(row["device"])


@lru_cache(REMEMBERED)
def _key_named(token: str) -> str:
    """The key a token says it is signed with."""
    import jwt

    return str(jwt.get_unverified_header(token).get("kid"))


@lru_cache(REMEMBERED)
def _signed(token: str, public: bytes) -> tuple[object, float, float]:
    """Device, begin and end (s since 1970) in a token that this key signed; whether the key and the time still hold is
    looked up for every request, and not here.
    """
    import jwt
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    claims = jwt.decode(
        token,
        Ed25519PublicKey.from_public_bytes(public),
        algorithms=["EdDSA"],
        options={"require": ["sub", "iat", "exp"], "verify_exp": False, "verify_iat": False},
    )
    return claims["sub"], float(claims["iat"]), float(claims["exp"])


def _refused(reason: Reason) -> Refused:
    """RFC 6750, section 3: a refusal names the scheme, and says no more than that the token will not do."""
    return Refused(401, reason, "", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
