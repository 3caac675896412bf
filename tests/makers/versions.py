"""Rows of a dataset version, made without any clip."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from curate.dataset import FACTORS, SCHEMA, DatasetVersion
from curate.seconds import seconds_of
from curate.version.inputs import inputs_of
from curate.version.publish import publish
from edge.clip import open_clip

SECOND_NS = 1_000_000_000
NEUTRAL: dict[str, Any] = {
    "split": "train",
    "events": [],
    "severity": 0.0,
    "inclusion_probability": 1.0,
    "weight": 1.0,
    "place": "",
    "device": "",
    **{f"{name}_factor": 1.0 for name in FACTORS},
}


def row(clip: str = "a", second: int = 0, **told: Any) -> dict[str, Any]:
    """One second of the clip `clip`, of the drive that is named like it."""
    start_ns = second * SECOND_NS
    where = {"clip_id": clip, "drive_id": f"drive-{clip}", "start_ns": start_ns, "end_ns": start_ns + SECOND_NS}
    return NEUTRAL | where | told


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def published(store: Path, clips: Iterable[Path], **told: Any) -> DatasetVersion:
    """A version of clips that were cut, as they are: each is put into the store, admitted by nobody and weighed 1."""
    folders = []
    for clip in clips:
        folders.append(store / "clips" / open_clip(clip).id)
        shutil.copytree(clip, folders[-1])
    names = ("clip_id", "drive_id", "start_ns", "end_ns", "events", "severity", "inclusion_probability")
    rows = [NEUTRAL | {name: getattr(second, name) for name in names} for second in seconds_of(folders).seconds]
    for number, one in enumerate(rows):
        one |= {name: value(number) if callable(value) else value for name, value in told.items()}
    return publish(store, table(rows), {"split": "none"}, {"clips": len(folders)}, inputs_of(folders))
