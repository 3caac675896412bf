"""The built-in triggers: what each measures, when it speaks, what it keeps. One table, every number with its source.

Sources:
    [score]  Tesla Safety Score: hard braking > 0.3 g, aggressive turning > 0.4 g.
    [dm]     Digital Matter harsh events: 4.4 m/s^2, held 100 ms, 17 % hysteresis.
    [op]     openpilot's limits: lateral jerk 5.0 m/s^3.
    [r157]   UN R157 reference driver: 1.2 g/s.
    [own]    measured on real drives: ordinary driving peaks at 51 %/s of the accelerator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trigger import measures
from trigger.excursion import Limits
from trigger.measures import Measured
from trigger.telemetry import Telemetry
from trigger.vehicle import VehicleProfile

G_MPS2 = 9.80665


@dataclass(frozen=True)
class Window:
    """Seconds around an event.

    Attributes:
        before_s, after_s: what a clip keeps, before the onset and after the end; after a disengagement, which
            has no end, from the onset.
        focus_before_s, focus_after_s: the part that is the event itself and earns its weight in training;
            the rest is context. After a take-over that is what the human does, not what led to it.
    """

    before_s: float = 5.0
    after_s: float = 5.0
    focus_before_s: float = 2.0
    focus_after_s: float = 3.0


@dataclass(frozen=True)
class Trigger:
    """A measure and the limits beyond which it is an event; `unit` is the measure's."""

    kind: str
    measure: Callable[[Telemetry, VehicleProfile], Measured]
    unit: str
    limits: Limits
    window: Window = Window()


TRIGGERS: tuple[Trigger, ...] = (
    Trigger("abrupt_gas", measures.gas_rate, "1/s", Limits(0.5 / 0.3, "[own] 0.5 within 0.3 s")),
    Trigger("abrupt_brake", measures.brake_rate, "1/s", Limits(0.4 / 0.3, "[own] 0.4 within 0.3 s")),
    Trigger("abrupt_steering", measures.steering_jerk, "m/s^3", Limits(5.0, "[op]")),
    Trigger("harsh_braking", measures.braking, "m/s^2", Limits(0.3 * G_MPS2, "[score], hold and hysteresis [dm]")),
    Trigger("harsh_acceleration", measures.accelerating, "m/s^2", Limits(4.4, "[dm]")),
    Trigger("harsh_cornering", measures.cornering, "m/s^2", Limits(0.4 * G_MPS2, "[score], hold and hysteresis [dm]")),
    Trigger("longitudinal_jerk", measures.longitudinal_jerk, "m/s^3", Limits(1.2 * G_MPS2, "[r157]")),
    Trigger("lateral_jerk", measures.lateral_jerk, "m/s^3", Limits(5.0, "[op]")),
)

DISENGAGEMENT_WINDOW = Window(before_s=5.0, after_s=10.0, focus_before_s=0.0, focus_after_s=5.0)
BASELINE_WINDOW = Window(before_s=5.0, after_s=5.0, focus_before_s=0.0, focus_after_s=0.0)


def window_of(kind: str) -> Window:
    """The window of a kind of event; that of an abrupt control where the kind is not built in."""
    special = {"disengagement": DISENGAGEMENT_WINDOW, "baseline": BASELINE_WINDOW}
    return special.get(kind, Window())
