"""One trigger over 100 Hz telemetry in memory: swerve beside pandas, polars and Python loops (`scan_peers.py`).

    pip install -c constraints.txt -e '.[bench]'
    python benchmarks/scan.py [--hours 10] [--runs 7]

Harsh braking: 0.3 g, 17 % hysteresis, held 0.1 s, joined within 2 s. All must find the same stretches. Prints the least
processor time of several runs on one thread; the ratios are what can be compared.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable

import numpy as np
from made import deceleration, times
from measured import fresh, least_cpu_s

from trigger.excursion import Limits, excursions
from trigger.telemetry import Times, Values

try:
    import pandas as pd
    import polars as pl
    import scan_peers as peers
except ImportError as missing:
    sys.exit(f"error: {missing.name} is not installed; wanted pandas and polars; do: pip install -e '.[bench]'")

LIMITS = Limits(peers.ON, "Tesla Safety Score, hard braking")
COMPARING = "numpy, `>=` and no more"


def recording(hours: int) -> tuple[Times, Values]:
    """Times and deceleration, one sample of 10,000 missing."""
    values = np.concatenate([deceleration(hour) for hour in range(hours)])
    values[np.random.default_rng(0).integers(0, values.size, values.size // 10_000)] = np.nan
    return np.concatenate([times(hour) for hour in range(hours)]), values


def swerve(t_ns: Times, values: Values) -> list[peers.Found]:
    return [(stretch.start_ns, stretch.end_ns, stretch.peak) for stretch in excursions(t_ns, values, LIMITS)]


def polars_with_threads(hours: int, runs: int) -> tuple[float, float]:
    """Least wall and processor time, s, of polars' usual idiom in this process."""
    frame = pl.DataFrame(dict(zip(("t_ns", "value"), recording(hours), strict=True)))
    took = []
    for _ in range(runs):
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        peers.polars_usual(frame)
        took.append((time.perf_counter() - wall_s, time.process_time() - cpu_s))
    return min(wall for wall, _ in took), min(cpu for _, cpu in took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=10)
    parser.add_argument("--runs", type=int, default=7)
    chosen = parser.parse_args()
    t_ns, values = recording(chosen.hours)
    lists = t_ns.tolist(), values.tolist()
    in_pandas, in_polars = (frame({"t_ns": t_ns, "value": values}) for frame in (pd.DataFrame, pl.DataFrame))
    works: dict[str, Callable[[], list[peers.Found]]] = {
        "swerve": lambda: swerve(t_ns, values),
        "pandas, usual": lambda: peers.pandas_usual(in_pandas),
        "pandas, shortcut": lambda: peers.pandas_shortcut(in_pandas),
        "polars, usual": lambda: peers.polars_usual(in_polars),
        "polars, shortcut": lambda: peers.polars_shortcut(in_polars),
        "loop, by definition": lambda: peers.loop_by_definition(*lists),
        "loop, shortcut": lambda: peers.loop_shortcut(*lists),
    }
    wanted = works["swerve"]()
    for name, work in works.items():
        assert work() == wanted, f"{name} finds other stretches"
    print(f"{chosen.hours} h, {values.size / 1e6:.1f} million rows, {len(wanted)} stretches, the same in all")
    took = least_cpu_s({**works, COMPARING: lambda: (values >= peers.ON).any()}, chosen.runs)
    for name, cpu_s in took.items():
        print(f"{name:24} {values.size / cpu_s / 1e6:8.1f} Mrows/CPU-s   swerve x {cpu_s / took['swerve']:6.2f}")
    os.environ["POLARS_MAX_THREADS"] = str(os.cpu_count())
    wall_s, cpu_s = fresh(polars_with_threads, chosen.hours, chosen.runs)
    rates = f"{values.size / wall_s / 1e6:.1f} Mrows/s, {values.size / cpu_s / 1e6:.1f} Mrows/CPU-s"
    print(f"polars, usual, with {os.cpu_count()} threads: {rates}")


if __name__ == "__main__":
    main()
