"""How far a policy is off in every second of a version: a table the nightly job reads as surprise.

    STORE/scores/<policy>.parquet, one row a second of a clip, in order of (clip, second)
    clip_id     string
    start_ns    int64    of the second, on the drive's clock
    error       double   mean over the samples of the second of the mean over the labelled controls of
                         ((predicted - label) / std)^2; std is the spread of the labels the policy was trained on, so 1
                         is as far off as a policy that knows nothing but their mean
    samples     int32    how many samples that is
    trained_on  bool     whether the policy may have learned from that second; null where that is not known

All splits are scored, each as in an exam: no window reaches from one into another. Seconds without a sample (nothing
a human did, a window that is not whole) have no row. The error is of the present step.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curate.dataset import DatasetVersion
from curate.surprise import SCORES
from edge.durable import write_bytes
from train.checkpoint import SavedPolicy
from train.clips import open_clips
from train.controls import ControlSpec
from train.errors import SampleError
from train.evaluation.answers import predict
from train.samples import SampleSet, collect
from train.seen import seen_by

Floats = NDArray[np.float64]
Advance = Callable[[int, int], None]

SCHEMA = pa.schema(
    [
        ("clip_id", pa.string()),
        ("start_ns", pa.int64()),
        ("error", pa.float64()),
        ("samples", pa.int32()),
        ("trained_on", pa.bool_()),
    ]
)


@dataclass(frozen=True, repr=False)
class Scores:
    """`table` has `SCHEMA`. unscored: seconds of the version without a sample. skipped: clip id to why it is left out.

    The two means are over seconds; None where there is none of the kind.
    """

    table: pa.Table
    unscored: int
    skipped: dict[str, str]

    def mean_error(self, trained_on: bool) -> float | None:
        told = np.array(self.table.column("trained_on").to_pylist(), dtype=object) == trained_on
        return float(self.table.column("error").to_numpy()[told].mean()) if told.any() else None


def scores_path(store: Path, name: str) -> Path:
    return store / SCORES / f"{name}.parquet"


def score(
    version: DatasetVersion,
    saved: SavedPolicy,
    advance: Advance = lambda done, total: None,
    opening: Advance = lambda done, total: None,
) -> Scores:
    """Score every second of `version` that has a sample.

    Raises:
        SampleError: none has.
    """
    config = saved.config
    clips, skipped = open_clips(version, config.view, opening, others=config.others)
    spec, sets, problem = ControlSpec(config.controls), list[SampleSet](), None
    for split in sorted(set(version.rows.column("split").to_pylist())):
        try:
            sets.append(collect(version, split, clips, config.window, spec, skipped, config.horizon))
        except SampleError as nothing:
            problem = nothing
    if not sets:
        raise problem or SampleError(f"{version.name} has no second", "at least one", "publish again")
    total, done, rows, errors, counts = sum(map(len, sets)), 0, [], [], []
    for samples in sets:
        own, error, count = _by_second(samples, _errors(saved, samples, lambda n, d=done: advance(d + n, total)))  # type: ignore[misc]
        rows.append(own)
        errors.append(error)
        counts.append(count)
        done += len(samples)
    table = _table(version, saved, np.concatenate(rows), np.concatenate(errors), np.concatenate(counts))
    return Scores(table, version.rows.num_rows - table.num_rows, skipped)


def write_scores(path: Path, scores: Scores) -> None:
    """Write the table at once, or leave the one before."""
    buffer = io.BytesIO()
    pq.write_table(scores.table, buffer, compression="zstd")
    write_bytes(path, buffer.getvalue())


def _errors(saved: SavedPolicy, samples: SampleSet, advance: Callable[[int], None]) -> Floats:
    """(S,): mean over the labelled controls of the standardised squared error."""
    off = (predict(saved.policy, samples, advance=advance).now - samples.controls_now) / np.array(saved.config.std)
    return np.asarray(np.nanmean(off**2, axis=1), np.float64)


def _by_second(samples: SampleSet, error: Floats) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Rows of the version that have samples, their mean error, and how many samples each has."""
    rows, place, count = np.unique(samples.row, return_inverse=True, return_counts=True)
    return rows, np.bincount(place, weights=error) / count, count


def _table(
    version: DatasetVersion, saved: SavedPolicy, rows: NDArray[np.int64], error: Floats, count: NDArray[np.int64]
) -> pa.Table:
    own = version.rows.take(rows)
    seconds = list(zip(own.column("drive_id").to_pylist(), own.column("start_ns").to_pylist(), strict=True))
    columns = {
        "clip_id": own.column("clip_id"),
        "start_ns": own.column("start_ns"),
        "error": error,
        "samples": pa.array(count, pa.int32()),
        "trained_on": pa.array(seen_by(version.store, saved.about).say(seconds), pa.bool_()),
    }
    facts = {"policy": saved.name, "version": version.name, "dataset": version.digest}
    table = pa.table(columns, schema=SCHEMA).sort_by([("clip_id", "ascending"), ("start_ns", "ascending")])
    return table.replace_schema_metadata({f"swerve.{key}": value for key, value in facts.items()})
