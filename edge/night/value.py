"""What a clip is worth to the night: the sum over its moments of what the kind of event is worth times its severity.

Events that begin together are one moment, told several times: who takes over and brakes hard is found by four triggers.
It counts once, as the most valuable of them; or a night would be spent on hard braking, which most triggers see, and
nothing be left for a quiet takeover.

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
A_MOMENT_NS = 3_000_000_000
"""Events that begin so soon after a moment's first belong to it."""


def value_of(events: Iterable[Event]) -> float:
    """Value of a clip that holds these events; above 0 for any event."""
    moments: list[float] = []
    since_ns = 0
    for event in sorted(events, key=lambda event: event.t_ns):
        own = KIND_VALUE.get(event.kind, OTHER_VALUE) * min(max(event.severity, 1.0), SEVEREST)
        if moments and event.t_ns - since_ns <= A_MOMENT_NS:
            moments[-1] = max(moments[-1], own)
        else:
            moments.append(own)
            since_ns = event.t_ns
    return sum(moments)
