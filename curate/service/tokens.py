"""Which device is asking: the tokens that devices sign with their keys.

The signature of a token is checked once while it is in use; its time, and whether its key still holds, with every
request, so that a revocation holds from the next one on.
"""

from __future__ import annotations

from functools import lru_cache

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from curate.service.identity import Registry
from curate.service.refusal import Reason, Refused

LONGEST_S = 900
"""Longest life of a token, in s."""
SKEW_S = 60
"""By how much a token may seem to come from the future, in s."""
LONGEST_TOKEN = 2048
REMEMBERED = 1024
"""Tokens whose signature is not checked again while they are in use."""


def device_of(authorization: str | None, registry: Registry) -> str:
    """The device that an Authorization header proves. Raises Refused (401), which tells the service's clock."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme != "Bearer" or not token:
        raise _refused(Reason.NO_TOKEN)
    if len(token) > LONGEST_TOKEN:
        raise _refused(Reason.BAD_TOKEN)
    try:
        key = registry.holds(_key_named(token))
        if key is None:
            raise _refused(Reason.UNKNOWN_DEVICE)
        device, issued_s, ends_s = _signed(token, key.public)
    except (jwt.InvalidTokenError, TypeError, ValueError, RecursionError):
        raise _refused(Reason.BAD_TOKEN) from None
    if device != key.device or not 0 < ends_s - issued_s <= LONGEST_S:
        raise _refused(Reason.BAD_TOKEN)
    if not issued_s - SKEW_S <= registry.now_s() < ends_s:
        raise _refused(Reason.TOKEN_EXPIRED)
    return key.device


@lru_cache(REMEMBERED)
def _key_named(token: str) -> str:
    """The key a token says it is signed with."""
    return str(jwt.get_unverified_header(token).get("kid"))


@lru_cache(REMEMBERED)
def _signed(token: str, public: bytes) -> tuple[object, float, float]:
    """Device, begin and end (s since 1970) in a token that this key signed."""
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
