"""Which samples of an exam are rare: what the whole project is about, against everything else.

A second is rare with an event other than "baseline", or with a rarity factor above the 90th percentile of the eval
rows. Where more than a tenth share the greatest factor, rarity says nothing and only events count; the numbers of
seconds by either reason are given.

Shapes: S samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.dataset import DatasetVersion
from train.samples import SampleSet

Flags = NDArray[np.bool_]

RARE_PERCENTILE = 90.0


@dataclass(frozen=True)
class Rarity:
    """Which eval seconds count as rare, and by which reason."""

    seconds: int
    rare_seconds: int
    by_event: int
    by_rarity: int
    rarity_above: float


def find_rare(version: DatasetVersion, samples: SampleSet) -> tuple[Rarity, Flags]:
    """Which samples lie in a rare second, (S,) bool, and the account of it over the seconds examined."""
    factor = version.rows.column("rarity_factor").to_numpy()
    events = version.rows.column("events").to_pylist()
    eval_rows = np.array(version.rows.column("split").to_pylist(), dtype=object) == "eval"
    above = float(np.percentile(factor[eval_rows], RARE_PERCENTILE))
    by_event = np.array([bool(set(kinds or ()) - {"baseline"}) for kinds in events])
    by_rarity = factor > above
    seconds = np.unique(samples.row)
    rare = by_event | by_rarity
    total, events_only, rarity_only = (int(flags[seconds].sum()) for flags in (rare, by_event, by_rarity))
    account = Rarity(int(seconds.size), total, events_only, rarity_only, above)
    return account, np.asarray(rare[samples.row], np.bool_)
