"""What time it is on a car whose clock may be wrong.

- What is queued is ordered by the queue's own numbers, never by a clock.
- Spans are measured by the time the machine was on, which nobody can set. Across a reboot that is a lower bound: how
  long the machine was off only the wall clock can tell, and it is asked only where it is plausible at both ends.
- The wall clock opens and closes the allowed hours, and nothing else. Implausible, it opens none: a car that has lost
  its clock uploads only where all hours are allowed.

A wall clock that is wrong but plausible can end a night early, once a reboot; it cannot reorder or lose anything.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
EARLIEST_S = 1_767_225_600.0
"""2026-01-01, Unix time in s: no clock that shows less has been set since this was written."""
LATEST_S = EARLIEST_S + 10 * 365.25 * 86_400
"""Ten years on. A clock beyond has overflowed or was never set: 2038 is where 32-bit seconds end."""


@dataclass(frozen=True)
class Moment:
    """One reading of all clocks.

    Attributes:
        boot: which boot of the machine.
        powered_s: time since that boot, sleep included.
        wall_s: Unix time, as far as the machine knows.
        minute: minute of the local day by the wall clock, 0 to 1439.
    """

    boot: str
    powered_s: float
    wall_s: float
    minute: int

    @property
    def plausible(self) -> bool:
        return EARLIEST_S <= self.wall_s < LATEST_S


def now() -> Moment:
    """Read the clocks of this machine."""
    wall_s = time.time()
    local = time.localtime(wall_s)
    return Moment(_boot(), _powered_s(), wall_s, local.tm_hour * 60 + local.tm_min)


def elapsed_s(since: Moment, since_total_s: float, at: Moment, at_total_s: float) -> float:
    """Time passed between two moments, in s.

    Args:
        since_total_s, at_total_s: all time the machine was seen powered, over every boot, up to each moment.
    """
    seen = at_total_s - since_total_s
    if since.boot != at.boot and since.plausible and at.plausible:
        return max(seen, at.wall_s - since.wall_s)
    return seen


def _powered_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@cache
def _boot() -> str:
    """Where the system does not name its boots, every process counts as one: spans are then told by the wall clock."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return uuid4().hex
