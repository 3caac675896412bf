"""Kinds in which picture and signals do not tell the same time: an offset, a drift, another rate, a mirrored picture.

Where the vehicle turns, the picture slides as the yaw rate says (`curate.defects.flow`, `curate.defects.lag`). What can
be told depends on how much it turns; below the stated error it is `undetermined`, which is most of straight driving.

With a yaw rate, 50 ms can be told. With steering alone they cannot: a car turns some time after its wheel, by speed
and tyre, and the wheel makes small movements that no picture shows. On Udacity's CH2 (20 Hz, 35 clips of 11 s) the lag
told by steering is -57 ms on average and varies by 51 ms from clip to clip, which is what its bound is made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from curate.defects.finding import Defect, Finding, Severity
from curate.defects.lag import LEAST_SAMPLES, Lag, correlation, lag_of
from curate.defects.scene import SPEED_AGE_S, Scene, Sight
from trigger.signals import STEERING_SIGNALS
from trigger.telemetry import Times, Values


@dataclass(frozen=True)
class Witness:
    """How well a signal tells the picture's clock.

    Attributes:
        usual_s: lag of a sound recording. bound_s: of the distance from it, beyond which the clocks are apart.
        error_s: standard error above which nothing is told; likewise `correlation`, and `turns`, the spread of what
            is told, in its own unit. severe_s: distance that spoils the labels.
    """

    usual_s: float
    bound_s: float
    error_s: float
    correlation: float
    turns: float
    severe_s: float


YAW = Witness(usual_s=0.0, bound_s=0.032, error_s=0.011, correlation=0.9, turns=2.0, severe_s=0.1)
"""On made scenes the lag of a sound clip is off by 12 ms (root mean square), so 32 ms lie 2.7 of that from none and
1.5 from 50 ms. Where the yaw rate spreads by less than 2 deg/s, what else moves was seen to pass for a lag."""
STEERING = Witness(usual_s=-0.055, bound_s=0.16, error_s=0.05, correlation=0.6, turns=0.0, severe_s=0.25)
"""Three deviations of what CH2 shows from clip to clip."""
DRIFT_BOUND_S, DRIFT_ERROR_S = 0.2, 0.04
"""How far the clocks run apart within a clip, at least, and the standard error above which nothing is told."""
STEADY = 1.35
"""As `curate.defects.scene.FLOWS`, for telling times: where the picture moves faster, its slide is told too small,
and lags were off by half as much again."""
STRETCHES = (0.5, 0.6, 2 / 3, 0.75, 0.8, 1.25, 4 / 3, 1.5, 5 / 3, 2.0)
"""Ratios of the rates that cameras have: 10, 15, 20, 25 and 30 Hz."""
FITS, UNEXPLAINED = 0.95, 0.2
"""Another rate fits where the correlation is this high in both halves of the clip, and leaves at most a fifth of what
the stamped rate leaves unexplained: winding roads repeat themselves."""
COVERED = 0.95
"""Share of the picture that must lie within what is told: the right rate puts all of it there."""
STRETCH_SHIFTS_S = (-0.2, -0.1, 0.0, 0.1, 0.2)


def apart_in_time(scene: Scene) -> Iterator[Finding]:
    """Offset, drift, rate and mirroring of each camera against the signals."""
    told = turning(scene)
    if told is None:
        for name in scene.cameras:
            yield _undetermined(name, "no yaw rate or steering to tell it by")
        return
    witness, told_ns, values = told
    for name, sight in scene.cameras.items():
        if sight.flows:
            yield from _of_camera(name, sight, witness, told_ns, values)
        else:
            yield _undetermined(name, "the picture does not move on")


def turning(scene: Scene) -> tuple[Witness, Times, Values] | None:
    """What tells how the vehicle turns, + left: the yaw rate, else steering times speed, else steering alone."""
    signals = scene.signals
    if "yaw_rate_dps" in signals:
        return YAW, *signals.samples("yaw_rate_dps")
    steering = next((name for name in STEERING_SIGNALS if name in signals), None)
    if steering is None:
        return None
    t_ns, angle = signals.samples(steering)
    speed = signals.at("speed_mps", t_ns, SPEED_AGE_S)
    return STEERING, t_ns, angle * speed if np.isfinite(speed).all() else angle


def _of_camera(name: str, sight: Sight, witness: Witness, told_ns: Times, told: Values) -> Iterator[Finding]:
    seen = sight.flow
    found = lag_of(seen.t_ns, seen.slide, told_ns, told, seen.growth[:, None])
    turns = _turns(sight, told_ns, told) >= witness.turns
    stretch = _other_rate(sight, told_ns, told, found.correlation if found else 0.0) if turns else 0.0
    if stretch:
        evidence = f"the picture fits the signals when it runs {1 / stretch:.2f} times as fast"
        yield Finding(Defect.WRONG_RATE, Severity.QUARANTINE, name, evidence)
    elif found is None or not turns or sight.moves_on < STEADY or abs(found.correlation) < witness.correlation:
        yield _undetermined(name, "the vehicle turns too little, or the picture moves too fast")
    elif found.correlation < 0:
        evidence = f"slides against the turning of the vehicle (r = {found.correlation:.2f})"
        yield Finding(Defect.MIRRORED_PICTURE, Severity.QUARANTINE, name, evidence)
    else:
        yield from _offset(name, found, witness)
        yield from _drift(name, found, float(np.ptp(sight.t_ns)) / 1e9)


def _turns(sight: Sight, told_ns: Times, told: Values) -> float:
    """Spread of what is told while the camera looks."""
    inside = told[(told_ns >= sight.t_ns[0]) & (told_ns <= sight.t_ns[-1])]
    return float(inside.std()) if inside.size else 0.0


def _offset(name: str, found: Lag, witness: Witness) -> Iterator[Finding]:
    apart_s = found.lag_s - witness.usual_s
    if found.lag_error_s > witness.error_s:
        yield _undetermined(name, "the vehicle turns too little")
    elif abs(apart_s) > witness.bound_s:
        severity = Severity.QUARANTINE if abs(apart_s) > witness.severe_s else Severity.NOTED
        evidence = f"the signals are {1e3 * apart_s:+.0f} ms late (standard error {1e3 * found.lag_error_s:.0f} ms)"
        yield Finding(Defect.VIDEO_OFFSET, severity, name, evidence)


def _drift(name: str, found: Lag, length_s: float) -> Iterator[Finding]:
    drift_s, error_s = found.drift * length_s, found.drift_error * length_s
    if error_s > DRIFT_ERROR_S:
        yield Finding(Defect.CLOCK_DRIFT, Severity.UNDETERMINED, name, "the vehicle turns too little")
    elif abs(drift_s) > DRIFT_BOUND_S:
        evidence = f"the clocks run apart by {1e3 * drift_s:+.0f} ms within {length_s:.0f} s"
        yield Finding(Defect.CLOCK_DRIFT, Severity.QUARANTINE, name, evidence)


def _other_rate(sight: Sight, told_ns: Times, told: Values, at_this: float) -> float:
    """The stretch at which the picture fits the signals clearly better, from its first frame on; 0 where none does."""
    if sight.step_ns.size < LEAST_SAMPLES or np.ptp(sight.flow.slide) == 0:
        return 0.0
    at_this = max(0.0, at_this, _fit(sight, told_ns, told, 1.0))
    fits = [_fit(sight, told_ns, told, stretch) for stretch in STRETCHES]
    best = int(np.argmax(fits))
    clearly = fits[best] > max(FITS, float(np.sqrt(1 - UNEXPLAINED * (1 - at_this**2))))
    return STRETCHES[best] if clearly else 0.0


def _fit(sight: Sight, told_ns: Times, told: Values, stretch: float) -> float:
    """Greatest correlation over `STRETCH_SHIFTS_S` in the half where it is less; 0 where too little is told."""
    at_s = (sight.flow.t_ns - sight.t_ns[0]) / 1e9 * stretch
    told_s = (told_ns - sight.t_ns[0]) / 1e9
    used, slide = at_s <= told_s[-1], sight.flow.slide
    if used.sum() < COVERED * used.size:
        return 0.0
    halves = np.array_split(np.flatnonzero(used), 2)
    return max(
        min(correlation(slide[half], np.interp(at_s[half] + shift, told_s, told)) for half in halves)
        for shift in STRETCH_SHIFTS_S
    )


def _undetermined(name: str, why: str) -> Finding:
    return Finding(Defect.VIDEO_OFFSET, Severity.UNDETERMINED, name, why)
