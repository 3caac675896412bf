"""The night: admit what has arrived, weigh every second, split, publish. Run again, it gives the same digest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curate.admit import Admission, admit
from curate.dataset import SCHEMA, DatasetVersion, publish
from curate.errors import DatasetError
from curate.seconds import Second, Told, seconds_of
from curate.shares import NOBODY, largest_share, share_factors
from curate.split import parse_split
from curate.store import Store
from curate.weigh import DEFAULT, Recipe, Weights, effective_size, weigh
from edge.upload.destination import CLIPS

Step = Callable[[str], None]


@dataclass(frozen=True)
class Night:
    """What a run did; `unreadable`: admitted clips that were damaged since, id to reason, left out of the version."""

    admissions: list[Admission]
    version: DatasetVersion
    unreadable: dict[str, str]


def nightly(store: Store, split: str = "block:0.2", recipe: Recipe = DEFAULT, step: Step = lambda _: None) -> Night:
    """Publish a dataset version of all admitted clips.

    Args:
        step: told what begins, for a progress display.

    Raises:
        StoreError: another run is at work. DatasetError: there is nothing to publish. SplitError.
    """
    part = parse_split(split)
    with store.locked():
        step("admit")
        admissions = admit(store)
        step("read seconds")
        told = seconds_of(store.folders(CLIPS))
        seconds = told.seconds
        if not seconds:
            refused = [a.reason for a in admissions if a.reason]
            why = f" ({len(refused)} were refused: {refused[0]})" if refused else ""
            raise DatasetError(f"no clip in {store.root} holds a frame{why}", "at least one", "push clips with video")
        step("weigh and split")
        parts = [part(second) for second in seconds]
        trained = np.array([p == "train" for p in parts])
        weights = weigh(seconds, trained.tolist(), recipe)
        held = share_factors([second.device for second in seconds], weights.product * trained)
        rows = _rows(seconds, weights, held, parts)
        step("publish")
        how = {"split": split, "weights": asdict(recipe)}
        version = publish(store.root, rows, how, _counts(seconds, parts, told, held, rows))
    return Night(admissions, version, told.unreadable)


def _rows(seconds: Sequence[Second], weights: Weights, held: Mapping[str, float], parts: Sequence[str]) -> pa.Table:
    share = np.array([held.get(s.device, 1.0) if p == "train" else 1.0 for s, p in zip(seconds, parts, strict=True)])
    product = weights.product * share
    for part in set(parts):
        inside = np.array([p == part for p in parts])
        mean = product[inside].mean()
        product[inside] /= mean if mean > 0 else 1.0
    names = ("clip_id", "drive_id", "start_ns", "end_ns", "events", "severity", "inclusion_probability")
    columns: dict[str, Any] = {name: [getattr(second, name) for second in seconds] for name in names}
    columns |= {
        "split": list(parts),
        "kind_factor": weights.kind,
        "rarity_factor": weights.rarity,
        "label_factor": weights.label,
        "weight": product,
        "share_factor": share,
    }
    return pa.table([pa.array(columns[f.name], f.type) for f in SCHEMA], schema=SCHEMA)


def _counts(
    seconds: Sequence[Second], parts: Sequence[str], told: Told, held: Mapping[str, float], rows: pa.Table
) -> dict[str, Any]:
    devices = len({second.device for second in seconds} - {NOBODY})
    weight = np.asarray(rows.column("weight"))[[p == "train" for p in parts]]
    total = float(weight.sum())
    return {
        "clips": len({second.clip_id for second in seconds}),
        "drives": len({second.drive_id for second in seconds}),
        "seconds": len(seconds),
        "seconds_told_twice": told.twice,
        "unreadable_clips": len(told.unreadable),
        "claims_refuted": told.refuted,
        "claims_not_checked": told.unchecked,
        "devices": devices,
        "devices_held_to_share": len(held),
        "largest_device_share": round(largest_share(devices), 6),
        "split": dict(sorted(Counter(parts).items())),
        "event_seconds": dict(sorted(Counter(k for second in seconds for k in second.events).items())),
        "effective_train_seconds": round(effective_size(weight), 1),
        "largest_train_share": round(float(weight.max(initial=0.0)) / total, 6) if total else 0.0,
    }
