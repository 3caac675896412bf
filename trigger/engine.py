"""One engine for the car and the archive: telemetry in pieces of any size, events out.

Rows are taken as they come. Each trigger's measure is a function of the last seconds alone, so the engine keeps the
last `KEPT_S` of rows, measures them together with the new ones four times a second, and gives what is new to the
detector, which carries its own state. However a recording is chopped, the events are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Protocol

from trigger.builtin import TRIGGERS, Trigger
from trigger.disengagement import KIND, PARTIAL, Disengagement
from trigger.event import Event, Evidence
from trigger.excursion import Excursions, Stretch
from trigger.heard import Heard
from trigger.measures import LOOKBACK_S, SignalAbsentError
from trigger.telemetry import Telemetry
from trigger.vehicle import VehicleProfile

EVERY_NS = 250_000_000
KEPT_S = LOOKBACK_S + 2.0
"""What a measure asks for, and what it may be late by: half a filter, and a pause that is bridged."""
KEPT_NS = round(KEPT_S * 1e9)


class Detector(Protocol):
    """What finds the events of one kind."""

    kind: str

    def push(self, piece: Telemetry, after_ns: int) -> Heard:
        """Take a piece whose rows later than `after_ns` are new; what came before is context."""

    def finish(self, piece: Telemetry) -> Heard:
        """No row will follow those of the piece."""


class Beyond:
    """Finds where a trigger's measure stays beyond its threshold."""

    def __init__(self, trigger: Trigger, signals: Collection[str], vehicle: VehicleProfile) -> None:
        self.kind = trigger.kind
        self._trigger, self._measure = trigger, trigger.measure(signals, vehicle)
        self._stretches = Excursions(trigger.limits)
        self._measured_ns = self._told_ns = -(1 << 62)
        self._signal = ""

    def push(self, piece: Telemetry, after_ns: int) -> Heard:
        measured = self._measure(piece, after_ns)
        new = measured.t_ns.searchsorted(self._measured_ns, side="right")
        if new == measured.t_ns.size:
            return Heard()
        self._measured_ns, self._signal = int(measured.t_ns[-1]), measured.signal
        ended = self._stretches.push(measured.t_ns[new:], measured.values[new:])
        present = [self._stretches.present] if self._stretches.present else []
        began = [stretch for stretch in (*ended, *present) if stretch.start_ns > self._told_ns]
        if began:
            self._told_ns = began[-1].start_ns
        return Heard(self._events(began), self._events(ended))

    def finish(self, piece: Telemetry) -> Heard:
        return Heard([], self._events(self._stretches.finish()))

    def _events(self, stretches: list[Stretch]) -> list[Event]:
        window, on = self._trigger.window, self._trigger.limits.on
        before_ns, after_ns = round(window.before_s * 1e9), round(window.after_s * 1e9)
        return [
            Event(
                kind=self.kind,
                t_ns=stretch.start_ns,
                end_ns=stretch.end_ns,
                window_ns=(stretch.start_ns - before_ns, stretch.end_ns + after_ns),
                severity=stretch.peak / on,
                evidence=Evidence(self._signal, stretch.peak, on),
                version=self._trigger.version,
            )
            for stretch in stretches
        ]


class Engine:
    """All triggers over one drive.

    Args:
        signals: names of all signals the drive may have; what it lacks keeps triggers from running.

    Attributes:
        absent: kind of each trigger that cannot run to the signals it would need.
    """

    def __init__(
        self, signals: Collection[str], vehicle: VehicleProfile, triggers: Sequence[Trigger] = TRIGGERS
    ) -> None:
        self.absent: dict[str, str] = {}
        self._detectors: list[Detector] = []
        self._kept = Telemetry.merge({})
        self._waiting: list[Telemetry] = []
        self._measured_ns = -(1 << 62)
        makers: dict[str, Callable[[Collection[str], VehicleProfile], Detector]] = {
            **{kind: partial(Disengagement, kind) for kind in (KIND, PARTIAL)},
            **{trigger.kind: partial(Beyond, trigger) for trigger in triggers},
        }
        for kind, make in makers.items():
            try:
                self._detectors.append(make(signals, vehicle))
            except SignalAbsentError as error:
                self.absent[kind] = error.needs

    def push(self, rows: Telemetry) -> Heard:
        """Take rows, all later than those before. Raises TelemetryError where they are not."""
        if not len(rows):
            return Heard()
        self._waiting.append(rows)
        return self._listen() if rows.t_ns[-1] - self._measured_ns >= EVERY_NS else Heard()

    def finish(self) -> Heard:
        """No row will follow."""
        heard = self._listen() if self._waiting else Heard()
        for detector in self._detectors:
            heard.add(detector.finish(self._kept))
        return heard

    def _listen(self) -> Heard:
        piece = Telemetry.join([self._kept, *self._waiting])
        heard = Heard()
        for detector in self._detectors:
            heard.add(detector.push(piece, self._measured_ns))
        self._waiting = []
        self._measured_ns = int(piece.t_ns[-1])
        self._kept = piece.between(self._measured_ns - KEPT_NS, self._measured_ns + 1)
        return heard


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Events as reports and clips list them."""
    return tuple(sorted(events, key=lambda event: (event.t_ns, event.kind)))
