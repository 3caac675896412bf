"""A thousand different campaigns over telemetry at 100 Hz, evaluated as it comes in.

    python benchmarks/campaigns.py [--campaigns 1000] [--clocks 1] [--seconds 4]

Rows are pushed into the engine ten times a second, as on a car. Prints processor seconds for one second of driving, and
the process's greatest memory. `--clocks` says on how many clocks of their own the ten signals come.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time

import numpy as np

from trigger.campaign import Campaign
from trigger.engine import KEPT_S, Engine
from trigger.expression import Expression, parse
from trigger.listening import as_triggers
from trigger.telemetry import Telemetry
from trigger.vehicle import UNKNOWN_VEHICLE

ARRIVES_NS = 100_000_000
SIZE = {
    "speed_mps": 30.0,
    "accel_long_mps2": 5.0,
    "accel_lat_mps2": 5.0,
    "yaw_rate_dps": 30.0,
    "steering_wheel_deg": 90.0,
    "gas_fraction": 1.0,
    "brake_fraction": 1.0,
    "lead_distance_m": 80.0,
}
FLAGS = ("engaged", "brake_pressed")


def expressions(count: int) -> list[Expression]:
    """Different ones, of two to four signals, in equal parts of eight kinds."""
    rng = random.Random(0)

    def above(name: str, what: str = "{}") -> str:
        return f"{what.format(name)} > {SIZE[name] * rng.uniform(0.2, 0.9):.3f}"

    texts: dict[str, None] = {}
    while len(texts) < count:
        a, b, c = rng.sample(list(SIZE), 3)
        flag, short_s, long_s = rng.choice(FLAGS), rng.choice((0.1, 0.3, 1)), rng.choice((1, 2, 3))
        kinds = (
            f"{above(a)} and {above(b, 'rate({})')} and {flag}",
            f"{above(a, '-rate({})')} and {above(b)} and not {flag}",
            f"held({above(a)}, s={short_s}) and {above(b)}",
            f"{above(a, 'maximum({}, s=5)')} and {above(b)} and {above(c, 'rate({})')}",
            f"maximum({a}, s=5) - {above(a, 'minimum({}, s=5)')} and {flag}",
            f"then({above(a)}, {above(b, 'rate({})')}, within_s={long_s})",
            f"then({flag}, {above(a)} and {above(b)}, within_s={long_s})",
            f"mean({a}, s={short_s}) - {above(a)} and ({above(b)} or {above(c)})",
        )
        texts[kinds[len(texts) % len(kinds)]] = None
    return [parse(text) for text in texts]


def drive(seconds: float, clocks: int) -> Telemetry:
    rng = np.random.default_rng(0)
    regular = np.arange(0, round(seconds * 1e9), 10_000_000)
    times = [regular, *(np.sort(regular + rng.integers(0, 8_000_000, regular.size)) for _ in range(clocks - 1))]
    signals = {}
    for number, name in enumerate((*SIZE, *FLAGS)):
        walk = np.cumsum(rng.normal(size=regular.size))
        walk *= SIZE.get(name, 1.0) / np.abs(walk).max()
        signals[name] = (times[number % clocks], (walk > 0).astype(float) if name in FLAGS else walk)
    return Telemetry.merge(signals)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--campaigns", type=int, default=1000)
    parser.add_argument("--clocks", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    campaigns = [Campaign(f"campaign_{i}", expression) for i, expression in enumerate(expressions(options.campaigns))]
    telemetry = drive(KEPT_S + options.seconds, options.clocks)
    engine = Engine(tuple(telemetry), UNKNOWN_VEHICLE, as_triggers(campaigns))
    began_ns, end_ns = round(KEPT_S * 1e9), round((KEPT_S + options.seconds) * 1e9)
    engine.push(telemetry.between(0, began_ns))
    heard, begin = 0, time.process_time()
    for t_ns in range(began_ns, end_ns, ARRIVES_NS):
        heard += len(engine.push(telemetry.between(t_ns, t_ns + ARRIVES_NS)).began)
    used_s = (time.process_time() - begin) / options.seconds
    greatest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))
    print(f"{options.campaigns} campaigns, {options.clocks} clocks: {used_s:.2f} processor s a second of driving")
    print(f"{greatest:.0f} MiB at most; {heard / options.seconds:.0f} events a second began")


if __name__ == "__main__":
    main()
