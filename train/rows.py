"""The rows of a dataset version as samples need them: which second holds a time, and whether it is a split's own.

A second is a split's own where its row says so and no row of that drive, in any clip, puts it into another split.

Shapes: R rows (seconds); times of any shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.dataset import DatasetVersion
from trigger.telemetry import Times

Index = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, repr=False, eq=False)
class SplitRows:
    """Columns of a version, (R,) each, and which rows are one split's own."""

    start_ns: Times
    end_ns: Times
    weight: NDArray[np.float64]
    inclusion: NDArray[np.float64]
    own: Flags

    def row_of(self, t_ns: Times, of_clip: Index) -> Index:
        """The row among a clip's that holds each time, -1 where none does."""
        ordered = of_clip[np.argsort(self.start_ns[of_clip], kind="stable")]
        place = np.searchsorted(self.start_ns[ordered], t_ns, side="right") - 1
        row = ordered[np.maximum(place, 0)]
        return np.where((place >= 0) & (t_ns < self.end_ns[row]), row, -1)

    def owns(self, t_ns: Times, of_clip: Index) -> Flags:
        """Which times lie in a second of the clip that is the split's own."""
        row = self.row_of(t_ns, of_clip)
        return np.asarray((row >= 0) & self.own[row])


def rows_of_split(version: DatasetVersion, split: str) -> SplitRows:
    table = version.rows
    start_ns, end_ns, weight, inclusion = (
        table.column(name).to_numpy() for name in ("start_ns", "end_ns", "weight", "inclusion_probability")
    )
    splits = table.column("split").to_pylist()
    seconds = list(zip(table.column("drive_id").to_pylist(), start_ns.tolist(), strict=True))
    elsewhere = {second for second, other in zip(seconds, splits, strict=True) if other != split}
    own = [mine == split and second not in elsewhere for second, mine in zip(seconds, splits, strict=True)]
    return SplitRows(start_ns, end_ns, weight, inclusion, np.array(own, np.bool_))


def rows_by_clip(version: DatasetVersion) -> dict[str, Index]:
    """Clip id to its rows."""
    names, place = np.unique(np.array(version.rows.column("clip_id").to_pylist()), return_inverse=True)
    order = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=names.size))[:-1]
    return dict(zip(names.tolist(), np.split(order, ends), strict=True))
