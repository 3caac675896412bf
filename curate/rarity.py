"""How rare a second is: by its kind of event, its controls, its severity and the neighbourhood of its clip's picture.

- What is usual is judged by the seconds that may be trained on (`known`), so that the exam's labels do not reach the
  training's weights. Any second can be compared with it.
- Every factor is a ratio to the usual, 1 where nothing is known, and has limits: a handful of odd seconds must not fill
  every batch. Roots keep the order and take the edge off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

import numpy as np
from numpy.typing import NDArray

from curate.exposure import rates
from curate.seconds import Second
from curate.weights.factors import Factors, Weights
from trigger.baseline import KIND as BASELINE

Known = NDArray[np.bool_]

SMALLEST_DENSITY = 1e-9
"""Of seconds further from every known one than a kernel reaches."""
SMALLEST_SPREAD = 1e-6
"""A signal that varies less than this, in its own unit, does not vary: deg of steering or m/s of speed."""
BETWEEN_SIGNALS = 100.0
"""Bandwidths between turn signals: a kernel never reaches from one to another."""
SMALLEST_APART = 1e-3
"""Of 1 - likeness: clips whose neighbours are all this near are copies, and none is rarer than another."""


def by_kind(seconds: Sequence[Second], factor: Mapping[str, float], ordinary: float = 1.0) -> Factors:
    """The greatest factor of a second's kinds, (N,); `ordinary` where there is none. The baseline is no kind."""
    kinds = [[kind for kind in second.events if kind != BASELINE] for second in seconds]
    return np.array([max((factor[kind] for kind in own), default=ordinary) for own in kinds], np.float64)


def kinds_of(seconds: Iterable[Second]) -> Counter[str]:
    """Seconds of every kind of event."""
    return Counter(kind for second in seconds for kind in second.events if kind != BASELINE)


def kind_factors(
    seconds: Sequence[Second], known: Known, driven: Mapping[str, float], power: float, mild: float, most: float
) -> Factors:
    """Rare in the dataset, and rarer on the road than other kinds are; (N,) within [1, most].

    (known seconds / those of the kind) ** power, times (median of the kinds' rates / its rate) ** (power / 2) within
    [1 / mild, mild]. The first balances what is here. The second keeps apart what is seldom here from what is seldom
    anywhere; it is a weaker word, as rates of rare kinds are known badly.

    Args:
        driven: miles of the devices whose miles are known.
    """
    train = [second for second, is_known in zip(seconds, known, strict=True) if is_known]
    count, rate = kinds_of(train), {kind: rate.a_mile for kind, rate in rates(train, driven).items()}
    usual = median(rate.values()) if rate else 0.0
    factor = {}
    for kind in kinds_of(seconds):
        here = (len(train) / max(1, count[kind])) ** power
        road = (usual / rate[kind]) ** (power / 2) if rate.get(kind) else 1.0
        factor[kind] = float(np.clip(here * np.clip(road, 1 / mild, mild), 1.0, most))
    return by_kind(seconds, factor)


def severity_factors(seconds: Sequence[Second], power: float, most: float) -> Factors:
    """Severity ** power, (N,) within [1, most]: 1 is a threshold just reached."""
    return np.clip(np.array([second.severity for second in seconds]) ** power, 1.0, most)


def neighbourhood_factors(clips: Sequence[str], density: Mapping[str, float], known: Known, most: float) -> Factors:
    """Distance of a clip to its neighbours over that of the median known clip, (N,) within [1 / most, most].

    Args:
        density: clip id to the mean likeness (cosine) L of its vector to its neighbours'; sqrt(2 - 2 L) is a distance
            of unit vectors. A clip without one, or with NaN, is an ordinary clip.
    """
    apart = {clip: max(1.0 - like, 0.0) for clip, like in density.items() if like == like}
    trained = {clip for clip, is_known in zip(clips, known, strict=True) if is_known and clip in apart}
    usual = median(apart[clip] for clip in sorted(trained)) if trained else 0.0
    if usual < SMALLEST_APART:
        return np.ones(len(clips))
    return np.clip(np.sqrt(np.array([apart.get(clip, usual) for clip in clips]) / usual), 1 / most, most)


def control_factors(
    seconds: Sequence[Second], known: Known, bandwidth: float, power: float, most: float, signals: bool = False
) -> Factors:
    """(Median density / own density) ** power of (mean steering, change of speed), (N,) within [1 / most, most].

    Gaussian kernel; 1 where neither is recorded or varies.

    Args:
        bandwidth: as a share of the spread (interquartile range / 1.349).
        signals: compare seconds of the same turn signal alone; one that is not recorded counts as none.
    """
    features = [
        _scaled(np.array([getattr(second, name) for second in seconds]), known) for name in ("steering", "speed_change")
    ]
    present = [feature / bandwidth for feature in features if feature is not None]
    if signals:
        present.append(BETWEEN_SIGNALS * np.nan_to_num(np.array([second.turn_signal for second in seconds])))
    if not present:
        return np.ones(len(seconds))
    points = np.stack(present, axis=1)
    density = np.maximum(_density(points, points[known]), SMALLEST_DENSITY)
    usual = float(np.median(density[known]))
    return np.clip((usual / density) ** power, 1 / most, most)


def clip_rarity(clips: Sequence[str], weights: Weights) -> dict[str, float]:
    """How rare each clip is: its rarest second's kind * rarity * driver, before the cap; no policy has a say in it.

    Args:
        clips: (N,) of each second.
    """
    each = np.prod([weights.factors[name] for name in ("kind", "rarity", "driver")], axis=0)
    rarest: dict[str, float] = {}
    for clip, rarity in zip(clips, each.tolist(), strict=True):
        rarest[clip] = max(rarest.get(clip, 0.0), rarity)
    return rarest


def _scaled(values: Factors, known: Known) -> Factors | None:
    """In units of the known values' spread; a missing value counts as ordinary (the median)."""
    present = values[known & np.isfinite(values)]
    if present.size < 2:
        return None
    low, middle, high = np.percentile(present, [25, 50, 75])
    spread = (high - low) / 1.349 or float(present.std())
    if spread < SMALLEST_SPREAD:
        return None
    return np.asarray(np.where(np.isfinite(values), (values - middle) / spread, 0.0), np.float64)


def _density(points: Factors, reference: Factors, room: int = 1 << 17) -> Factors:
    """Mean Gaussian kernel to the reference; (N, D), (M, D) -> (N,), in blocks so that memory stays small."""
    rows, block = [], max(1, room // len(reference))
    for at in range(0, len(points), block):
        square = np.zeros((1, 1))
        for own, its in zip(points[at : at + block].T, reference.T, strict=True):
            square = square + (own[:, None] - its) ** 2
        rows.append(np.exp(-0.5 * square).mean(axis=1))
    return np.concatenate(rows)
