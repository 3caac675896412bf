"""What the car's owner allows the agent to do."""

from __future__ import annotations

from dataclasses import dataclass

from edge.night.budget import BYTES_A_NIGHT, DEFAULT_BASELINE, Lanes
from edge.night.hours import ALL_DAY, Hours
from edge.night.queued import Lane

RESERVE_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Terms:
    """The owner's terms; by default nothing is shared that does not say that it may be.

    Attributes:
        consent: recordings that do not say so may be shared. position: clips may tell where the car was.
        bytes_a_night: on the wire. hours: in which uploads are allowed. metered: also over a metered link.
        baseline: the highest rate of the baseline's draws. reserve: bytes of the disk that are left to the recorder.
    """

    consent: bool = False
    position: bool = True
    bytes_a_night: int = BYTES_A_NIGHT
    hours: Hours = ALL_DAY
    metered: bool = False
    baseline: float = DEFAULT_BASELINE
    reserve: int = RESERVE_BYTES

    def limit(self, lane: Lane) -> int:
        """The lane's wire bytes a night."""
        lanes = Lanes.of(self.bytes_a_night)
        return lanes.baseline if lane is Lane.BASELINE else lanes.event
