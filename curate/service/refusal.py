"""Why a request is refused: one code a reason, the same in answers, logs, metrics and quarantine.

A code is a promise to whoever reads it by machine: it may be added to, never renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    # who asks
    NO_TOKEN = "no_token"
    BAD_TOKEN = "bad_token"
    TOKEN_EXPIRED = "token_expired"
    UNKNOWN_DEVICE = "unknown_device"
    TOO_FAST = "too_fast"
    QUOTA = "quota"
    # how it is asked
    TUS_VERSION = "tus_version"
    BAD_HEADER = "bad_header"
    BAD_NAME = "bad_name"
    CONTENT_TYPE = "content_type"
    TOO_LARGE = "too_large"
    NOT_FOUND = "not_found"
    METHOD = "method"
    # an upload
    EXPIRED = "expired"
    OFFSET = "offset"
    BUSY = "busy"
    BEYOND_LENGTH = "beyond_length"
    CHECKSUM = "checksum"
    CONTENT = "content"
    TOO_SLOW = "too_slow"
    COMMITTED = "committed"
    # a clip
    INCOMPLETE = "incomplete"
    BAD_MANIFEST = "bad_manifest"
    BAD_OFFER = "bad_offer"
    WRONG_CLIP = "wrong_clip"
    WRONG_FILE = "wrong_file"
    # the service itself
    DISK = "disk"
    STORE = "store"
    INTERNAL = "internal"


@dataclass
class Refused(Exception):
    """A request that changes nothing.

    Attributes:
        status: of the answer. got: what was found, for the person who reads the log.
    """

    status: int
    reason: Reason
    got: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.reason}: {self.got}"
