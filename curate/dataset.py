"""A dataset version: an immutable folder of one Parquet table and a JSON head, named by its digest.

One row is one whole second of one clip, the sampling unit whose inclusion probability is known.

    clip_id, drive_id        string    the clip (sha256 of its manifest) and the drive it was cut from
    start_ns, end_ns         int64     the second, [start, end) on the drive's clock
    split                    string    train, eval or excluded
    events                   list      kinds of the events this second belongs to, sorted
    severity                 double    greatest severity among them, 0 where there is none
    inclusion_probability    double    probability that at least one uploaded clip covers this second
    weight                   double    what the second is worth: the product of its factors, capped as
                             `curate.weights.factors` says, then scaled to a mean of 1 over the rows of its split
    <factor>_factor          double    kind, rarity, label, share, duplicate, quality, surprise, driver: what the weight
                             is made of; label is the share of the second in which a human moved a control, so a second
                             nobody may learn from weighs nothing; share is below 1 where a device held too much
    place, device            string    cell of the map, and who handed the clip over; "" where not known

The head, `version.json`:

    format, digest    the digest covers recipe, inputs and rows (curate.version.digest)
    parent            the version that was current before it, null for the first
    recipe, counts    what was chosen, and what came of it
    inputs            clip id to the digest of its content, of every clip that had a say
    code              version of swerve that made it; outside the digest
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.errors import DatasetError
from curate.version.digest import rows_digest, rows_digest_before
from curate.version.names import HEAD, VERSIONS, resolve

FACTORS_BEFORE = ("kind", "rarity", "label", "share")
FACTORS_SINCE = ("duplicate", "quality", "surprise", "driver")
FACTORS = (*FACTORS_BEFORE, *FACTORS_SINCE)
"""Names of the columns that a weight is made of, without `_factor`."""
SCHEMA_BEFORE = pa.schema(
    [
        ("clip_id", pa.string()),
        ("drive_id", pa.string()),
        ("start_ns", pa.int64()),
        ("end_ns", pa.int64()),
        ("split", pa.string()),
        ("events", pa.list_(pa.string())),
        ("severity", pa.float64()),
        ("inclusion_probability", pa.float64()),
        ("kind_factor", pa.float64()),
        ("rarity_factor", pa.float64()),
        ("label_factor", pa.float64()),
        ("weight", pa.float64()),
        ("share_factor", pa.float64()),
    ]
)
SINCE = [*((f"{name}_factor", pa.float64()) for name in FACTORS_SINCE), ("place", pa.string()), ("device", pa.string())]
SCHEMA = pa.schema([*SCHEMA_BEFORE, *(pa.field(name, kind) for name, kind in SINCE)])
ROWS = "rows.parquet"
FORMAT, BEFORE = "swerve-dataset/3", "swerve-dataset/2"
"""The format before knew neither places nor devices, held back no duplicate, and did not name its inputs."""


@dataclass(frozen=True, repr=False)
class DatasetVersion:
    """One published version. `rows` has `SCHEMA`; `head` is described above."""

    store: Path
    name: str
    rows: pa.Table
    head: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"DatasetVersion({self.name}, {self.rows.num_rows} seconds)"

    @property
    def digest(self) -> str:
        return str(self.head["digest"])

    @property
    def inputs(self) -> Mapping[str, str]:
        """Clip id to the digest of its content, "" where the format before did not tell it."""
        named = self.head.get("inputs")
        return named if named is not None else dict.fromkeys(sorted(set(self.rows.column("clip_id").to_pylist())), "")

    def clip_folder(self, clip_id: str) -> Path:
        """Where the clip lies; it opens with `edge.drive.open_drive`."""
        return self.store / "clips" / clip_id

    def numbers(self, column: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """(N,) float64 of one column."""
        return np.asarray(self.rows.column(column), np.float64)


def open_version(store: Path, name: str | None = None) -> DatasetVersion:
    """Open a version by name, tag, `current` or `newest`, the current one where none is given; its digest is checked.

    Raises:
        DatasetError: no such store or version, or content that does not match the digest.
    """
    name = resolve(store, name)
    head = read_head(store, name)
    folder = store / VERSIONS / name
    try:
        rows = pq.read_table(folder / ROWS)
        if head["format"] == BEFORE:
            matches = rows.schema.equals(SCHEMA_BEFORE) and rows_digest_before(rows, head["recipe"]) == head["digest"]
            rows = _as_now(rows) if matches else rows
        else:
            matches = rows.schema.equals(SCHEMA) and rows_digest(rows, head["recipe"], head["inputs"]) == head["digest"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError, pa.ArrowException) as error:
        raise _unreadable(folder, error) from error
    if not matches:
        raise DatasetError(f"the rows of {folder} do not match their digest", "unchanged rows", "publish again")
    return DatasetVersion(store, name, rows, head)


def read_head(store: Path, name: str) -> Mapping[str, Any]:
    """What the head of a version says, without a look at its rows. Raises DatasetError."""
    folder = store / VERSIONS / name
    try:
        head = json.loads((folder / HEAD).read_bytes())
        if head["format"] not in (FORMAT, BEFORE):
            raise ValueError(f"format {head['format']!r}, not {FORMAT} or {BEFORE}")
        if not all(isinstance(head[key], dict) for key in ("counts", "recipe")) or not isinstance(head["digest"], str):
            raise ValueError("no counts, recipe or digest")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unreadable(folder, error) from error
    return dict(head)


def _unreadable(folder: Path, error: Exception) -> DatasetError:
    return DatasetError(f"{folder} cannot be read: {error}", "a published version", "publish again")


def _as_now(rows: pa.Table) -> pa.Table:
    """Rows of the format before: what it did not know held nothing back."""
    for name, kind in SINCE:
        empty = pa.array([""] * rows.num_rows, kind) if kind == pa.string() else pa.array(np.ones(rows.num_rows))
        rows = rows.append_column(pa.field(name, kind), empty)
    return rows
