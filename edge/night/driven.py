"""What the car remembers of a recording it was given: how long it was, what it held, what became of it.

numpy is imported where a recording was opened: the agent, which only remembers, starts without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge.drive import Drive

Runs = tuple[tuple[int, int], ...]
"""Stretches of seconds, [first, end), in order and apart."""


class Standing(StrEnum):
    """What became of a recording. Consent that it does not give the owner may; what it withholds nobody can."""

    BEGUN = "begun"
    SCANNED = "scanned"
    NOT_GIVEN = "consent not given"
    WITHHELD = "consent withheld"
    KNOWN = "known"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Source:
    """A recording as it lies in the watched folder.

    Attributes:
        recorder: name of its format. path: where it lies.
        signature: changes when a file of it is added, taken away, or written to. bytes: its size.
    """

    recorder: str
    path: str
    signature: str
    bytes: int


@dataclass(frozen=True)
class Driven:
    """One recording that was opened.

    Attributes:
        identity: `edge.night.queued.identity`.
        seconds: of its grid. rate: probability with which each of them was drawn for the baseline.
        recorded: seconds that hold any sample or frame. seen: those in which a camera saw something.
    """

    identity: str
    seconds: int
    rate: float
    recorded: Runs
    seen: Runs

    @staticmethod
    def of(drive: Drive, identity: str, rate: float) -> Driven:
        import numpy as np

        seen = drive.seconds_of(camera.frame_times() for camera in drive.cameras.values())
        recorded = np.union1d(seen, drive.seconds_of(block.t_ns for block in drive.telemetry.blocks()))
        return Driven(identity, drive.seconds, rate, runs_of(recorded), runs_of(seen))


def runs_of(seconds: NDArray[np.int64]) -> Runs:
    """Sorted, distinct numbers as runs."""
    import numpy as np

    if not seconds.size:
        return ()
    breaks = np.flatnonzero(np.diff(seconds) > 1)
    firsts, lasts = seconds[np.append(0, breaks + 1)], seconds[np.append(breaks, seconds.size - 1)]
    return tuple(zip(firsts.tolist(), (lasts + 1).tolist(), strict=True))
