"""What a clip is worth to the night: the sum over its events of what their kind is worth times their severity.

A take-over says that the system failed, and so may a vehicle that brakes or warns; a bookmark that somebody wants the
moment; braking and steering that a human had to; the rest that the car was felt. The figures are a judgement, ordered
by how directly a kind shows a failure, and only their ratios matter. Severity counts up to `SEVEREST`: one wrong sample
can make it any size. Training weights are another thing, made by the curation.
"""

from __future__ import annotations

from collections.abc import Iterable

from trigger.event import Event

KIND_VALUE = {
    "disengagement": 10.0,
    "emergency_braking": 8.0,
    "partial_disengagement": 6.0,
    "collision_course": 6.0,
    "collision_warning": 6.0,
    "bookmark": 5.0,
    "stability_control": 5.0,
    "abrupt_brake": 4.0,
    "swerve": 4.0,
    "harsh_braking": 4.0,
    "abrupt_steering": 3.0,
    "abrupt_gas": 2.0,
    "harsh_cornering": 2.0,
    "longitudinal_jerk": 2.0,
    "lateral_jerk": 2.0,
}
OTHER_VALUE = 1.0
"""Of a kind not named above."""
SEVEREST = 4.0


def value_of(events: Iterable[Event]) -> float:
    """Value of a clip that holds these events; above 0 for any event."""
    return sum(KIND_VALUE.get(e.kind, OTHER_VALUE) * min(max(e.severity, 1.0), SEVEREST) for e in events)
