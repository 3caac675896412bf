"""Kinds that frame times show: dropped frames, a rate that cannot be, a video shorter than its window.

A camera may have no one rate; its gaps then say nothing, and it is only asked whether it covers its window.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from curate.defects.finding import Defect, Finding, Severity
from curate.defects.scene import Scene, Sight

GAP = 1.5
"""Steps longer than so many usual ones have lost a frame; Udacity's real cameras jitter by 3 %."""
MANY_LOST = 0.1
"""A tenth of the frames gone: no longer the drive at the rate that it says."""
SLOWEST_HZ, FASTEST_HZ = 1.0, 125.0
"""Rates of cameras in vehicles lie between a time lapse and 120 Hz."""
RATE_CHANGE = 1.25
"""First and last quarter of a clip whose rates differ by more; cameras change it by themselves in the dark alone."""
UNCOVERED_S = 1.5
"""A window is whole seconds and its drive may end within one; half a second of start-up on top."""


def dropped_frames(scene: Scene) -> Iterator[Finding]:
    for name, sight in scene.cameras.items():
        gaps = gap_steps(sight)
        if gaps.size:
            lost = int((np.round(sight.step_ns[gaps] / sight.usual_ns) - 1).clip(1).sum())
            share = lost / (lost + sight.t_ns.size)
            longest_s = float(sight.step_ns[gaps].max()) / 1e9
            severity = Severity.QUARANTINE if share > MANY_LOST else Severity.NOTED
            evidence = f"{lost} frames are missing ({100 * share:.1f} %); the longest gap is {longest_s:.2f} s"
            yield Finding(Defect.DROPPED_FRAMES, severity, name, evidence)


def gap_steps(sight: Sight) -> np.ndarray:
    """Indices of the steps in which frames are missing, (G,); none of a camera without a rate."""
    return np.flatnonzero(sight.step_ns > GAP * sight.usual_ns) if sight.regular else np.empty(0, np.int64)


def impossible_rate(scene: Scene) -> Iterator[Finding]:
    for name, sight in scene.cameras.items():
        if sight.usual_ns and not 1e9 / FASTEST_HZ <= sight.usual_ns <= 1e9 / SLOWEST_HZ:
            evidence = f"a frame every {sight.usual_ns / 1e6:.3g} ms: no camera's rate"
            yield Finding(Defect.WRONG_RATE, Severity.QUARANTINE, name, evidence)
        elif sight.step_ns.size >= 40:
            ends = np.array_split(sight.step_ns, 4)[::3]
            first, last = (float(np.median(end)) for end in ends)
            steady = all(np.subtract(*np.percentile(end, [75, 25])) <= 0.2 * np.median(end) for end in ends)
            if steady and max(first, last) > RATE_CHANGE * min(first, last):
                evidence = f"{1e9 / first:.1f} frames a second at first, {1e9 / last:.1f} at last"
                yield Finding(Defect.WRONG_RATE, Severity.NOTED, name, evidence)


def truncated(scene: Scene) -> Iterator[Finding]:
    """A camera, or the signals, that cover less of the window than the others do."""
    spans = {name: (int(sight.t_ns[0]), int(sight.t_ns[-1])) for name, sight in scene.cameras.items()}
    if scene.inside.span_ns:
        spans["signals"] = scene.inside.span_ns
    if len(spans) < 2:
        return
    first, last = min(a for a, _ in spans.values()), max(b for _, b in spans.values())
    for name, (begin, end) in spans.items():
        usual_s = scene.cameras[name].usual_ns / 1e9 if name in scene.cameras else 0.0
        short = [
            f"{missing_s:.1f} s at its {side}"
            for side, missing_s in (("beginning", (begin - first) / 1e9), ("end", (last - end) / 1e9))
            if missing_s > UNCOVERED_S + usual_s
        ]
        if short:
            evidence = f"lacks {' and '.join(short)}, which others cover"
            yield Finding(Defect.TRUNCATED, Severity.NOTED, name, evidence)
