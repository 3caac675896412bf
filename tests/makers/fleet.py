"""Simulated fleets whose event rate is known, and what of them a night's draws let through.

A fleet's drives differ in their speed and, by a gamma variable with mean 1, in how often something happens. Every
second is drawn for the baseline with one probability and comes with the five before and after it. Of every 30 s in
which an event began, the event clip is those 30 s, sent with one of a few known probabilities. So a second's inclusion
probability is 1 - (1 - b) (1 - q), as `edge.night.inclusion` states it, and an event is known if its clip was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from curate.exposure import METRES_A_MILE
from trigger.baseline import inclusion_by_baseline

CLIP_S = 30
SECONDS = 300
DRAWN = 5
"""Of 256: the baseline's rate, so that one random byte a second is enough."""
BASELINE = inclusion_by_baseline(SECONDS, DRAWN / 256)
PACE = 1 + 0.5 * np.sin(2 * np.pi * np.arange(SECONDS) / 120)
"""Speed of every drive over its own mean, second by second."""


@dataclass(frozen=True)
class Kind:
    """Of an event: how many a fleet sees, from and to; how much drives differ (variance); chances of its clips."""

    events: tuple[float, float]
    variance: float
    chances: tuple[float, ...]


@dataclass(frozen=True)
class Fleets:
    """Estimated events and miles (fleets, drives); the true rate a mile and the known events (fleets,)."""

    events: np.ndarray
    miles: np.ndarray
    truth: np.ndarray
    known: np.ndarray


def simulate(seed: int, kind: Kind, fleets: int = 2000, drives: int = 40) -> Fleets:
    rng = np.random.default_rng(seed)
    n = fleets * drives
    mean_miles = rng.uniform(5, 30, n) / METRES_A_MILE
    truth = np.exp(rng.uniform(*np.log(kind.events), fleets)) / (drives * SECONDS * 17.5 / METRES_A_MILE)
    often = rng.gamma(1 / kind.variance, kind.variance, n) if kind.variance else np.ones(n)
    begun = rng.poisson(truth.repeat(drives) * often * mean_miles * PACE.sum())
    drive = np.arange(n).repeat(begun)
    second = np.searchsorted(PACE.cumsum(), rng.random(drive.size) * PACE.sum())
    clip, of = np.unique(drive * (SECONDS // CLIP_S) + second // CLIP_S, return_inverse=True)
    chance = rng.choice(kind.chances, clip.size)
    sent = rng.random(clip.size) < chance

    seen, estimated = _drawn(seed, n)
    whose, block = np.divmod(clip, SECONDS // CLIP_S)
    seconds = block[:, None] * CLIP_S + np.arange(CLIP_S)
    inside = seen[whose[:, None], seconds]
    inclusion = 1 - (1 - BASELINE[seconds]) * (1 - chance[:, None])
    more = (np.where(inside | sent[:, None], 1 / inclusion, 0) - inside / BASELINE[seconds]) * PACE[seconds]
    miles = (estimated + np.bincount(whose, more.sum(1), n)) * mean_miles
    events = np.bincount(drive, np.where(sent, 1 / chance, 0)[of], n)
    known = np.bincount(drive // drives, sent[of], fleets)
    return Fleets(events.reshape(fleets, drives), miles.reshape(fleets, drives), truth, known)


@lru_cache(maxsize=1)
def _drawn(seed: int, drives: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether a clip of the baseline covers each second, (drives, seconds) bool; miles it alone makes of 1 mile/s."""
    drawn = np.random.default_rng((seed, drives)).integers(0, 256, (drives, SECONDS), np.uint8) < DRAWN
    before = np.pad(drawn, ((0, 0), (6, 5))).cumsum(1, np.int16)
    covered = before[:, 11:] > before[:, :-11]
    return covered, covered @ (PACE / BASELINE).astype(np.float32)
