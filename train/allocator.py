"""Keep memory that torch frees inside the process, where the C library is glibc.

Each step frees and asks for the same few hundred megabytes. glibc hands large blocks back to the kernel at once,
which then has to clear every page again: on the machine this was measured on, half of a step. The price is a process
that stays at its greatest size. Nothing happens with other C libraries.
"""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
LARGEST_BYTES = 32 << 20
"""glibc accepts no greater threshold for blocks that it takes straight from the kernel."""


def keep_freed_memory() -> bool:
    """Whether the C library took the advice."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    advice = ((M_MMAP_THRESHOLD, LARGEST_BYTES), (M_TRIM_THRESHOLD, 1 << 30), (M_TOP_PAD, 64 << 20))
    return all(bool(mallopt(option, value)) for option, value in advice)
