"""Kinds that the signals show by themselves: values no vehicle has, a wrong unit or sign, samples that are missing.

What a range, a unit and a sign must be is `trigger.plausible`'s; it is asked for all of the clip's signals, of which
those before the window give more to tell by.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from curate.defects.finding import Defect, Finding, Severity
from curate.defects.scene import Scene
from trigger.plausible import out_of_range, unphysical_steering, wrong_signs, wrong_units
from trigger.signals import STEERING_SIGNALS, signal_named

WATCHED = (*STEERING_SIGNALS, "speed_mps", "yaw_rate_dps", "accel_long_mps2", "accel_lat_mps2")
"""Signals that are sampled at a rate. Pedals and switches may be told only where they change."""
GAP_S, GAP_STEPS = 0.5, 10
"""No sample for half a second, and ten usual steps."""
MOST_MISSING = 0.5
FEW = 0.01
"""Share of a signal's samples that may lie outside its range: 0.1 s of 10."""


def bad_range(scene: Scene) -> Iterator[Finding]:
    """A crash is beyond every range, too, and so is a single glitch: few samples are noted, and the clip stays."""
    for line in out_of_range(scene.signals):
        name = _named_in(line, scene)
        severity = Severity.QUARANTINE if _share_outside(scene, name) > FEW else Severity.NOTED
        yield Finding(Defect.BAD_RANGE, severity, name, line)


def bad_unit(scene: Scene) -> Iterator[Finding]:
    for line in (*unphysical_steering(scene.signals), *wrong_signs(scene.signals), *wrong_units(scene.signals)):
        yield Finding(Defect.BAD_UNIT, Severity.QUARANTINE, _named_in(line, scene), line)


def missing_samples(scene: Scene) -> Iterator[Finding]:
    """A signal that stops for a while and others go on: its recorder wrote NaN, or lost a message."""
    start_ns, end_ns = scene.inside.span_ns or (0, 0)
    for name in (name for name in WATCHED if name in scene.signals):
        t_ns, _ = scene.signals.samples(name)
        step_ns = np.diff(t_ns)
        if step_ns.size < GAP_STEPS:
            continue
        inside = np.concatenate([[start_ns], t_ns[(t_ns > start_ns) & (t_ns < end_ns)], [end_ns]])
        gaps_s = np.diff(inside) / 1e9
        missing_s = float(gaps_s[gaps_s > max(GAP_S, GAP_STEPS * float(np.median(step_ns)) / 1e9)].sum())
        if missing_s:
            severity = Severity.QUARANTINE if missing_s * 1e9 > MOST_MISSING * (end_ns - start_ns) else Severity.NOTED
            yield Finding(Defect.MISSING_SAMPLES, severity, name, f"no sample for {missing_s:.1f} s in all")


def _share_outside(scene: Scene, name: str) -> float:
    known = signal_named(name)
    if known is None or name not in scene.signals:
        return 1.0
    _, values = scene.signals.samples(name)
    return float(np.mean((values < known.low) | (values > known.high))) if values.size else 0.0


def _named_in(line: str, scene: Scene) -> str:
    """The signal that a sentence of `trigger.plausible` speaks of: the first that it names."""
    return min((name for name in scene.signals if name in line), key=line.index, default="signals")
