"""Clocks that are set while they run: a camera's, or that of the signals.

A camera's clock that jumps leaves a gap in which the picture does not change more than from frame to frame. One of the
signals that jumps ahead leaves all of them without samples for a while; one that jumps back stamps a stretch twice, so
that every signal has twice its usual samples there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from curate.defects.finding import Defect, Finding, Severity
from curate.defects.frame_times import gap_steps
from curate.defects.scene import Scene
from curate.defects.standing import MOVES_LEVELS
from trigger.telemetry import Times

LEAST_S = 0.25
NO_CHANGE = 1.6
"""The picture changes by less than so many usual steps over the gap: no time has passed. A step of CH2 is below 1.6
times the usual one in 94 % of all, one over five frames above it in all but 1 %."""
PAUSE_S, PAUSE_STEPS = 0.5, 10
"""All signals pause for half a second, and ten times as long as rows are usually apart."""
BIN_S = 0.25
TWICE = 1.7
LEAST_A_BIN = 4


def clock_jump(scene: Scene) -> Iterator[Finding]:
    yield from _of_cameras(scene)
    rows = scene.inside.t_ns
    if rows.size > 2 * PAUSE_STEPS:
        step_s = np.diff(rows) / 1e9
        longest = float(step_s.max())
        if longest > max(PAUSE_S, PAUSE_STEPS * float(np.percentile(step_s, 90))):
            evidence = f"all signals pause for {longest:.2f} s: lost, or their clock was set ahead"
            yield Finding(Defect.CLOCK_JUMP, Severity.QUARANTINE, "signals", evidence)
        twice_s = _told_twice_s(scene)
        if twice_s:
            evidence = f"{twice_s:.2f} s hold twice the usual samples: the clock was set back"
            yield Finding(Defect.CLOCK_JUMP, Severity.QUARANTINE, "signals", evidence)


def _of_cameras(scene: Scene) -> Iterator[Finding]:
    for name, sight in scene.cameras.items():
        usual = float(np.median(sight.change)) if sight.change.size else 0.0
        if usual < MOVES_LEVELS:
            continue
        for gap in gap_steps(sight):
            around = np.median(sight.change[max(0, gap - 10) : gap + 11])
            if sight.step_ns[gap] > LEAST_S * 1e9 and sight.change[gap] < NO_CHANGE * max(around, MOVES_LEVELS):
                evidence = f"its clock goes on by {sight.step_ns[gap] / 1e9:.2f} s and the picture by one frame"
                yield Finding(Defect.CLOCK_JUMP, Severity.QUARANTINE, name, evidence)


def _told_twice_s(scene: Scene) -> float:
    """Length of the stretch in which every signal that comes at a steady rate has twice its samples, in s."""
    steady = [twice for name in scene.inside if (twice := _doubled(scene.inside.samples(name)[0])) is not None]
    if not steady:
        return 0.0
    shared = min(found.size for found in steady)
    return float(np.all([found[:shared] for found in steady], axis=0).sum()) * BIN_S


def _doubled(t_ns: Times) -> np.ndarray | None:
    """(B,) which bins of `BIN_S` hold twice the usual samples; None where samples come too rarely to say so."""
    bins = np.bincount((t_ns - t_ns[0]) // round(BIN_S * 1e9))[:-1]
    usual = float(np.median(bins)) if bins.size else 0.0
    return bins >= TWICE * usual if usual >= LEAST_A_BIN else None
