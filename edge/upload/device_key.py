"""Who a car is: a name and an Ed25519 key that never leaves it; tokens signed with it say so for some minutes.

A token is a JWT (RFC 7519) signed with EdDSA (RFC 8037): `sub` the device, `iat` and `exp` in s since 1970, and in
its head `kid`, which of the device's keys signed it. Nothing secret is ever stored at the service, and a car whose
clock is wrong signs by the clock the service answered with.
"""

from __future__ import annotations

import hashlib
import os
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import PushError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

DEVICE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""A device's name: also part of a path at the service."""
LIFE_S = 600
"""How long a token holds, in s. A service takes none that holds longer than 15 minutes."""
KEY_BYTES = 32


@dataclass(frozen=True, repr=False)
class DeviceKey:
    device: str
    private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"DeviceKey({self.device})"

    @property
    def public(self) -> str:
        """What the service must know: the raw public key (RFC 8032, 32 bytes) in base64."""
        return b64encode(self.private.public_key().public_bytes_raw()).decode()

    def token(self, now_s: float) -> str:
        """A token that holds from `now_s`, by the service's clock, for `LIFE_S`."""
        import jwt

        claims = {"sub": self.device, "iat": int(now_s), "exp": int(now_s) + LIFE_S}
        return jwt.encode(claims, self.private, algorithm="EdDSA", headers={"kid": key_id(b64decode(self.public))})


def key_id(public: bytes) -> str:
    """A short name of a public key: the first 16 hex digits of its sha256."""
    return hashlib.sha256(public).hexdigest()[:16]


def new_device_key(device: str, path: Path) -> DeviceKey:
    """Make a key and write it to `path` (PEM, readable by its owner alone).

    Raises:
        PushError: the name will not do, or the file exists: a key is never overwritten.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = Ed25519PrivateKey.generate()
    key = DeviceKey(_named(device), private)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise PushError(f"{path} exists", "a new file: keys are never overwritten", "choose another name") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    return key


def read_device_key(device: str, path: Path) -> DeviceKey:
    """Raises PushError where there is no Ed25519 key at `path`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    todo = "run: swerve edge key --device NAME --out FILE"
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise PushError(f"{path} cannot be read as a key", "an Ed25519 key in PEM", todo) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise PushError(f"{path} holds another kind of key", "an Ed25519 key in PEM", todo)
    return DeviceKey(_named(device), private)


def _named(device: str) -> str:
    if not DEVICE.fullmatch(device):
        raise PushError(f"the device name {device!r}", "1 to 64 of a-z, 0-9, _ and -", "choose another name")
    return device
