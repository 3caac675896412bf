"""Tonight's clips against all of a store: every pair above a threshold, beside the bare matrix product and compare.

    python benchmarks/near.py [--new 2000] [--all 100000] [--runs 5]

Both find the same pairs, and all that were planted. "Bare" multiplies blocks of 1,024 x 4,096, as swerve does, or rows
of 1,000 by everything at once, compares, and counts. Prints the least processor time of several runs on one thread;
the ratios are what can be compared.
"""

from __future__ import annotations

import argparse

from measured import least_cpu_s

# isort: split
import numpy as np
from numpy.typing import NDArray

from curate.near import COLUMNS, ROWS, density, nearest, pairs_above

LEAST = np.float32(0.975)
PLANTED = 500


def clips(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Vectors (count, 256) of length 1, rounded as those of clips are."""
    drawn = rng.standard_normal((count, 256)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return np.round(drawn * 2048) / np.float32(2048)


def bare(new: NDArray[np.float32], every: NDArray[np.float32], rows: int, columns: int) -> int:
    found = 0
    for top in range(0, len(new), rows):
        for left in range(0, len(every), columns):
            found += int(((new[top : top + rows] @ every[left : left + columns].T) >= LEAST).sum())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--new", type=int, default=2000)
    parser.add_argument("--all", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    rng = np.random.default_rng(0)
    new, every = clips(rng, chosen.new), clips(rng, chosen.all)
    at = rng.choice(chosen.all, PLANTED, replace=False)
    every[at] = new[rng.integers(0, chosen.new, PLANTED)]
    found = pairs_above(new, every, float(LEAST))
    assert found.row.size == bare(new, every, ROWS, COLUMNS), "not the pairs of the bare product"
    assert set(at) <= set(found.column), "a planted pair is missing"
    drives = rng.integers(0, chosen.all // 10, chosen.all)
    works = {
        "swerve, pairs above": lambda: pairs_above(new, every, float(LEAST)),
        "bare, same blocks": lambda: bare(new, every, ROWS, COLUMNS),
        "bare, whole rows": lambda: bare(new, every, 1000, chosen.all),
        "swerve, 10 nearest": lambda: nearest(new, every, 10),
        "swerve, density": lambda: density(every[: chosen.all // 10], drives[: chosen.all // 10], 10),
    }
    print(f"{chosen.new} x {chosen.all} x 256: {found.row.size} pairs, all {PLANTED} planted ones among them")
    took = least_cpu_s(works, chosen.runs)
    for name, cpu_s in took.items():
        print(f"{name:22} {cpu_s:7.2f} CPU-s   {cpu_s / took['bare, same blocks']:5.2f} x bare")
    print(f"density is of {chosen.all // 10} clips among themselves")


if __name__ == "__main__":
    main()
