"""tus 1.0.0 on the wire: what its headers may hold. Pure; every clause is cited where it is checked.

https://tus.io/protocols/resumable-upload, with the extensions creation, creation-with-upload, checksum, expiration
and termination. Not offered: a length told later (creation-defer-length), checksums told later (checksum-trailer)
and uploads made of uploads (concatenation).
"""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate

from curate.service.refusal import Reason, Refused
from edge.manifest import MANIFEST, TELEMETRY
from edge.offer import OFFER

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
ALGORITHMS = ("sha1", "sha256")
"""Checksum: "The Server MUST support at least the SHA1 checksum algorithm identified by `sha1`." """
OFFSET_STREAM = "application/offset+octet-stream"
LONGEST_NUMBER = 18
"""Digits; more than fit in 63 bits are refused before they become a number."""

CLIP = re.compile(r"[0-9a-f]{64}")
NAME = re.compile(
    rf"{re.escape(MANIFEST)}|{re.escape(OFFER)}|{re.escape(TELEMETRY)}|[A-Za-z0-9][A-Za-z0-9 _.@+=-]{{0,119}}\.mp4"
)
"""Files of a clip: no separator, no leading dot, nothing that could be taken for more than a name."""


@dataclass(frozen=True)
class Announced:
    """What a creation request says of the file to come; `metadata` is the header as it was sent."""

    clip: str
    name: str
    sha256: str
    length: int
    metadata: str


@dataclass(frozen=True)
class Checksum:
    algorithm: str
    digest: bytes


def capabilities(max_bytes: int) -> dict[str, str]:
    """Core, OPTIONS: a response "MUST contain the `Tus-Version` header. It MAY include the `Tus-Extension` and
    `Tus-Max-Size` headers." Checksum: "The `Tus-Checksum-Algorithm` header MUST be included"."""
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(max_bytes),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }


def check_version(headers: Mapping[str, str]) -> None:
    """Core, Tus-Resumable: it "MUST be included in every request and response except for `OPTIONS` requests"; of a
    version that is not supported the server "MUST respond with the `412 Precondition Failed` status and MUST include
    the `Tus-Version` header into the response. In addition, the Server MUST NOT process the request."
    """
    if headers.get("Tus-Resumable") != VERSION:
        raise Refused(412, Reason.TUS_VERSION, f"not tus {VERSION}", {"Tus-Version": VERSION})


def check_content_type(headers: Mapping[str, str]) -> None:
    """Core, PATCH: all "MUST use `Content-Type: application/offset+octet-stream`, otherwise the server SHOULD return a
    `415 Unsupported Media Type` status." The same holds for a creation with upload.
    """
    if headers.get("Content-Type") != OFFSET_STREAM:
        raise Refused(415, Reason.CONTENT_TYPE, f"not {OFFSET_STREAM}")


def number(headers: Mapping[str, str], name: str) -> int:
    """Core, Upload-Offset and Upload-Length: "The value MUST be a non-negative integer." """
    text = headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise Refused(400, Reason.BAD_HEADER, f"{name} is not a non-negative integer")
    return int(text)


def announced(headers: Mapping[str, str]) -> Announced:
    """Creation, POST: it "MUST include one of" Upload-Length and Upload-Defer-Length; the second is an extension of its
    own, not offered here. Metadata a server "MAY decide to ignore or use [...] or to reject": `clip` (64 hex digits),
    `name` (a file of a clip) and `sha256` (64 hex digits, of the whole file) are needed, others are refused.
    """
    if "Upload-Defer-Length" in headers:
        raise Refused(400, Reason.BAD_HEADER, "Upload-Defer-Length is not offered")
    length, raw = number(headers, "Upload-Length"), headers.get("Upload-Metadata", "")
    told = metadata(raw)
    if set(told) != {"clip", "name", "sha256"}:
        raise Refused(400, Reason.BAD_HEADER, "Upload-Metadata must hold clip, name and sha256, and nothing else")
    if not CLIP.fullmatch(told["clip"]) or not CLIP.fullmatch(told["sha256"]):
        raise Refused(400, Reason.BAD_NAME, "clip and sha256 are 64 hex digits each")
    if not NAME.fullmatch(told["name"]):
        raise Refused(400, Reason.BAD_NAME, "name is not that of a file of a clip")
    if length == 0:
        raise Refused(400, Reason.BAD_HEADER, "no file of a clip is empty")
    return Announced(told["clip"], told["name"], told["sha256"], length, raw)


def metadata(header: str) -> dict[str, str]:
    """Creation, Upload-Metadata: "one or more comma-separated key-value pairs. The key and value MUST be separated by a
    space. The key MUST NOT contain spaces and commas and MUST NOT be empty. The key SHOULD be ASCII encoded and the
    value MUST be Base64 encoded. All keys MUST be unique. The value MAY be empty. In these cases, the space, which
    would normally separate the key and the value, MAY be left out."
    """
    pairs: dict[str, str] = {}
    for pair in header.split(",") if header else []:
        key, _, value = pair.strip().partition(" ")
        try:
            text = b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise Refused(400, Reason.BAD_HEADER, "Upload-Metadata holds a value that is not base64 text") from None
        if not key or not key.isascii() or key in pairs:
            raise Refused(400, Reason.BAD_HEADER, "Upload-Metadata holds a key twice, or an empty one")
        pairs[key] = text
    return pairs


def checksum(headers: Mapping[str, str]) -> Checksum | None:
    """Checksum, Upload-Checksum: it "MUST consist of the name of the used checksum algorithm and the Base64 encoded
    checksum separated by a space"; "`400 Bad Request` if the checksum algorithm is not supported by the server".
    """
    header = headers.get("Upload-Checksum")
    if header is None:
        return None
    algorithm, _, value = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Refused(400, Reason.BAD_HEADER, f"checksums are one of {', '.join(ALGORITHMS)}")
    try:
        digest = b64decode(value, validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != hashlib.new(algorithm).digest_size:
        raise Refused(400, Reason.BAD_HEADER, f"Upload-Checksum is not a {algorithm} in base64")
    return Checksum(algorithm, digest)


def expires(at_s: int) -> dict[str, str]:
    """Expiration, Upload-Expires: "MUST be in RFC 7231 datetime format"."""
    return {"Upload-Expires": formatdate(at_s, usegmt=True)}
