"""Frames that changed places: the picture goes forth, back, and forth again.

Of four frames in a row, a moving picture changes least along the order of time. Where going 1, 3, 2, 4 is clearly the
shorter way, the middle two were exchanged. Measured: in order, the other way is never less than 1.05 times as long on
Udacity's CH2 (3,997 fours) and CarND's highway (218); exchanged, it is about 0.65.

A car whose wheel is jerked to and fro swings the picture to and fro as well: where the signals show that, nothing is
said, for that is a moment worth keeping.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from curate.defects.finding import Defect, Finding, Severity
from curate.defects.scene import Scene, Sight

SHORTER = 0.85
SWING = {"yaw_rate_dps": 15.0, "steering_wheel_deg": 60.0}
"""Spans of a signal around four frames above which the car itself is taken to swing the picture, deg/s and deg."""
AROUND_NS = 200_000_000
A_HABIT, HABITUAL = 5, 0.02
"""A recorder that mixes up frames does it again: so many pairs, and such a share of the frames. Less is noted only, for
whatever passes close by can look like it: in sound drives through the built-in world it did in one of 3,000 frames, and
three times in one clip of 13 s."""
LEAST_CHANGE = 0.5
"""Levels a frame; of a picture that hardly moves, the order cannot be told."""


def reordered_frames(scene: Scene) -> Iterator[Finding]:
    for name, sight in scene.cameras.items():
        found = int(np.count_nonzero(exchanged(sight) & ~_swings(scene, sight)))
        if found:
            evidence = f"{found} pairs of frames stand in the wrong order"
            severity = Severity.QUARANTINE if found >= max(A_HABIT, HABITUAL * sight.t_ns.size) else Severity.NOTED
            yield Finding(Defect.REORDERED_FRAMES, severity, name, evidence)


def exchanged(sight: Sight) -> NDArray[np.bool_]:
    """(max(N - 3, 0),) whether the middle two of each four in a row stand the wrong way round."""
    if not sight.flows:
        return np.zeros(max(sight.t_ns.size - 3, 0), np.bool_)
    one, two = sight.change, sight.apart(2)
    told = one[:-2] + one[1:-1] + one[2:]
    other = two[:-1] + one[1:-1] + two[1:]
    return np.asarray((other < SHORTER * told) & (told > 3 * LEAST_CHANGE) & (one[1:-1] > LEAST_CHANGE), np.bool_)


def _swings(scene: Scene, sight: Sight) -> NDArray[np.bool_]:
    """(max(N - 3, 0),) whether the car turns by such different rates around each four that it swings the picture."""
    firsts, lasts = sight.t_ns[:-3] - AROUND_NS, sight.t_ns[3:] + AROUND_NS
    swings = np.zeros(firsts.size, np.bool_)
    for name, most in SWING.items():
        if name in scene.signals:
            t_ns, own = scene.signals.samples(name)
            for k, (low, high) in enumerate(zip(*np.searchsorted(t_ns, (firsts, lasts)), strict=True)):
                swings[k] |= high > low and float(np.ptp(own[low:high])) > most
    return swings
