"""Who drove an openpilot route, and why each engagement ended: what follows from several kinds of messages at once.

Taken segment by segment. Messages of one time can lie in the files of two segments, so nothing is said of the last
`BORDER_NS` of what was read until the next segment is, or the route has ended; no more than that is kept.

Steering follows `carControl.latActive`; speed follows `longActive` or the car's own cruise control, which drives where
openpilot only steers. Where the driver acts on an active axis it is shared. Logs too old to tell the axes apart follow
the engagement.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.formats.openpilot_messages import Log, Row, Table
from edge.formats.openpilot_reasons import end_reason
from trigger.signals import ControlSource
from trigger.telemetry import Times, Values, latest

BORDER_NS = 2_000_000_000
STALE_S = 0.5
"""Older than this, a pedal's last state says nothing."""
BEFORE_NS, AFTER_NS = 150_000_000, 100_000_000
"""Events in force around a disengagement: one message of the qlog before, ten of the rlog after."""
KEPT_NS = 1_000_000_000
"""Of what was said already this much is kept for what follows: more than STALE_S and BEFORE_NS."""
END_OF_ROUTE = 1 << 62

OLD_EVENTS = "onroadEventsDEPRECATED"
EMPTY = Log({}, {})

Signals = dict[str, tuple[Times, Values]]


class Control:
    """`reasons`: for each end of an engagement its time and the names of the disabling events in force."""

    def __init__(self) -> None:
        self.reasons: list[tuple[int, list[str]]] = []
        self._car, self._control = EMPTY.table("carState"), EMPTY.table("carControl")
        self._engaged = Table(np.empty(0, np.int64), {"on": np.empty(0, bool)})
        self._events: list[Row] = []

    def add(self, log: Log, engaged: tuple[Times, Values], by_axis: bool) -> Signals:
        """Take a segment, and say what is certain now.

        Args:
            engaged: whether openpilot was, times (N,) and values (N,).
            by_axis: whether the route's logs tell the axes apart.
        """
        self._car = Table.of([self._car, log.table("carState")])
        self._control = Table.of([self._control, log.table("carControl")])
        self._engaged = Table.of([self._engaged, Table(engaged[0], {"on": engaged[1] > 0.5})])
        self._events = sorted([*self._events, *(log.told.get("onroadEvents") or log.told.get(OLD_EVENTS, []))])
        newest = [int(table.t_ns[-1]) for table in (self._car, self._control, self._engaged) if len(table)]
        return self.told(max(newest, default=0) - BORDER_NS, by_axis)

    def told(self, until_ns: int, by_axis: bool) -> Signals:
        """What was not said before of the times up to `until_ns`; END_OF_ROUTE for all."""
        signals = self._sources(self._control.rows(self._control.t_ns <= until_ns), by_axis) | self._ends(until_ns)
        self._control = self._control.rows(self._control.t_ns > until_ns)
        self._car = self._car.rows(self._car.t_ns > until_ns - KEPT_NS)
        self._engaged = self._engaged.rows(slice(max(0, _count(self._engaged.t_ns, until_ns) - 1), None))
        old = sum(row[0] <= until_ns - KEPT_NS for row in self._events)
        self._events = self._events[max(0, old - 1) :]
        return signals

    def _sources(self, control: Table, by_axis: bool) -> Signals:
        t_ns, enabled = control.t_ns, control["enabled"] > 0.5
        steers, drives = (control[name] > 0.5 if by_axis else enabled for name in ("latActive", "longActive"))
        hand, gas, brake, cruise = (
            latest((self._car.t_ns, self._car[name]), t_ns, STALE_S)
            for name in ("steeringPressed", "gasPressed", "brakePressed", "cruiseState.enabled")
        )
        pedal = np.maximum(gas, brake)
        automatic = drives | (cruise > 0.5) | (enabled & (pedal > 0.5))
        return {
            "control_source_steering": (t_ns, _source(steers, hand)),
            "control_source_speed": (t_ns, _source(automatic, pedal)),
        }

    def _ends(self, until_ns: int) -> Signals:
        on = self._engaged.fields["on"][: _count(self._engaged.t_ns, until_ns)]
        ends = self._engaged.t_ns[1:][: max(0, on.size - 1)][on[:-1] & ~on[1:]]
        found = [(int(t_ns), self._names(int(t_ns))) for t_ns in ends]
        self.reasons += found
        said = [float(end_reason(names, *self._pressed(t_ns))) for t_ns, names in found]
        return {"end_reason": (ends, np.array(said))}

    def _names(self, t_ns: int) -> list[str]:
        """The disabling events in force when an engagement ended. A list is in force until the next is sent."""
        before = [row for row in self._events if row[0] <= t_ns - BEFORE_NS][-1:]
        around = [row for row in self._events if t_ns - BEFORE_NS < row[0] <= t_ns + AFTER_NS]
        return list(dict.fromkeys(name for _, names in before + around for name in names))

    def _pressed(self, t_ns: int) -> tuple[bool, bool]:
        """Whether the driver pressed the brake, the accelerator, around that time."""
        near = self._car.rows((self._car.t_ns > t_ns - BEFORE_NS) & (self._car.t_ns <= t_ns + AFTER_NS))
        return bool((near["brakePressed"] > 0.5).any()), bool((near["gasPressed"] > 0.5).any())


def _count(t_ns: Times, until_ns: int) -> int:
    """How many are not later."""
    return int(np.searchsorted(t_ns, until_ns, side="right"))


def _source(active: NDArray[np.bool_], driver: Values) -> Values:
    acting = np.where(driver > 0.5, float(ControlSource.SHARED), float(ControlSource.SYSTEM))
    told = np.where(active, acting, float(ControlSource.HUMAN))
    return np.where(np.isnan(driver), float(ControlSource.UNKNOWN), told)
