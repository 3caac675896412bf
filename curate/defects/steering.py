"""Steering that stands still while the vehicle turns: a sensor that hangs, or a message that is repeated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from curate.defects.finding import Defect, Finding, Severity
from curate.defects.scene import Scene
from trigger.rate import trailing_mean
from trigger.signals import STEERING_SIGNALS
from trigger.telemetry import Times, Values

STANDS = {"steering_wheel_deg": 0.05, "steering_tire_deg": 0.004, "steering_normalised": 0.0005}
"""A hand on a wheel moves it by more within seconds; sensors resolve 0.1 deg of the wheel, coarse ones 1 deg."""
AT_LEAST_S = 3.0
TURNS_DPS = 5.0
"""Change of the yaw rate meanwhile. By the single-track model it takes 14 deg of the wheel at 15 m/s (wheelbase 2.7 m,
ratio 15), 7 deg at 30 m/s: seven steps of the coarsest sensor."""
SLIDES = 8.0
"""The same by the picture where no yaw rate is recorded, in cells a second: 10 deg of the wheel on Udacity's CH2."""
MOVING_MPS = 4.0
MEAN_S = 0.5


def stuck_steering(scene: Scene) -> Iterator[Finding]:
    turn = _turning(scene)
    if turn is None:
        return
    for name in (name for name in STEERING_SIGNALS if name in scene.inside):
        t_ns, values = scene.inside.samples(name)
        for first, end in _stretches(t_ns, values, STANDS[name]):
            turned = _change(scene, turn, int(t_ns[first]), int(t_ns[end - 1]))
            if turned:
                seconds = (t_ns[end - 1] - t_ns[first]) / 1e9
                evidence = f"stands at {values[first]:.4g} for {seconds:.1f} s while {turned}"
                yield Finding(Defect.STUCK_STEERING, Severity.QUARANTINE, name, evidence)
                break


def _turning(scene: Scene) -> tuple[Times, Values, float, str] | None:
    """What tells that the vehicle turns: times, values, the change that counts, and how to say it."""
    if "yaw_rate_dps" in scene.inside:
        return *scene.inside.samples("yaw_rate_dps"), TURNS_DPS, "the yaw rate changes by {:.1f} deg/s"
    flow = next((sight.flow for sight in scene.cameras.values() if sight.flows), None)
    return (flow.t_ns, flow.slide, SLIDES, "the picture's slide changes by {:.1f} cells/s") if flow else None


def _stretches(t_ns: Times, values: Values, stands: float) -> list[tuple[int, int]]:
    """[first, end) of the samples over which values stay within `stands` of the first, of `AT_LEAST_S` and more."""
    found, first = [], 0
    while first < t_ns.size:
        away = np.flatnonzero(np.abs(values[first:] - values[first]) > stands)
        end = first + int(away[0]) if away.size else t_ns.size
        if t_ns[end - 1] - t_ns[first] >= AT_LEAST_S * 1e9:
            found.append((first, end))
        first = end
    return found


def _change(scene: Scene, turn: tuple[Times, Values, float, str], start_ns: int, end_ns: int) -> str:
    """How the vehicle turns meanwhile, in words; "" where it does not, or stands."""
    t_ns, values, enough, words = turn
    mean = trailing_mean(t_ns, values, MEAN_S)
    used = (t_ns >= start_ns + round(MEAN_S * 1e9)) & (t_ns <= end_ns) & np.isfinite(mean)
    speed = scene.speed(t_ns[used])
    moved = bool(used.any()) and not bool((np.abs(speed) < MOVING_MPS).any())
    changed = float(np.subtract(*np.percentile(mean[used], [98, 2]))) if moved else 0.0
    return words.format(changed) if changed > enough else ""
