"""Publish: a folder that is written aside, forced to disk and renamed, so that a version is whole or not there."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.dataset import FORMAT, ROWS, SCHEMA, DatasetVersion, open_version
from curate.errors import DatasetError
from curate.version.digest import rows_digest
from curate.version.names import HEAD, NEWEST, VERSIONS, current_name, number_of, version_names
from edge.durable import new_folder
from edge.manifest import canonical_json


def publish(
    store: Path, rows: pa.Table, recipe: Mapping[str, Any], counts: Mapping[str, Any], inputs: Mapping[str, str]
) -> DatasetVersion:
    """Publish a version, or return the newest one where nothing has changed since. One run at a time.

    Args:
        rows: with `SCHEMA`, in any order.
        recipe: all that was chosen; with the inputs it determines the rows.
        inputs: clip id to the digest of its content, of every clip that had a say.
    """
    rows = rows.cast(SCHEMA)
    digest = rows_digest(rows, recipe, inputs)
    newest = _newest(store)
    if newest and newest.digest == digest:
        return newest
    names = version_names(store)
    name = f"{number_of(names[-1]) + 1 if names else 1:04d}-{digest[:8]}"
    head = {
        "format": FORMAT,
        "digest": digest,
        "parent": current_name(store),
        "recipe": dict(recipe),
        "counts": dict(counts),
        "inputs": dict(inputs),
        "code": code_version(),
    }
    with new_folder(store / VERSIONS / name) as folder:
        pq.write_table(rows, folder / ROWS, compression="zstd")
        (folder / HEAD).write_bytes(canonical_json(head) + b"\n")
    return DatasetVersion(store, name, rows, head)


def code_version() -> str:
    """Of swerve, as it was installed; empty where it was not."""
    try:
        return version("swerve")
    except PackageNotFoundError:
        return ""


def _newest(store: Path) -> DatasetVersion | None:
    """The newest version, or None where there is none or it is damaged: that is no reason not to publish the next."""
    try:
        return open_version(store, NEWEST)
    except DatasetError:
        return None
