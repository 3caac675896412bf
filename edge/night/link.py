"""Is the way out free of charge? Asked of NetworkManager; what it does not know counts as metered.

A destination on this machine, or mounted, is not asked about.
"""

from __future__ import annotations

import shutil
import subprocess
from urllib.parse import urlsplit

QUESTION = (
    "busctl",
    "get-property",
    "org.freedesktop.NetworkManager",
    "/org/freedesktop/NetworkManager",
    "org.freedesktop.NetworkManager",
    "Metered",
)
TIMEOUT_S = 5.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def unmetered(where: str) -> bool:
    """Whether bytes to the destination `where` cost nothing by the byte, as far as is known."""
    scheme, _, _ = where.rpartition("://")
    if scheme in ("", "file") or urlsplit(where).hostname in LOOPBACK:
        return True
    return says_unmetered(_ask())


def says_unmetered(answer: str) -> bool:
    """NetworkManager's `Metered`, as busctl prints it: `u 2` is no, `u 4` a guessed no (its API: NMMetered)."""
    return answer.split() in (["u", "2"], ["u", "4"])


def _ask() -> str:
    if not shutil.which(QUESTION[0]):
        return ""
    try:
        return subprocess.run(QUESTION, capture_output=True, text=True, timeout=TIMEOUT_S, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
