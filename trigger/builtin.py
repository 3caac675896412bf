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
from trigger.event import TRIGGER_VERSION
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
    """A measure and the limits beyond which it is an event.

    Attributes:
        unit: of the measure.
        meaning: what happened, and from which signals it is known. how: the filter and what it costs.
        version: of its events.
    """

    kind: str
    measure: Maker
    unit: str
    limits: Limits
    meaning: str
    how: str
    window: Window = Window()
    version: str = TRIGGER_VERSION


LINE_03 = "slope of the line through the last 0.3 s of its own samples"
FELT = "10 ms grid, Hann mean over 0.4 s; of speed, line over 0.5 s; onset corrected by half of that"
FELT_JERK = "as acceleration, then the line over 0.3 s; onset corrected by half of both"
SAID = "as recorded"


def _flag(kind: str, meaning: str, window: Window = Window()) -> Trigger:
    limits = Limits(1.0, "[car]", hold_s=0.0, max_gap_s=2.0)
    return Trigger(kind, measures.flag(kind), "", limits, meaning, SAID, window)


TRIGGERS: tuple[Trigger, ...] = (
    Trigger(
        "abrupt_gas",
        measures.pedal_rate("gas_fraction"),
        "1/s",
        Limits(0.5 / 0.3, "[own] 0.5 within 0.3 s"),
        "the accelerator is pressed fast",
        LINE_03,
    ),
    Trigger(
        "abrupt_brake",
        measures.pedal_rate("brake_fraction"),
        "1/s",
        Limits(0.4 / 0.3, "[own] 0.4 within 0.3 s"),
        "the brake pedal is hit quickly",
        LINE_03,
    ),
    Trigger(
        "abrupt_steering",
        measures.steering_jerk,
        "m/s^3",
        Limits(5.0, "[op]"),
        "the wheel is jerked: v^2 * wheel rate / (steering ratio * wheelbase), above 5 m/s",
        "wheel rate: line through the last 0.1 s of its own samples",
    ),
    Trigger(
        "harsh_braking",
        measures.braking,
        "m/s^2",
        Limits(0.3 * G_MPS2, "[score], hold and hysteresis [dm]"),
        "the vehicle slows hard, by its own sensor, else by its speed",
        FELT,
    ),
    Trigger(
        "harsh_acceleration",
        measures.accelerating,
        "m/s^2",
        Limits(4.4, "[dm]"),
        "the vehicle speeds up hard, by its own sensor, else by its speed",
        FELT,
    ),
    Trigger(
        "harsh_cornering",
        measures.cornering,
        "m/s^2",
        Limits(0.4 * G_MPS2, "[score], hold and hysteresis [dm]"),
        "strong lateral acceleration, by the vehicle's own sensor, else yaw rate * speed",
        FELT,
    ),
    Trigger(
        "longitudinal_jerk",
        measures.longitudinal_jerk,
        "m/s^3",
        Limits(1.2 * G_MPS2, "[r157]"),
        "acceleration or braking sets in suddenly",
        FELT_JERK,
    ),
    Trigger(
        "lateral_jerk",
        measures.lateral_jerk,
        "m/s^3",
        Limits(5.0, "[op]"),
        "lateral acceleration sets in suddenly",
        FELT_JERK,
    ),
    Trigger(
        "swerve",
        measures.swerve,
        "m/s^2",
        Limits(2.0, "[own] 2 m/s^2 to both sides within 2 s"),
        "the vehicle is pulled to one side and back: lateral acceleration reached both ways within 2 s",
        FELT,
    ),
    Trigger(
        "close_following",
        measures.closeness,
        "1/s",
        Limits(1.0, "[score], held 1 s [own]", hold_s=1.0),
        "less than 1 s behind the vehicle ahead, above 10 m/s: speed / distance",
        SAID,
    ),
    Trigger(
        "collision_course",
        measures.collision_course,
        "1/s",
        Limits(1.0 / 1.5, "[ttc]"),
        "less than 1.5 s to a collision with the vehicle ahead: closing speed / distance",
        f"closing speed as recorded, else {LINE_03}",
        CRASH_LIKE,
    ),
    Trigger(
        "launch",
        measures.launch,
        "m/s",
        Limits(2.0, "[own] 2 m/s within 4 s of a stand"),
        "driving off: the speed reached within 4 s after a stand of 3 s or more",
        SAID,
    ),
    _flag("collision_warning", "the vehicle warns of a forward collision"),
    _flag("emergency_braking", "the vehicle brakes by itself", CRASH_LIKE),
    _flag("stability_control", "electronic stability control intervenes"),
    _flag("bookmark", "the driver marks the moment"),
    Trigger(
        "abrupt_action",
        measures.robot_action,
        "1/s",
        Limits(2.0, "[own] a robot's range within 0.5 s"),
        "a robot's fastest action changes by its whole range within half a second",
        "slope of the line through the last 0.1 s of its own samples",
    ),
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
