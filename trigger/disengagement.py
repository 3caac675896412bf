"""A disengagement: the system was in control, and then it was not; and a partial one: it gave up one axis.

Read from the engaged state, never from actuation, and debounced (`trigger.handover`). Losing the signal is no
disengagement, and neither is the end of the recording.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trigger.builtin import DISENGAGEMENT_WINDOW, TRIGGERS
from trigger.event import Event, Evidence
from trigger.handover import OFF_NS, Span, Spans
from trigger.heard import Heard
from trigger.measures import Measure, SignalAbsentError, braking, own
from trigger.signals import ControlSource, EndReason
from trigger.telemetry import Recorded, Telemetry, Values
from trigger.vehicle import VehicleProfile

KIND = "disengagement"
PARTIAL = "partial_disengagement"
TAKEOVER_NS = 5_000_000_000
"""After the onset: the hardest braking within it makes the event more severe."""
SETTLED_NS = TAKEOVER_NS + 1_000_000_000
BEFORE_NS, AFTER_NS = 1_000_000_000, 500_000_000
"""A driver's act from 1 s before to 0.5 s after the onset is taken for the cause; what the system says, to 1 s."""
PRESSED_FRACTION = 0.02
STANDING_MPS = 0.3
ENGAGED_AGE_S = 2.0
ACTS = (
    (EndReason.BRAKE, "brake_pressed", 0.5),
    (EndReason.BRAKE, "brake_fraction", PRESSED_FRACTION),
    (EndReason.STEERING, "steering_pressed", 0.5),
    (EndReason.GAS, "gas_pressed", 0.5),
    (EndReason.GAS, "gas_fraction", PRESSED_FRACTION),
)
"""What a driver does, the signal that shows it and from which value on; the first that is found is the reason."""
END_OF_DRIVE = "end_of_drive"
REASONS = [reason.value for reason in EndReason if reason is not EndReason.UNKNOWN]


class Disengagement:
    """Finds disengagements in telemetry that comes in pieces: events at the first sample that is not engaged.

    Severity is 1 + the hardest braking within 5 s after it over the threshold of `harsh_braking`; 1 where the
    drive has no speed or acceleration.

    Raises:
        SignalAbsentError: the drive does not record whether a system was engaged.
    """

    def __init__(self, kind: str, signals: Collection[str], vehicle: VehicleProfile) -> None:
        self.kind = kind
        self._signal, self._on = _state(kind, signals)
        self._spans = Spans()
        self._pending: list[Span] = []
        self._threshold = next(t.limits.on for t in TRIGGERS if t.kind == "harsh_braking")
        self._braking: Measure | None = None
        with suppress(SignalAbsentError):
            self._braking = braking(signals, vehicle)

    def push(self, piece: Telemetry, after_ns: int) -> Heard:
        """Take a piece whose rows later than `after_ns` are new; what came before is context."""
        t_ns, values = own(piece, self._signal)
        known, on = self._on(values)
        new = known & (t_ns > after_ns)
        began = self._spans.push(t_ns[new], on[new])
        if self.kind == PARTIAL:
            began = [span for span in began if _still_engaged(piece, span.start_ns)]
        self._pending += began
        settled = [span for span in self._pending if span.start_ns + SETTLED_NS <= piece.t_ns[-1]]
        self._pending = [span for span in self._pending if span not in settled]
        return Heard([self._event(span) for span in began], [self._whole(span, piece) for span in settled])

    def finish(self, piece: Telemetry) -> Heard:
        """No row will follow those of the piece."""
        return Heard([], [self._whole(span, piece, over=True) for span in self._pending])

    def _whole(self, span: Span, piece: Telemetry, over: bool = False) -> Event:
        severity = 1.0 + max(0.0, self._hardest_braking(piece, span.start_ns)) / self._threshold
        end_ns = min(self._spans.last_of(span), span.start_ns + TAKEOVER_NS)
        return replace(self._event(span), end_ns=end_ns, severity=severity, reason=_reason(piece, span.start_ns, over))

    def _event(self, span: Span) -> Event:
        before_ns, after_ns = (round(s * 1e9) for s in (DISENGAGEMENT_WINDOW.before_s, DISENGAGEMENT_WINDOW.after_s))
        window = (span.start_ns - before_ns, span.start_ns + after_ns)
        return Event(self.kind, span.start_ns, span.end_ns, window, 1.0, Evidence(self._signal, 0.0, 0.5))

    def _hardest_braking(self, piece: Telemetry, t_ns: int) -> float:
        if self._braking is None:
            return 0.0
        felt = self._braking(piece.between(t_ns - 3 * BEFORE_NS, t_ns + SETTLED_NS), t_ns)
        within = (felt.t_ns >= t_ns) & (felt.t_ns < t_ns + TAKEOVER_NS)
        return float(felt.values[within].max(initial=0.0))


def engagement_changes(telemetry: Recorded) -> tuple[tuple[int, bool], ...]:
    """(t_ns, engaged) at the first sample and at each change; empty where engagement is not recorded."""
    changes: list[tuple[int, bool]] = []
    for t_ns, values in (block.samples("engaged") for block in telemetry.blocks() if "engaged" in block):
        state = values > 0.5
        at = np.flatnonzero(np.append(True, state[1:] != state[:-1]))
        found = [(int(t_ns[i]), bool(state[i])) for i in at]
        changes += found[1:] if changes and found[0][1] == changes[-1][1] else found
    return tuple(changes)


State = Callable[[Values], tuple[NDArray[np.bool_], NDArray[np.bool_]]]


def _state(kind: str, signals: Collection[str]) -> tuple[str, State]:
    """The signal that tells, and from its values which are known and which of them mean that the system acts."""
    name = "engaged" if kind == KIND else "control_source_steering"
    for needed in {name, "engaged"}:
        if needed not in signals:
            raise SignalAbsentError(needed)
    if kind == KIND:
        return name, lambda values: (np.ones(values.size, bool), values > 0.5)
    acts = (ControlSource.SYSTEM, ControlSource.SHARED)
    return name, lambda values: (values != ControlSource.UNKNOWN, np.isin(values, acts))


def _still_engaged(piece: Telemetry, t_ns: int) -> bool:
    return bool(piece.at("engaged", np.array([t_ns + OFF_NS]), ENGAGED_AGE_S)[0] > 0.5)


def _reason(piece: Telemetry, t_ns: int, over: bool) -> str:
    """Name of the `EndReason`: as recorded, else by what the driver did; a stand that ends the drive is that."""
    _, told = own(piece.between(t_ns - BEFORE_NS, t_ns + BEFORE_NS), "end_reason")
    told = told[np.isin(told, REASONS)]
    if told.size:
        return EndReason(int(told[-1])).name.lower()
    near = piece.between(t_ns - BEFORE_NS, t_ns + AFTER_NS)
    for reason, name, pressed in ACTS:
        down = own(near, name)[1] > pressed
        if down.any() and not down[0]:
            return reason.name.lower()
    _, speed = own(piece.between(t_ns, t_ns + SETTLED_NS), "speed_mps")
    stands = bool(speed.size) and bool((np.abs(speed) < STANDING_MPS).all())
    return END_OF_DRIVE if over and stands else EndReason.UNKNOWN.name.lower()
