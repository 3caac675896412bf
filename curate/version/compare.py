"""What sets two versions apart: clips, seconds, kinds and splits, and why weights moved.

A second that both hold is the same second of the same drive. Where its weight changed, the factor that changed most
is the reason; where none did, the mean of its split moved, as others came or went, and the reason is `scale`. Sizes of
change are |log ratio|; to or from zero counts as the largest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.dataset import FACTORS, DatasetVersion

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
SAME = 1e-9
"""Relative change below which two weights are one, told in other digits."""
SCALE = "scale"


@dataclass(frozen=True)
class Moved:
    """Seconds whose weight changed for one reason: how many rose and fell, and the median of new / old."""

    up: int
    down: int
    median_ratio: float


@dataclass(frozen=True)
class Difference:
    """From one version to another; `kinds` and `splits` map to seconds (before, after)."""

    before: str
    after: str
    clips_added: tuple[str, ...]
    clips_removed: tuple[str, ...]
    seconds_added: int
    seconds_removed: int
    seconds_of_another_split: int
    weights_same: int
    weights_moved: Mapping[str, Moved]
    kinds: Mapping[str, tuple[int, int]]
    splits: Mapping[str, tuple[int, int]]
    recipe: Mapping[str, tuple[Any, Any]]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(before: DatasetVersion, after: DatasetVersion) -> Difference:
    old, new = _common(before.rows, after.rows)
    reason, ratio = _reasons(before, after, old, new)
    moved = {name: _moved(ratio[reason == name]) for name in (*FACTORS, SCALE) if (reason == name).any()}
    clips_before, clips_after = set(before.inputs), set(after.inputs)
    split = [np.asarray(version.rows.column("split")) for version in (before, after)]
    return Difference(
        before=before.name,
        after=after.name,
        clips_added=tuple(sorted(clips_after - clips_before)),
        clips_removed=tuple(sorted(clips_before - clips_after)),
        seconds_added=after.rows.num_rows - new.size,
        seconds_removed=before.rows.num_rows - old.size,
        seconds_of_another_split=int((split[0][old] != split[1][new]).sum()),
        weights_same=int((reason == "").sum()),
        weights_moved=moved,
        kinds=_both(kind_seconds(before), kind_seconds(after)),
        splits=_both(*(Counter(s.tolist()) for s in split)),
        recipe=_changed(before.head["recipe"], after.head["recipe"]),
    )


def kind_seconds(version: DatasetVersion) -> Counter[str]:
    """Seconds of each event kind."""
    return Counter(version.rows.column("events").combine_chunks().flatten().to_pylist())


def _common(before: pa.Table, after: pa.Table) -> tuple[Index, Index]:
    """Rows of either table that are the same seconds, in one order."""
    keys = ["drive_id", "start_ns"]
    left, right = (
        table.select(keys).append_column(name, pa.array(np.arange(table.num_rows)))
        for table, name in ((before, "old"), (after, "new"))
    )
    joined = left.join(right, keys, join_type="inner").sort_by("new")
    return np.asarray(joined.column("old"), np.int64), np.asarray(joined.column("new"), np.int64)


def _reasons(before: DatasetVersion, after: DatasetVersion, old: Index, new: Index) -> tuple[NDArray[np.str_], Floats]:
    """For each common second the reason its weight changed, "" where it did not, and new / old."""
    change = _log_ratio(before.numbers("weight")[old], after.numbers("weight")[new])
    sizes = np.stack(
        [np.abs(_log_ratio(before.numbers(f"{f}_factor")[old], after.numbers(f"{f}_factor")[new])) for f in FACTORS]
    )
    most = np.array(FACTORS)[sizes.argmax(axis=0)] if old.size else np.array([], "U1")
    reason = np.where(sizes.max(axis=0, initial=0.0) > SAME, most, SCALE)
    return np.where(np.abs(change) > SAME, reason, ""), np.exp(change)


def _log_ratio(old: Floats, new: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(new) - np.log(old)
    return np.where((old == 0) & (new == 0), 0.0, ratio)


def _moved(ratio: Floats) -> Moved:
    finite = ratio[np.isfinite(ratio)]
    return Moved(int((ratio > 1).sum()), int((ratio < 1).sum()), float(np.median(finite)) if finite.size else 0.0)


def _both(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    return {name: (before.get(name, 0), after.get(name, 0)) for name in sorted({*before, *after})}


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = sorted({*before, *after})
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}
