"""The night: admit what has arrived, learn what it shows, weigh every second, split, publish.

Every step can be cut off and is done again or found done; run again, the night gives the same digest.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from curate.acquaint import Acquainted, acquaint
from curate.admit import Admission, admit
from curate.dataset import SCHEMA, DatasetVersion
from curate.embed.encoder import encoder_named
from curate.errors import DatasetError
from curate.exposure import rates
from curate.journal import note_arrivals
from curate.report.rates import rates_json
from curate.seconds import SYNTHETIC, Second, Told, seconds_of
from curate.shares import NOBODY, SYNTHETIC_SHARE, Held, held_to_shares
from curate.since import clips_since
from curate.split import Assigned, assign, parse_split
from curate.store import Store
from curate.usual import ENCODER, RECIPE, SPLIT
from curate.version.inputs import inputs_of
from curate.version.publish import publish
from curate.weights.factors import Factors, Weights, effective_size, largest_weight
from curate.weights.recipes import described, weigh
from edge.upload.destination import CLIPS

Step = Callable[[str], None]


@dataclass(frozen=True)
class Night:
    """What a run did.

    Attributes:
        unreadable: admitted clips that were damaged since, id to reason, left out of the version.
        unseen: clips of which no picture or vector could be made, id to reason; they are excluded.
    """

    admissions: list[Admission]
    version: DatasetVersion
    unreadable: dict[str, str]
    unseen: Mapping[str, str] = field(default_factory=dict)


def nightly(
    store: Store,
    split: str = SPLIT,
    recipe: str = RECIPE,
    step: Step = lambda _: None,
    since_ns: int | None = None,
    encoder: str = ENCODER,
) -> Night:
    """Publish a dataset version of all admitted clips.

    Args:
        step: told what begins, for a progress display.
        since_ns: clips that were recorded before this time, in ns since 1970, have no say.
        encoder: what turns pictures into vectors, see `curate.embed.encoder`.

    Raises:
        StoreError: another run is at work. DatasetError: there is nothing to publish. SplitError, RecipeError,
        EncoderError, ScoresError.
    """
    way = parse_split(split)
    weighing = described(recipe)
    encoder_named(encoder)  # what is not installed is said before anything is done
    with store.locked():
        step("admit")
        admissions = admit(store)
        note_arrivals(store, int(time.time()))
        step("read seconds")
        clips = store.folders(CLIPS)
        told = seconds_of(clips)
        seconds = told.seconds
        if not seconds:
            refused = [a.reason for a in admissions if a.reason]
            why = f" ({len(refused)} were refused: {refused[0]})" if refused else ""
            raise DatasetError(f"no clip in {store.root} holds a frame{why}", "at least one", "push clips with video")
        known = acquaint(store.root, [f for f in clips if f.name not in told.unreadable], encoder, step)
        step("weigh and split")
        # The split is judged by all that is there: a frame of an exam is one also where --since leaves its clip out.
        assigned = assign(way, seconds, known.groups, known.unseen)
        clips = clips_since(clips, since_ns)
        seconds, assigned = _of_clips({folder.name for folder in clips}, seconds, assigned)
        trained = np.array([part == "train" for part in assigned.parts])
        weights = weigh(seconds, trained.tolist(), known.facts, recipe)
        keyings = {name: [getattr(second, name) for second in seconds] for name in ("device", "drive_id", "place")}
        keyings[SYNTHETIC] = [SYNTHETIC if second.synthetic else NOBODY for second in seconds]
        held = held_to_shares(keyings, weights.product * trained, {SYNTHETIC: SYNTHETIC_SHARE})
        rows = _rows(seconds, weights, np.where(trained, held.factors, 1.0), assigned.parts)
        step("publish")
        inputs = inputs_of(folder for folder in clips if folder.name not in told.unreadable)
        how: dict[str, Any] = {"split": split, "weights": weighing, **known.how}
        if since_ns is not None:
            how["since_ns"] = since_ns
        counts = _counts(seconds, assigned, told, held, rows) | {"duplicate_clips": _by_how(known)}
        version = publish(store.root, rows, how, counts, inputs)
    return Night(admissions, version, told.unreadable, known.unseen)


def _of_clips(names: set[str], seconds: Sequence[Second], assigned: Assigned) -> tuple[list[Second], Assigned]:
    """Those seconds of which a clip has a say, with the parts they were given.

    Raises:
        DatasetError: none is left.
    """
    kept = [(s, part) for s, part in zip(seconds, assigned.parts, strict=True) if s.clip_id in names]
    if not kept:
        raise DatasetError("no clip is that new", "at least one", "choose an earlier --since")
    return [second for second, _ in kept], replace(assigned, parts=tuple(part for _, part in kept))


def _by_how(known: Acquainted) -> dict[str, int]:
    return dict(sorted(Counter(duplicate.how for duplicate in known.duplicates.values()).items()))


def _rows(seconds: Sequence[Second], weights: Weights, share: Factors, parts: Sequence[str]) -> pa.Table:
    product = weights.product * share
    for part in set(parts):
        inside = np.array([p == part for p in parts])
        mean = product[inside].mean()
        product[inside] /= mean if mean > 0 else 1.0
    names = ("clip_id", "drive_id", "start_ns", "end_ns", "events", "severity", "inclusion_probability", "device")
    columns: dict[str, Any] = {name: [getattr(second, name) for second in seconds] for name in (*names, "place")}
    columns |= {f"{name}_factor": factor for name, factor in weights.factors.items()}
    columns |= {"split": list(parts), "weight": product, "share_factor": share}
    return pa.table([pa.array(columns[f.name], f.type) for f in SCHEMA], schema=SCHEMA)


def _counts(seconds: Sequence[Second], assigned: Assigned, told: Told, held: Held, rows: pa.Table) -> dict[str, Any]:
    weight = np.asarray(rows.column("weight"))[[part == "train" for part in assigned.parts]]
    return {
        "clips": len({second.clip_id for second in seconds}),
        "drives": len({second.drive_id for second in seconds}),
        "seconds": len(seconds),
        "seconds_told_twice": told.twice,
        "unreadable_clips": len(told.unreadable),
        "claims_refuted": told.refuted,
        "claims_not_checked": told.unchecked,
        "devices": held.bindings["device"].of,
        "devices_held_to_share": len(held.bindings["device"].held),
        "largest_device_share": round(held.bindings["device"].share, 6),
        "drives_held_to_share": len(held.bindings["drive_id"].held),
        "places_held_to_share": len(held.bindings["place"].held),
        "synthetic_seconds": sum(second.synthetic for second in seconds),
        "split": dict(sorted(Counter(assigned.parts).items())),
        "excluded": dict(assigned.excluded),
        "event_seconds": dict(sorted(Counter(k for second in seconds for k in second.events).items())),
        "effective_train_seconds": round(effective_size(weight), 1),
        "largest_train_share": round(largest_weight(weight), 6),
        "rates": rates_json(rates(seconds)),
    }
