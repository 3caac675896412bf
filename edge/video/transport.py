"""Has an MPEG-TS file lost anything? It is a row of packets of 188 bytes that each begin with 0x47, and has no index.

What stands in the packets is not looked at: a decoder tells damage there, and numbers too few packets to be relied upon
(ISO/IEC 13818-1, 2.4.3.2).
"""

from __future__ import annotations

import mmap
from pathlib import Path

SYNC = 0x47
PACKET_BYTES = 188


def transport_damage(path: Path) -> str:
    """What is wrong, in words; "" where nothing is. The file is not empty."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        first = bytes(data[::PACKET_BYTES])
        bad, over = len(first) - first.count(SYNC), len(data) % PACKET_BYTES
    if bad:
        return f"{bad} of {len(first)} transport packets are damaged"
    return "it breaks off within a transport packet" if over else ""
