"""How benchmarks measure: one thread, the least processor time of several turns, functions in a process of their own.

Libraries look for the number of threads when they are imported, so this comes before them.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import Any

for threads in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(threads, "1")


def least_cpu_s(works: Mapping[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Each does its work in turn, so that a busy moment of the machine does not fall on one alone."""
    least = dict.fromkeys(works, float("inf"))
    for _ in range(runs):
        for name, work in works.items():
            start = time.process_time()
            work()
            least[name] = min(least[name], time.process_time() - start)
    return least


def fresh(function: Callable[..., Any], *arguments: object) -> Any:
    """What a function gives in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()
