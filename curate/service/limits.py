"""How much and how fast: of one file, of what one device leaves lying about, of one device's requests.

A refusal for speed or quota says when to come back; one for size says never.
"""

from __future__ import annotations

import math
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from curate.service.refusal import Reason, Refused
from edge.manifest import MANIFEST, MAX_BYTES
from edge.offer import OFFER

MOST_DEVICES = 100_000
"""Devices whose pace is remembered; beyond this those that have been quiet longest are forgotten."""


@dataclass(frozen=True)
class Limits:
    """What one service allows.

    Attributes:
        file_bytes: of one file; a manifest or an offer may have 16 MiB at most.
        waiting_bytes: that one device has announced and not committed.
        free_bytes: that must stay free on the service's disk.
        unfinished_s: how long an upload is kept after its last byte.
        idle_s: how long a request may send nothing.
        requests_per_s, burst: of one device.
    """

    file_bytes: int = 2 * 1024**3
    waiting_bytes: int = 20 * 1024**3
    free_bytes: int = 1024**3
    unfinished_s: int = 7 * 86_400
    idle_s: float = 20.0
    requests_per_s: float = 50.0
    burst: int = 200

    def check_size(self, name: str, length: int) -> None:
        most = min(self.file_bytes, MAX_BYTES) if name in (MANIFEST, OFFER) else self.file_bytes
        if length > most:
            raise Refused(413, Reason.TOO_LARGE, f"{name} of {length} bytes, at most {most}")

    def check_waiting(self, waiting: int) -> None:
        if waiting > self.waiting_bytes:
            raise Refused(429, Reason.QUOTA, f"{waiting} bytes that are not committed", {"Retry-After": "3600"})

    def check_disk(self, folder: Path, length: int) -> None:
        if shutil.disk_usage(folder).free - length < self.free_bytes:
            raise Refused(507, Reason.DISK, "the disk is full", {"Retry-After": "600"})


class Pace:
    """A token bucket a device (RFC 2697, section 1): `burst` requests at once, `requests_per_s` in the long run."""

    def __init__(self, limits: Limits, monotonic_s: Callable[[], float]) -> None:
        self.limits, self.monotonic_s = limits, monotonic_s
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def check(self, device: str) -> None:
        """Count one request. Raises Refused (429)."""
        now_s = self.monotonic_s()
        with self._lock:
            left, since_s = self._left.pop(device, (float(self.limits.burst), now_s))
            left = min(float(self.limits.burst), left + (now_s - since_s) * self.limits.requests_per_s)
            allowed = left >= 1.0
            self._left[device] = (left - 1.0 if allowed else left, now_s)
            if len(self._left) > MOST_DEVICES:
                del self._left[next(iter(self._left))]
        if not allowed:
            wait_s = max(1, math.ceil((1.0 - left) / self.limits.requests_per_s))
            raise Refused(429, Reason.TOO_FAST, "too many requests", {"Retry-After": str(wait_s)})
