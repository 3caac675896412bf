"""What a night's page tells, gathered from a store: the version, the one before it, the journal, and pictures.

Where the head of the version tells no rates of events, the page leaves out what builds on them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from curate.clipref import refs_of
from curate.dataset import DatasetVersion, open_version
from curate.errors import DatasetError
from curate.exposure import Rate
from curate.journal import Entry, read_journal
from curate.place import centre_of
from curate.report.moments import Unseen, moments, unseen
from curate.report.pictures import Wanted, pictures
from curate.report.rates import rates_of
from curate.report.svg import Spot
from curate.report.waiting import Wait, miles_until
from curate.version.compare import Difference, compare
from curate.version.outline import RareClip, outline
from trigger.baseline import KIND as BASELINE

RAREST = 12


@dataclass(frozen=True, repr=False)
class Drift:
    """A kind's share of all seconds and of the training weight; `before`: both in the version before, if any."""

    kind: str
    seconds: int
    share: float
    weight_share: float
    before: tuple[float, float] | None


@dataclass(frozen=True, repr=False)
class NightReport:
    """`nights`: what the journal tells, by the time of the night, the last first. Pictures are JPEGs, or empty."""

    version: DatasetVersion
    before: DatasetVersion | None
    difference: Difference | None
    nights: Mapping[int, Sequence[Entry]]
    rarest: Sequence[tuple[RareClip, bytes]]
    drift: Sequence[Drift]
    rates: Mapping[str, Rate]
    waits: Mapping[str, Wait]
    unseen: Unseen
    spots: Sequence[Spot]


def night_report(store: Path, name: str | None = None, wanted: int = 100) -> NightReport:
    """Gather it.

    Args:
        name: of the version, the current one unless told.
        wanted: examples of each kind that are waited for.

    Raises:
        DatasetError: no such version, or it is damaged. One before it that is damaged is left out.
    """
    version = open_version(store, name)
    before = _before(version)
    rates = rates_of(version.head["counts"])
    return NightReport(
        version=version,
        before=before,
        difference=compare(before, version) if before else None,
        nights=_nights(read_journal(store)),
        rarest=_rarest(version),
        drift=_drift(version, before),
        rates=rates,
        waits={kind: miles_until(wanted, rate.known, rate.miles) for kind, rate in rates.items()},
        unseen=unseen(moments(version.rows)),
        spots=_spots(version.rows),
    )


def _before(version: DatasetVersion) -> DatasetVersion | None:
    parent = version.head.get("parent")
    try:
        return open_version(version.store, parent) if parent else None
    except DatasetError:
        return None


def _nights(entries: Sequence[Entry]) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.time_s, []).append(entry)
    return dict(sorted(found.items(), reverse=True))


def _rarest(version: DatasetVersion) -> list[tuple[RareClip, bytes]]:
    clips = outline(version, RAREST).rarest
    refs = refs_of(version.store, [version.clip_folder(clip.clip_id) for clip in clips])
    shown = pictures([Wanted(ref, clip.start_ns) for ref, clip in zip(refs, clips, strict=True)])
    return list(zip(clips, shown, strict=True))


def _drift(version: DatasetVersion, before: DatasetVersion | None) -> list[Drift]:
    now, was = _shares(version), _shares(before) if before else None
    seconds = version.rows.num_rows
    return [
        Drift(
            kind,
            round(now.get(kind, (0.0, 0.0))[0] * seconds),
            *now.get(kind, (0.0, 0.0)),
            None if was is None else was.get(kind, (0.0, 0.0)),
        )
        for kind in sorted({*now, *(was or {})})
    ]


def _shares(version: DatasetVersion) -> dict[str, tuple[float, float]]:
    """Kind to its share of all seconds, and of the weight of the training split."""
    lists = version.rows.column("events").combine_chunks()
    row, kind = np.asarray(pa.compute.list_parent_indices(lists)), lists.flatten().to_pylist()
    weight = np.where(np.asarray(version.rows.column("split")) == "train", version.numbers("weight"), 0.0)
    total = float(weight.sum()) or 1.0
    seconds, heavy = Counter(kind), Counter[str]()
    for name, at in zip(kind, row.tolist(), strict=True):
        heavy[name] += weight[at]
    shares = {name: (count / version.rows.num_rows, heavy[name] / total) for name, count in seconds.items()}
    return {name: share for name, share in shares.items() if name != BASELINE}


def _spots(rows: pa.Table) -> list[Spot]:
    """Every place that is known, in order of its name."""
    found: dict[str, Counter[str]] = {}
    for place, part in zip(rows.column("place").to_pylist(), rows.column("split").to_pylist(), strict=True):
        found.setdefault(place, Counter())[part] += 1
    spots = []
    for place, parts in sorted(found.items()):
        centre = centre_of(place)
        if centre:
            spots.append(Spot(*centre, parts.total(), max(sorted(parts), key=parts.__getitem__)))
    return spots
