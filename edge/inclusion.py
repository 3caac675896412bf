"""The probability that at least one uploaded clip covers a second, as the offer states it.

    P(s) = 1 - (1 - b(s)) * (1 - q(s))

b(s): one of the baseline's draws covers s; 1 - (1 - rate)^m, see `trigger.baseline`.
q(s): the probability with which the event clip that covers s was to be sent, 0 where none does: there is at most one,
as event windows that overlap or touch share a clip. The draws of the one do not move the other, so the product is
exact. So an offer can be written once the fate of every event clip that shares a second with its clip is decided.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edge.clip import Clip
from edge.offer import Offer, run_lengths
from edge.queued import Lane, Queued, State
from trigger.baseline import inclusion_by_baseline


def undecided(clip: Queued, clips: Iterable[Queued]) -> bool:
    """Whether the clip's offer must wait for the fate of another one."""
    return any(other.state is State.CUT and other.overlaps(clip) for other in clips)


def offer_of(clip: Clip, queued: Queued, clips: Iterable[Queued]) -> Offer:
    """What to tell of a clip that will be sent.

    Args:
        clips: every clip of its drive, itself among them, whatever became of it.
    """
    rate = clip.offer.baseline
    missed = 1.0 - inclusion_by_baseline(clip.cut.parent_seconds, rate)
    for other in clips:
        if other.lane is Lane.EVENT and other.overlaps(queued):
            missed[other.first : other.end] *= 1.0 - (other.probability or 0.0)
    chances = (1.0 - missed)[queued.first : queued.end]
    return Offer(clip.id, rate, run_lengths(queued.first, np.asarray(chances, np.float64)))
