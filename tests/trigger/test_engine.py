"""However a recording is chopped, the events are the same, and each is spoken of in time."""

from itertools import pairwise

import numpy as np
from conftest import T0_NS
from hypothesis import given, settings
from hypothesis import strategies as st

from trigger.builtin import TRIGGERS
from trigger.campaign import read
from trigger.detect import detect
from trigger.engine import Engine, in_order
from trigger.listening import as_triggers
from trigger.signals import SIGNALS
from trigger.telemetry import Telemetry
from trigger.vehicle import VehicleProfile

CAR = VehicleProfile(wheelbase_m=2.7, steering_ratio=15.0)
CAMPAIGNS = [
    read(f'name = "campaign_{number}"\nexpression = """{expression}"""')
    for number, expression in enumerate(
        (
            "speed_mps > kmh(72) and not engaged",
            "held(rate(speed_mps) < -1, s=0.5) or engaged and speed_mps < 5",
            "then(speed_mps < 10, maximum(speed_mps, s=5) > 15, within_s=3)",
        )
    )
]


def wild(rng: np.random.Generator, name: str, seconds: float, pauses: bool) -> tuple[np.ndarray, np.ndarray]:
    """A signal on a clock of its own: steps, ramps and noise, jitter, pauses, missing and repeated samples."""
    step_s = rng.choice([0.01, 0.02, 0.05, 0.1])
    t_s = np.arange(0, seconds, step_s) + rng.uniform(0, 0.4 * step_s, round(np.ceil(seconds / step_s)))
    signal = SIGNALS[name]
    if signal.kind == "number":
        knots = np.sort(rng.uniform(0, seconds, 12))
        high = min(signal.high, {"speed_mps": 30.0, "lead_distance_m": 60.0, "steering_wheel_deg": 90.0}.get(name, 8.0))
        values = np.interp(t_s, knots, rng.uniform(max(signal.low, -high), high, 12)) + rng.normal(0, 0.01, t_s.size)
        values = np.clip(values, signal.low, signal.high)
    else:
        changes = np.sort(rng.uniform(0, seconds, 8))
        values = rng.integers(0, round(signal.high) + 1, 9)[np.searchsorted(changes, t_s)].astype(float)
    kept = rng.random(t_s.size) > 0.02
    start = rng.uniform(0, seconds)
    kept &= ~((t_s > start) & (t_s < start + rng.choice([0.0, 0.3, 0.8, 4.0]) * pauses))
    return T0_NS + np.round(t_s[kept] * 1e9).astype(np.int64), values[kept]


def drive(seed: int, seconds: float = 40.0, pauses: bool = True) -> Telemetry:
    rng = np.random.default_rng(seed)
    names = rng.choice(sorted(SIGNALS), 9, replace=False).tolist()
    return Telemetry.merge(
        {name: wild(rng, name, seconds, pauses) for name in sorted({*names, "speed_mps", "engaged"})}
    )


def chopped(telemetry: Telemetry, cuts: list[int]) -> list[Telemetry]:
    edges = [0, *sorted(cut % (len(telemetry) + 1) for cut in cuts), len(telemetry)]
    times = [*telemetry.t_ns.tolist(), int(telemetry.t_ns[-1]) + 1]
    return [telemetry.between(times[a], times[b]) for a, b in pairwise(edges)]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), max_size=40))
def test_chopping_changes_no_event(seed, cuts):
    telemetry = drive(seed)
    engine = Engine(tuple(telemetry), CAR, (*TRIGGERS, *as_triggers(CAMPAIGNS)))
    ended = [event for part in chopped(telemetry, cuts) for event in engine.push(part).ended]
    assert (
        in_order([*ended, *engine.finish().ended])
        == detect(telemetry, CAR, (*TRIGGERS, *as_triggers(CAMPAIGNS))).events
    )


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**9))
def test_row_by_row_each_event_is_spoken_of_once_within_its_hold_and_a_second(seed):
    telemetry = drive(seed, seconds=12.0, pauses=False)
    engine, spoken = Engine(tuple(telemetry), CAR), {}
    for t_ns in telemetry.t_ns.tolist():
        for event in engine.push(telemetry.between(t_ns, t_ns + 1)).began:
            assert (event.kind, event.t_ns) not in spoken
            spoken[event.kind, event.t_ns] = t_ns
    hold_s = {trigger.kind: trigger.limits.hold_s for trigger in TRIGGERS}
    events = detect(telemetry, CAR).events
    assert {(event.kind, event.t_ns) for event in events} >= set(spoken)
    for event in events:
        heard_ns = spoken.get((event.kind, event.t_ns), telemetry.t_ns[-1])
        rows_after = telemetry.t_ns[telemetry.t_ns > event.t_ns + (hold_s.get(event.kind, 0.5) + 1.0) * 1e9]
        assert rows_after.size == 0 or heard_ns <= rows_after[0]


def test_a_week_of_nothing_is_kept_small():
    engine = Engine(("speed_mps", "engaged"), CAR)
    for second in range(0, 3600, 10):
        t_ns = T0_NS + second * 10**9 + np.arange(1000) * 10_000_000
        still = {"speed_mps": (t_ns, np.zeros(1000)), "engaged": (t_ns, np.ones(1000))}
        engine.push(Telemetry.merge(still))
    assert len(engine._kept) < 1300
    assert not engine._waiting


class Endless:
    """A recording with more rows than any memory has room for."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.blocks = telemetry.blocks
        self._names = tuple(telemetry)

    def __len__(self):
        return 1 << 60

    def __iter__(self):
        return iter(self._names)


def test_no_room_is_made_for_all_rows_of_a_recording():
    telemetry = drive(0)
    assert detect(Endless(telemetry), CAR) == detect(telemetry, CAR)
