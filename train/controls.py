"""Labels: which controls a dataset carries, and what a human did with them at given times.

Rules:
- Only human controls are labels. Steering needs `control_source_steering` to be HUMAN, the pedals need
  `control_source_speed` to be HUMAN; unknown, shared and system are never labels, nor is a recording that
  does not say.
- A label lies on one of the signal's own samples, or between two of them at most `MAX_GAP_S` apart, and is
  then the straight line between them; a human must hold the control at both ends.
- Sources are recorded when they change, so the last one holds however old it is.
- What comes later is a label of now only while the same human goes on: never beyond a change of hands, even where a
  human takes over again.

The trade-off: a label near a take-over is given up rather than mixed from two drivers. It does not smooth, shift
in time, or turn one steering signal into another.

Shapes: N times, K steps of a horizon, A controls.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.errors import SampleError
from train.horizon import Horizon
from trigger.signals import CONTROL_AGE_S, CONTROLLED_BY, SIGNALS, SOURCE_AGE_S, STEERING_SIGNALS, ControlSource
from trigger.telemetry import Recorded, Times, Values

PEDALS = CONTROLLED_BY["control_source_speed"]


@dataclass(frozen=True)
class ControlSpec:
    """The controls a policy predicts, in the order of its outputs: at most one steering signal, then pedals."""

    names: tuple[str, ...]

    @property
    def steering(self) -> int | None:
        """Index of the steering control, None where there is none."""
        found = [i for i, name in enumerate(self.names) if name in STEERING_SIGNALS]
        return found[0] if found else None

    def unit(self, name: str) -> str:
        return SIGNALS[name].unit


def source_of(name: str) -> str:
    """The column that says who moved the control `name`."""
    return "control_source_speed" if name in PEDALS else "control_source_steering"


def find_controls(recordings: Iterable[Recorded]) -> ControlSpec:
    """The controls of which a human gave at least one sample in any of the recordings.

    Raises:
        SampleError: there is none.
    """
    present: set[str] = set()
    for telemetry in recordings:
        wanted = {*STEERING_SIGNALS, *PEDALS} - present
        present |= {name for name in wanted if name in telemetry and _has_human(telemetry, name)}
    steering = [name for name in STEERING_SIGNALS if name in present][:1]
    names = (*steering, *(name for name in PEDALS if name in present))
    if not names:
        raise SampleError(
            "no control in these clips that a human is known to have moved",
            "steering, gas or brake with control_source_* saying HUMAN",
            "check what the recorder knows of who drove: swerve edge inspect lists the control_source signals",
        )
    return ControlSpec(names)


def labels(telemetry: Recorded, spec: ControlSpec, t_ns: Times) -> Values:
    """What a human did at each time.

    Args:
        t_ns: (N,) int64 ns on the drive's clock.

    Returns:
        (N, A) float64 in the unit of each control, NaN where it is not a label.
    """
    columns = [_human_values(telemetry, name, t_ns) for name in spec.names]
    return np.stack(columns, axis=1) if columns else np.empty((len(t_ns), 0))


def labels_ahead(telemetry: Recorded, spec: ControlSpec, t_ns: Times, horizon: Horizon) -> Values:
    """What the human of each time did then and went on to do.

    Args:
        t_ns: (N,) int64 ns on the drive's clock.

    Returns:
        (N, K, A) float64 in the unit of each control, NaN where it is not a label.
    """
    steps = horizon.times(t_ns).T
    ahead = np.stack([labels(telemetry, spec, at_ns) for at_ns in steps], axis=1)
    for control, name in enumerate(spec.names):
        for step, at_ns in enumerate(steps):
            if step and source_of(name) in telemetry:
                ahead[~_same_hands(telemetry, name, t_ns, at_ns), step, control] = np.nan
    return ahead


def _same_hands(telemetry: Recorded, name: str, start_ns: Times, end_ns: Times) -> NDArray[np.bool_]:
    return _human(telemetry, name, start_ns) & ~_other_hands_between(telemetry, name, start_ns, end_ns)


def _human_values(telemetry: Recorded, name: str, t_ns: Times) -> Values:
    result = np.full(len(t_ns), np.nan)
    if name not in telemetry or source_of(name) not in telemetry:
        return result
    own_ns, values = telemetry.samples(name)
    before = np.searchsorted(own_ns, t_ns, side="right") - 1
    inside = before >= 0
    before = np.maximum(before, 0)
    exact = inside & (own_ns[before] == t_ns)
    after = np.where(exact, before, np.minimum(before + 1, own_ns.size - 1))
    gap_ns = own_ns[after] - own_ns[before]
    known = exact | (inside & (gap_ns > 0) & (gap_ns <= round(CONTROL_AGE_S * 1e9)))
    for times in (t_ns, own_ns[before], own_ns[after]):
        known &= _human(telemetry, name, times)
    known &= ~_other_hands_between(telemetry, name, own_ns[before], own_ns[after])
    part = (t_ns - own_ns[before]) / np.maximum(gap_ns, 1)
    line = values[before] + part * (values[after] - values[before])
    result[known] = line[known]
    return result


def _other_hands_between(telemetry: Recorded, name: str, start_ns: Times, end_ns: Times) -> NDArray[np.bool_]:
    """Did anything but a human hold the control for a moment in [start, end]? A line across that is no label."""
    own_ns, source = telemetry.samples(source_of(name))
    others = np.append(0, np.cumsum(source != ControlSource.HUMAN))
    first, last = np.searchsorted(own_ns, start_ns, side="left"), np.searchsorted(own_ns, end_ns, side="right")
    return np.asarray(others[last] > others[first])


def _human(telemetry: Recorded, name: str, t_ns: Times) -> NDArray[np.bool_]:
    return np.asarray(telemetry.at(source_of(name), t_ns, SOURCE_AGE_S) == ControlSource.HUMAN)


def _has_human(telemetry: Recorded, name: str) -> bool:
    return bool(_human(telemetry, name, telemetry.samples(name)[0]).any())
