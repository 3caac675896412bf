"""Value captured under a nightly byte budget, beside fifo, newest first, priority only, and the best that was possible.

    python benchmarks/night.py [--nights 30] [--seed 1]

A car cuts event clips every day: their sizes are log-normal around 6 MB (sigma 0.6), their values heavy-tailed (Pareto,
shape 1.5), the amount of a day's driving log-normal (sigma 0.5). Load is how many times its budget the car cuts on
average. Each policy spends the same bytes a night; a clip that does not fit in the night is not sent in part.

The optimum knows all days in advance: the fractional knapsack over the whole span, in which a clip can be sent on its
day or later, solved exactly by taking the best value per byte first (the constraints form a polymatroid). No
policy can pass it; the ratio to it is what counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edge.night.budget import Candidate, choose

NIGHT_BYTES = 9_500_000_000
"""The event lane of a night of 10 GB."""
CLIP_BYTES = 6_000_000


@dataclass(frozen=True)
class Cut:
    name: str
    night: int
    bytes: int
    value: float


def fleet(nights: int, load: float, rng: np.random.Generator) -> list[Cut]:
    """What one car cuts, in order."""
    a_day = load * NIGHT_BYTES / (CLIP_BYTES * np.exp(0.6**2 / 2))
    clips = []
    for night in range(nights):
        for i in range(int(a_day * rng.lognormal(-(0.5**2) / 2, 0.5))):
            size, value = int(CLIP_BYTES * rng.lognormal(0.0, 0.6)), 1.0 + rng.pareto(1.5)
            clips.append(Cut(f"{load}-{night}-{i}", night, size, value))
    return clips


def optimum(clips: Sequence[Cut], nights: int) -> float:
    """Most value that can be sent, clips divisible: each from its night on, NIGHT_BYTES a night."""
    slack = np.array([(nights - night) * NIGHT_BYTES for night in range(nights)], np.float64)
    total = 0.0
    for clip in sorted(clips, key=lambda c: -c.value / c.bytes):
        taken = min(float(clip.bytes), slack[: clip.night + 1].min())
        slack[: clip.night + 1] -= taken
        total += clip.value * taken / clip.bytes
    return total


def swerve(clips: Sequence[Cut], nights: int) -> float:
    """The night's choice; what was chosen is sent before anything else is."""
    waiting: dict[str, tuple[Cut, int]] = {}
    queue: list[Cut] = []
    total = 0.0
    for night in range(nights):
        waiting |= {c.name: (c, night) for c in clips if c.night == night}
        free = NIGHT_BYTES - sum(c.bytes for c in queue)
        fates = choose([Candidate(n, c.bytes, c.value, night - since) for n, (c, since) in waiting.items()], free)
        decided = [(waiting.pop(fate.clip_id)[0], fate.chosen) for fate in fates]
        queue += [clip for clip, chosen in decided if chosen]
        sent = fill(queue)
        total += sum(clip.value for clip in sent)
        queue = queue[len(sent) :]
    return total


def by(order: Callable[[Cut], float]) -> Callable[[Sequence[Cut], int], float]:
    """A policy that each night sends what fits, in one order, and keeps the rest for ever."""

    def policy(clips: Sequence[Cut], nights: int) -> float:
        waiting: list[Cut] = []
        total = 0.0
        for night in range(nights):
            waiting = sorted([*waiting, *(c for c in clips if c.night == night)], key=order)
            sent = fill(waiting)
            total += sum(clip.value for clip in sent)
            waiting = waiting[len(sent) :]
        return total

    return policy


def fill(queue: Sequence[Cut]) -> list[Cut]:
    """The first of the queue that fit in one night."""
    ends = np.cumsum([clip.bytes for clip in queue])
    return list(queue[: int(np.searchsorted(ends, NIGHT_BYTES, side="right"))])


POLICIES: dict[str, Callable[[Sequence[Cut], int], float]] = {
    "swerve": swerve,
    "priority only": by(lambda c: -c.value),
    "newest first": by(lambda c: -c.night),
    "fifo": by(lambda c: c.night),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    print(f"{'load':>6} {'clips':>8}" + "".join(f"{name:>15}" for name in POLICIES) + "   of the optimum")
    for load in (0.5, 1.0, 2.0, 5.0, 20.0):
        clips = fleet(chosen.nights, load, np.random.default_rng(chosen.seed))
        best = optimum(clips, chosen.nights)
        ratios = [policy(clips, chosen.nights) / best for policy in POLICIES.values()]
        print(f"{load:6.1f} {len(clips):8d}" + "".join(f"{ratio:15.3f}" for ratio in ratios))


if __name__ == "__main__":
    main()
