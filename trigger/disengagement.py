"""A disengagement: the system was in control, and then it was not.

Read from the engaged state, never from actuation: on a real car the steering request drops out for 10 to 60 ms
while the system stays engaged. Two debounces: it must have been engaged for `engaged_s` before, and stay
disengaged for `off_s`. A pause in the samples ends what was known, so losing the signal is no disengagement,
and neither is the end of the recording.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from trigger.builtin import DISENGAGEMENT_WINDOW, TRIGGERS
from trigger.event import Event, Evidence
from trigger.measures import SignalAbsentError, braking
from trigger.telemetry import Telemetry
from trigger.vehicle import VehicleProfile

KIND = "disengagement"
ENGAGED_S = 1.0
OFF_S = 0.5
MAX_GAP_S = 2.0
TAKEOVER_S = 5.0
"""Seconds after the onset in which the hardest braking makes the event more severe."""


def disengagements(telemetry: Telemetry, vehicle: VehicleProfile) -> list[Event]:
    """Events at the first sample that is not engaged.

    Severity is 1 + the hardest braking within 5 s after it over the threshold of `harsh_braking`; 1 where the
    drive has no speed or acceleration.

    Raises:
        SignalAbsentError: the drive does not record whether a system was engaged.
    """
    if "engaged" not in telemetry:
        raise SignalAbsentError("engaged")
    t_ns, values = telemetry.samples("engaged")
    spans = _spans(t_ns, values > 0.5)
    found = []
    for before, after in pairwise(spans):
        lost_between = after[0] - before[1] > MAX_GAP_S * 1e9
        if before[2] and not after[2] and not lost_between and _lasts(before, ENGAGED_S) and _lasts(after, OFF_S):
            found.append(_event(telemetry, vehicle, after[0], after[1]))
    return found


def engagement_changes(telemetry: Telemetry) -> tuple[tuple[int, bool], ...]:
    """(t_ns, engaged) at the first sample and at each change; empty where engagement is not recorded."""
    if "engaged" not in telemetry:
        return ()
    t_ns, values = telemetry.samples("engaged")
    state = values > 0.5
    at = np.flatnonzero(np.append(True, state[1:] != state[:-1]))
    return tuple((int(t_ns[i]), bool(state[i])) for i in at)


Span = tuple[int, int, bool]


def _spans(t_ns: np.ndarray, engaged: np.ndarray) -> list[Span]:
    """Runs of one state as (first ns, last ns, state); a pause in the samples ends a run.

    A drop-out shorter than OFF_S, between two engaged runs with no pause, is joined to them. What is engaged for less
    than that between two that are not is a flicker and joined likewise.
    """
    spans: list[Span] = []
    for span, next_ns in _runs(t_ns, engaged):
        short = next_ns is not None and next_ns - span[0] < OFF_S * 1e9
        follows = bool(spans) and span[0] - spans[-1][1] <= MAX_GAP_S * 1e9
        if follows and spans[-1][2] == span[2]:
            spans[-1] = (spans[-1][0], span[1], span[2])
        elif follows and short:
            spans[-1] = (spans[-1][0], span[1], spans[-1][2])
        else:
            spans.append(span)
    return spans


def _runs(t_ns: np.ndarray, engaged: np.ndarray) -> Iterator[tuple[Span, int | None]]:
    """Each run, and the time of the sample that ends it; None where a pause or the recording's end does."""
    if not t_ns.size:
        return
    pause = np.diff(t_ns) > MAX_GAP_S * 1e9
    first = np.flatnonzero(np.append(True, (engaged[1:] != engaged[:-1]) | pause))
    for begin, end in zip(first.tolist(), [*first[1:].tolist(), t_ns.size], strict=True):
        ended_by_sample = end < t_ns.size and not pause[end - 1]
        yield (int(t_ns[begin]), int(t_ns[end - 1]), bool(engaged[begin])), int(t_ns[end]) if ended_by_sample else None


def _lasts(span: Span, seconds: float) -> bool:
    return span[1] - span[0] >= seconds * 1e9


def _event(telemetry: Telemetry, vehicle: VehicleProfile, t_ns: int, end_ns: int) -> Event:
    window = (t_ns - round(DISENGAGEMENT_WINDOW.before_s * 1e9), t_ns + round(DISENGAGEMENT_WINDOW.after_s * 1e9))
    until_ns = t_ns + round(TAKEOVER_S * 1e9)
    hard = _hardest_braking(telemetry, vehicle, t_ns, until_ns)
    threshold = next(t.limits.on for t in TRIGGERS if t.kind == "harsh_braking")
    evidence = Evidence("engaged", 0.0, 0.5)
    return Event(KIND, t_ns, min(end_ns, until_ns), window, 1.0 + max(0.0, hard) / threshold, evidence)


def _hardest_braking(telemetry: Telemetry, vehicle: VehicleProfile, start_ns: int, end_ns: int) -> float:
    try:
        felt = braking(telemetry.between(start_ns - 1_000_000_000, end_ns), vehicle)
    except SignalAbsentError:
        return 0.0
    values = felt.values[(felt.t_ns >= start_ns) & ~np.isnan(felt.values)]
    return float(values.max(initial=0.0))
