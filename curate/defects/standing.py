"""Kinds in which the picture does not change though the vehicle moves: frozen, black, and frames that stand twice.

A parked car at night shows a black picture that never changes, and nothing is wrong with it. So the vehicle must be
known to move, by its speed; where no speed is recorded and the picture stands still, it cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from curate.defects.finding import Defect, Finding, Severity
from curate.defects.scene import Scene, Sight

AT_LEAST_S = 1.0
STILL_LEVELS = 0.5
"""Mean difference of thumbs a second apart below which nothing has changed. Moving, Udacity's CH2 (day, country road)
shows 1.1 from one frame to the next at the least, CarND's highway 0.6."""
SAME_LEVELS = 0.1
"""Of neighbouring frames that are one, encoded twice."""
BLACK_MEAN, BLACK_CELL = 19.0, 26.0
"""Levels; 16 is black. With headlights on, the road ahead is far above, in some cell at least."""
MOVES_LEVELS = 0.5
"""Usual change below which a repeated frame cannot be told from its neighbours."""
REPEATED = 0.15
"""Of the usual change around: a frame that differs by less from the one before is that one again."""
GOES_ON = 0.5
"""The picture moves on before and behind a repetition by at least this share; where a car stops it does not."""
AROUND = 10
"""Frames on either side by which the usual change is told."""


def frozen_picture(scene: Scene) -> Iterator[Finding]:
    yield from _standing(scene, Defect.FROZEN_PICTURE, _frozen, "the very same picture")


def black_picture(scene: Scene) -> Iterator[Finding]:
    yield from _standing(scene, Defect.BLACK_PICTURE, _black, "a black picture")


def duplicated_frames(scene: Scene) -> Iterator[Finding]:
    for name, sight in scene.cameras.items():
        stands = np.isfinite(speed := scene.speed(sight.t_ns[1:])) & ~(np.abs(speed) > 2.0)
        repeated = _repeated(sight, stands)
        if repeated:
            severity = Severity.QUARANTINE if repeated > sight.t_ns.size // 10 else Severity.NOTED
            evidence = f"{repeated} frames show what the one before shows, while all around them the picture moves"
            yield Finding(Defect.DUPLICATED_FRAMES, severity, name, evidence)


def _frozen(sight: Sight) -> NDArray[np.bool_]:
    """(N,) frames that show what was shown a second ago and ever since, and are not black."""
    levels = sight.thumbs.astype(np.float32)
    before = np.searchsorted(sight.t_ns, sight.t_ns - round(AT_LEAST_S * 1e9), side="right") - 1
    apart = np.abs(levels - levels[before.clip(0)]).mean(axis=(1, 2))
    still = np.concatenate([[0.0], np.cumsum(sight.change < SAME_LEVELS)])
    steps = np.arange(sight.t_ns.size) - before
    mostly = still[np.arange(sight.t_ns.size)] - still[before.clip(0)] >= 0.7 * steps
    return np.asarray((before >= 0) & (steps >= 2) & (apart < STILL_LEVELS) & mostly & ~_black(sight))


def _black(sight: Sight) -> NDArray[np.bool_]:
    return np.asarray((sight.thumbs.mean(axis=(1, 2)) < BLACK_MEAN) & (sight.thumbs.max(axis=(1, 2)) < BLACK_CELL))


def _standing(scene: Scene, code: Defect, is_so: object, what: str) -> Iterator[Finding]:
    assert callable(is_so)
    for name, sight in scene.cameras.items():
        so = is_so(sight)
        seconds = float(so.sum()) * sight.usual_ns / 1e9
        moving_s = float((so & scene.moving(sight.t_ns)).sum()) * sight.usual_ns / 1e9
        if moving_s >= AT_LEAST_S:
            yield Finding(code, Severity.QUARANTINE, name, f"{what} for {moving_s:.1f} s while the vehicle moves")
        elif seconds >= AT_LEAST_S and not np.isfinite(scene.speed(sight.t_ns)).any():
            evidence = f"{what} for {seconds:.1f} s, and no speed says whether the vehicle moves"
            yield Finding(code, Severity.UNDETERMINED, name, evidence)


def _repeated(sight: Sight, stands: NDArray[np.bool_]) -> int:
    """Frames that repeat the one before, in runs shorter than `AT_LEAST_S` between frames that move on."""
    change = sight.change
    if change.size < 2 * AROUND:
        return 0
    around = np.lib.stride_tricks.sliding_window_view(np.pad(change, AROUND, "reflect"), 2 * AROUND + 1)
    usual = np.median(around, axis=1)
    same = (change < REPEATED * usual) & (usual >= MOVES_LEVELS) & ~stands
    edges = np.diff(np.concatenate([[0], same.astype(np.int8), [0]]))
    found = 0
    for first, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        bounded = first > 0 and end < change.size
        if bounded and min(change[first - 1], change[end]) >= GOES_ON * usual[first] and end - first <= AROUND // 2:
            found += int(end - first)
    return found
