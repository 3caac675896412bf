"""A version in a few numbers: how its factors spread, and its rarest clips with what makes them rare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curate.dataset import FACTORS, DatasetVersion

QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)


@dataclass(frozen=True)
class RareClip:
    """A clip, its heaviest second, and the factors of that second that are above 1, the largest first."""

    clip_id: str
    drive_id: str
    start_ns: int
    weight: float
    events: tuple[str, ...]
    reasons: Mapping[str, float]


@dataclass(frozen=True)
class Outline:
    """`spread`: column to its `QUANTILES` over the rows of the training split."""

    spread: Mapping[str, Sequence[float]]
    rarest: tuple[RareClip, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def outline(version: DatasetVersion, rarest: int = 10) -> Outline:
    """Only the training split is looked at: the weights of an exam are nobody's reason."""
    trained = pa.compute.equal(version.rows.column("split"), "train")
    rows = version.rows.filter(trained)
    columns = [*(f"{name}_factor" for name in FACTORS), "weight"]
    spread = {name: np.quantile(np.asarray(rows.column(name)), QUANTILES).tolist() for name in columns if rows.num_rows}
    return Outline(spread, tuple(_rare(row) for row in _heaviest(rows, rarest).to_pylist()))


def _heaviest(rows: pa.Table, count: int) -> pa.Table:
    """The heaviest row of each clip, of the heaviest clips; equal ones in order of clip and time."""
    order = [("weight", "descending"), ("clip_id", "ascending"), ("start_ns", "ascending")]
    ordered = rows.sort_by(order)
    codes = ordered.column("clip_id").combine_chunks().dictionary_encode().indices.to_numpy()
    _, first = np.unique(codes, return_index=True)
    return ordered.take(pa.array(np.sort(first)[:count]))


def _rare(row: Mapping[str, Any]) -> RareClip:
    factors = {name: row[f"{name}_factor"] for name in FACTORS if row[f"{name}_factor"] > 1}
    reasons = dict(sorted(factors.items(), key=lambda item: -item[1]))
    return RareClip(row["clip_id"], row["drive_id"], row["start_ns"], row["weight"], tuple(row["events"]), reasons)
