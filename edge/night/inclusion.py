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
from numpy.typing import NDArray

from edge.clip import Clip
from edge.night.queued import Lane, Queued, State
from edge.offer import Offer, run_lengths
from trigger.baseline import inclusion_by_baseline


def undecided(clip: Queued, clips: Iterable[Queued]) -> bool:
    """Whether the clip's offer must wait for the fate of another one."""
    return any(other.state is State.CUT and other.overlaps(clip) for other in clips)


def probabilities(seconds: int, rate: float, clips: Iterable[Queued]) -> NDArray[np.float64]:
    """P(s) of every second of a drive, (seconds,) float64.

    Args:
        rate: probability with which each second was drawn for the baseline.
        clips: every clip of the drive, whatever became of it.
    """
    missed = 1.0 - inclusion_by_baseline(seconds, rate)
    for clip in clips:
        if clip.lane is Lane.EVENT:
            missed[clip.first : clip.end] *= 1.0 - (clip.probability or 0.0)
    return 1.0 - missed


def offer_of(clip: Clip, queued: Queued, clips: Iterable[Queued]) -> Offer:
    """What to tell of a clip that will be sent; `clips` as in `probabilities`, itself among them."""
    rate = clip.offer.baseline
    chances = probabilities(clip.cut.parent_seconds, rate, clips)
    return Offer(clip.id, rate, run_lengths(queued.first, chances[queued.first : queued.end]))
