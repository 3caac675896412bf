"""A dataset version: an immutable folder of one Parquet table and a JSON head, named by its digest.

One row is one whole second of one clip, the sampling unit whose inclusion probability is known.

    clip_id, drive_id        string    the clip (sha256 of its manifest) and the drive it was cut from
    start_ns, end_ns         int64     the second, [start, end) on the drive's clock
    split                    string    train, eval or excluded
    events                   list      kinds of the events this second belongs to, sorted
    severity                 double    greatest severity among them, 0 where there is none
    inclusion_probability    double    probability that at least one uploaded clip covers this second
    kind_factor, rarity_factor, label_factor, weight    double; weight is min(kind * rarity, cap) * label * share, then
                             scaled to a mean of 1 over the rows of its split; label_factor is the share of the second
                             in which a human moved a control, so a second nobody may learn from weighs nothing
    share_factor             double    part of weight; below 1 where the device held too much of it (curate.shares)

The digest covers the rows in canonical order and the recipe, not the time or place of the run.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.errors import DatasetError
from edge.durable import new_folder
from edge.manifest import canonical_json

SCHEMA = pa.schema(
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
NAME = re.compile(r"\d{4,}-[0-9a-f]{8}")
ROWS, HEAD = "rows.parquet", "version.json"
FORMAT = "swerve-dataset/2"
BEFORE, SCHEMA_BEFORE = "swerve-dataset/1", pa.schema(list(SCHEMA)[:-1])
"""The format before had no share_factor: no device was held back."""


@dataclass(frozen=True, repr=False)
class DatasetVersion:
    """One published version. `rows` has `SCHEMA`; `head` holds format, digest, parent, recipe and counts."""

    store: Path
    name: str
    rows: pa.Table
    head: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"DatasetVersion({self.name}, {self.rows.num_rows} seconds)"

    @property
    def digest(self) -> str:
        return str(self.head["digest"])

    def clip_folder(self, clip_id: str) -> Path:
        """Where the clip lies; it opens with `edge.drive.open_drive`."""
        return self.store / "clips" / clip_id


def rows_digest(rows: pa.Table, recipe: Mapping[str, Any]) -> str:
    """sha256 over the recipe and every row, in order of (clip, second)."""
    ordered = rows.sort_by([("clip_id", "ascending"), ("start_ns", "ascending")])
    digest = hashlib.sha256(canonical_json(recipe))
    for row in ordered.to_pylist():
        digest.update(canonical_json(row))
    return digest.hexdigest()


def version_names(store: Path) -> list[str]:
    """Published versions, oldest first."""
    folder = store / "versions"
    names = [p.name for p in folder.iterdir() if NAME.fullmatch(p.name)] if folder.is_dir() else []
    return sorted(names, key=_number)


def _number(name: str) -> int:
    return int(name.partition("-")[0])


def publish(store: Path, rows: pa.Table, recipe: Mapping[str, Any], counts: Mapping[str, Any]) -> DatasetVersion:
    """Publish a version, or return the latest one where nothing has changed since."""
    digest = rows_digest(rows, recipe)
    names = version_names(store)
    latest = _latest(store, names)
    if latest and latest.digest == digest:
        return latest
    name = f"{_number(names[-1]) + 1 if names else 1:04d}-{digest[:8]}"
    parent = names[-1] if names else None
    head = {"format": FORMAT, "digest": digest, "parent": parent, "recipe": dict(recipe), "counts": dict(counts)}
    with new_folder(store / "versions" / name) as folder:
        pq.write_table(rows.cast(SCHEMA), folder / ROWS, compression="zstd")
        (folder / HEAD).write_bytes(canonical_json(head) + b"\n")
    return DatasetVersion(store, name, rows, head)


def _latest(store: Path, names: list[str]) -> DatasetVersion | None:
    """The newest version, or None where there is none or it is damaged: that is no reason not to publish the next."""
    try:
        return open_version(store, names[-1]) if names else None
    except DatasetError:
        return None


def open_version(store: Path, name: str | None = None) -> DatasetVersion:
    """Open a version by name, the newest where none is given; its digest is checked.

    Raises:
        DatasetError: no such store or version, or content that does not match the digest.
    """
    names = version_names(store)
    if not names:
        raise DatasetError(
            f"{store} holds no dataset version", "at least one", f"run: swerve curate nightly --store {store}"
        )
    name = name or names[-1]
    if name not in names:
        raise DatasetError(f"no version {name} in {store}", f"one of {', '.join(names)}", "choose one of these")
    folder = store / "versions" / name
    try:
        head = json.loads((folder / HEAD).read_bytes())
        rows = pq.read_table(folder / ROWS)
        schema = SCHEMA_BEFORE if head["format"] == BEFORE else SCHEMA
        matches = rows.schema.equals(schema) and rows_digest(rows, head["recipe"]) == head["digest"]
        if not isinstance(head["counts"], dict):
            raise ValueError("no counts")
    except (OSError, ValueError, KeyError, TypeError, RecursionError, pa.ArrowException) as error:
        raise DatasetError(f"{folder} cannot be read: {error}", "a published version", "publish again") from error
    if not matches:
        raise DatasetError(f"the rows of {folder} do not match their digest", "unchanged rows", "publish again")
    if schema is SCHEMA_BEFORE:
        rows = rows.append_column(SCHEMA.field("share_factor"), pa.array(np.ones(rows.num_rows)))
    return DatasetVersion(store, name, rows, head)
