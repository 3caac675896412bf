"""The built-in triggers: what each measures, when it speaks, what it keeps. One table, every number with its source.

Sources:
    [score]  Tesla Safety Score: hard braking > 0.3 g, aggressive turning > 0.4 g, headway < 1.0 s.
    [dm]     Digital Matter harsh events: 4.4 m/s^2, held 100 ms, 17 % hysteresis.
    [op]     openpilot's limits: lateral jerk 5.0 m/s^3.
    [r157]   UN R157 reference driver: 1.2 g/s.
    [ttc]    time to collision of 1.5 s, the usual critical value (Hayward; Sacchi).
    [own]    our choice; the pedals' from real drives, where ordinary driving peaks at 51 %/s of the accelerator.
    [car]    the vehicle's own judgement.
"""

from __future__ import annotations

from dataclasses import dataclass

from trigger import measures
from trigger.excursion import Limits
from trigger.measures import Maker

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


CRASH_LIKE = Window(before_s=20.0, after_s=10.0)
"""49 CFR 563 (2024) asks event recorders for 20 s before a crash."""


@dataclass(frozen=True)
class Trigger:
    """A measure and the limits beyond which it is an event; `unit` is the measure's."""

    kind: str
    measure: Maker
    unit: str
    limits: Limits
    window: Window = Window()


def _flag(kind: str, window: Window = Window()) -> Trigger:
    return Trigger(kind, measures.flag(kind), "", Limits(1.0, "[car]", hold_s=0.0, max_gap_s=2.0), window)


TRIGGERS: tuple[Trigger, ...] = (
    Trigger("abrupt_gas", measures.pedal_rate("gas_fraction"), "1/s", Limits(0.5 / 0.3, "[own] 0.5 within 0.3 s")),
    Trigger("abrupt_brake", measures.pedal_rate("brake_fraction"), "1/s", Limits(0.4 / 0.3, "[own] 0.4 within 0.3 s")),
    Trigger("abrupt_steering", measures.steering_jerk, "m/s^3", Limits(5.0, "[op]")),
    Trigger("harsh_braking", measures.braking, "m/s^2", Limits(0.3 * G_MPS2, "[score], hold and hysteresis [dm]")),
    Trigger("harsh_acceleration", measures.accelerating, "m/s^2", Limits(4.4, "[dm]")),
    Trigger("harsh_cornering", measures.cornering, "m/s^2", Limits(0.4 * G_MPS2, "[score], hold and hysteresis [dm]")),
    Trigger("longitudinal_jerk", measures.longitudinal_jerk, "m/s^3", Limits(1.2 * G_MPS2, "[r157]")),
    Trigger("lateral_jerk", measures.lateral_jerk, "m/s^3", Limits(5.0, "[op]")),
    Trigger("swerve", measures.swerve, "m/s^2", Limits(2.0, "[own] 2 m/s^2 to both sides within 2 s")),
    Trigger("close_following", measures.closeness, "1/s", Limits(1.0, "[score], held 1 s [own]", hold_s=1.0)),
    Trigger("collision_course", measures.collision_course, "1/s", Limits(1.0 / 1.5, "[ttc]"), CRASH_LIKE),
    Trigger("launch", measures.launch, "m/s", Limits(2.0, "[own] 2 m/s within 4 s of a stand")),
    _flag("collision_warning"),
    _flag("emergency_braking", CRASH_LIKE),
    _flag("stability_control"),
    _flag("bookmark"),
    Trigger("abrupt_action", measures.robot_action, "1/s", Limits(2.0, "[own] a robot's range within 0.5 s")),
)

DISENGAGEMENT_WINDOW = Window(before_s=5.0, after_s=10.0, focus_before_s=0.0, focus_after_s=5.0)
BASELINE_WINDOW = Window(before_s=5.0, after_s=5.0, focus_before_s=0.0, focus_after_s=0.0)

WINDOWS = {trigger.kind: trigger.window for trigger in TRIGGERS} | {
    "disengagement": DISENGAGEMENT_WINDOW,
    "partial_disengagement": DISENGAGEMENT_WINDOW,
    "baseline": BASELINE_WINDOW,
}


def window_of(kind: str) -> Window:
    """The window of a kind of event; that of an abrupt control where the kind is not built in."""
    return WINDOWS.get(kind, Window())
