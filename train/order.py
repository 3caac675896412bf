"""Which samples an epoch draws, and in what order: a pure function of (version digest, seed, epoch).

A sample's probability mixes two distributions over the seconds of the dataset, each spread evenly over the samples
of a second:

    weighted    proportional to the row's weight: what curation thinks a second is worth
    natural     proportional to 1 / inclusion probability: what driving is like, had everything been kept

    p = mix * weighted + (1 - mix) * natural

Draws are systematic: a sample is drawn floor(n p) or ceil(n p) times, so an epoch has the mix asked for and not
only on average; then the draws are shuffled. Sums are float64 and the search is over cumulative sums, so there is
no limit at 2^24 samples and no light half that starves.

The trade-off: weights act here, by sampling, and not in the loss, where they fade as training goes on; a very heavy
second is seen many times an epoch. It does not balance batches, only epochs.

Shapes: S samples, R rows (seconds), n draws.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.manifest import canonical_json
from train.errors import SampleError

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
QUIET = "no event"


def probabilities(row: Index, weight: Floats, inclusion: Floats, mix: float) -> Floats:
    """How likely each sample is to be drawn.

    Args:
        row: (S,) the row each sample belongs to.
        weight, inclusion: (R,) of the rows; inclusion probabilities lie in (0, 1].
        mix: share of the weighted distribution, 0 to 1.

    Returns:
        (S,) float64 with sum 1.

    Raises:
        SampleError: `mix` outside 0 to 1, an inclusion probability outside (0, 1], or no weight at all.
    """
    if not 0.0 <= mix <= 1.0:
        raise SampleError(f"a mix of {mix}", "0 (natural) to 1 (weighted)", "give a share")
    if not bool(((inclusion[row] > 0) & (inclusion[row] <= 1)).all()):
        raise SampleError("an inclusion probability outside (0, 1]", "a probability above zero", "publish again")
    natural = spread(row, 1.0 / np.where(inclusion > 0, inclusion, np.inf))
    if mix == 0.0:
        return natural
    return mix * spread(row, weight) + (1.0 - mix) * natural


def spread(row: Index, value: Floats) -> Floats:
    """Share a value of each row evenly among its samples; (S,) float64 with sum 1."""
    count = np.bincount(row, minlength=value.size)
    shared = value[row] / count[row]
    total = float(shared.sum())
    if not (np.isfinite(total) and total > 0 and bool((shared >= 0).all())):
        raise SampleError("weights that are negative or all zero", "at least one positive weight", "publish again")
    return np.asarray(shared / total, np.float64)


def generator(digest: str, seed: int, epoch: int) -> np.random.Generator:
    """The one source of chance for (digest, seed, epoch); the same on every machine."""
    key = hashlib.sha256(canonical_json([digest, seed, epoch])).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(key, "big")))


def epoch_order(p: Floats, draws: int, digest: str, seed: int, epoch: int) -> Index:
    """The samples of one epoch, (draws,) int64 in the order to take them."""
    chance = generator(digest, seed, epoch)
    drawn = systematic(p, draws, chance.random())
    chance.shuffle(drawn)
    return drawn


def batch_at(p: Floats, draws: int, digest: str, seed: int, step: int, size: int) -> Index:
    """The samples of one batch, of a training whose epochs follow each other without a gap; to replay it.

    Args:
        draws: of an epoch. step: which batch, from 0 on. size: of a batch.

    Returns:
        (size,) int64 in the order they were taken.
    """
    first = step * size
    epochs = range(first // draws, (first + size - 1) // draws + 1)
    order = np.concatenate([epoch_order(p, draws, digest, seed, epoch) for epoch in epochs])
    return order[first - epochs[0] * draws :][:size]


def systematic(p: Floats, draws: int, start: float) -> Index:
    """Draw so that sample i comes floor(draws * p[i]) or ceil(draws * p[i]) times.

    Args:
        p: (S,) float64 with sum 1.
        start: in [0, 1): where the first of the evenly spaced marks falls.

    Returns:
        (draws,) int64, ascending.
    """
    edges = np.cumsum(p, dtype=np.float64)
    marks = (np.arange(draws, dtype=np.float64) + start) * (edges[-1] / draws)
    drawn: Index = np.minimum(np.searchsorted(edges, marks, side="right"), p.size - 1).astype(np.int64)
    return drawn


def effective_size(p: Floats) -> float:
    """(sum p)^2 / sum p^2: how many equally likely samples would vary as little; at most S."""
    return float(p.sum() ** 2 / (p**2).sum())


def mix_report(
    p: Floats, drawn: Index, row: Index, inclusion: Floats, events: Sequence[Sequence[str]]
) -> dict[str, Mapping[str, float]]:
    """Per event kind, the share of samples that is natural, present in the data, requested, and realised.

    A sample of a second with two kinds counts for both, so the shares need not add up to 1.

    Args:
        drawn: (n,) what was drawn. events: (R,) kinds of each row.
    """
    natural, have = spread(row, 1.0 / inclusion), np.full(row.size, 1.0 / row.size)
    realised = np.bincount(drawn, minlength=row.size) / drawn.size
    kinds = sorted({kind for index in np.unique(row) for kind in _kinds(events[index])})
    report: dict[str, Mapping[str, float]] = {}
    for kind in kinds:
        of_kind = np.array([kind in _kinds(names) for names in events])[row]
        report[kind] = {
            "natural": float(natural[of_kind].sum()),
            "data": float(have[of_kind].sum()),
            "requested": float(p[of_kind].sum()),
            "realised": float(realised[of_kind].sum()),
        }
    return report


def _kinds(events: Sequence[str] | None) -> Sequence[str]:
    return events or (QUIET,)
