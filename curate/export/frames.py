"""What a version says of single frames: each belongs to the second that holds its time, and to that second's row.

A frame that no row of the version holds, of the pre-roll or of a second that another clip tells, is in none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.dataset import FACTORS, DatasetVersion
from edge.drive import Drive, open_drive
from edge.errors import EdgeError
from trigger.telemetry import Times

Index = NDArray[np.int64]
NOWHERE = -1


@dataclass(frozen=True, repr=False)
class ClipRows:
    """A clip that is open, and the rows of the version that are its seconds, in order of time."""

    clip_id: str
    drive: Drive
    rows: pa.Table

    def row_at(self, t_ns: Times) -> Index:
        """(N,) row of each time, `NOWHERE` for one that lies in none."""
        start, end = (np.asarray(self.rows.column(name), np.int64) for name in ("start_ns", "end_ns"))
        at = np.searchsorted(start, t_ns, side="right") - 1
        return np.where((at >= 0) & (t_ns < end[at]), at, NOWHERE)


def clips_of(version: DatasetVersion, skipped: dict[str, str]) -> Iterator[ClipRows]:
    """Every clip of the version, in order of ids.

    Args:
        skipped: is told of each clip that cannot be opened, and why.
    """
    rows = version.rows.sort_by([("clip_id", "ascending"), ("start_ns", "ascending")])
    ids, first = np.unique(np.asarray(rows.column("clip_id").combine_chunks(), object), return_index=True)
    for clip_id, start, end in zip(ids.tolist(), first.tolist(), [*first[1:].tolist(), rows.num_rows], strict=True):
        try:
            yield ClipRows(clip_id, open_drive(version.clip_folder(clip_id)), rows.slice(start, end - start))
        except (EdgeError, OSError) as error:
            skipped[clip_id] = str(error)


def reasons(row: Mapping[str, Any]) -> list[str]:
    """What moved the weight of a row: each factor that is not 1 as `name=value`, the one that moved it most first."""
    moved = {name: row[f"{name}_factor"] for name in FACTORS if row[f"{name}_factor"] != 1.0}
    far = {name: abs(np.log(value)) if value > 0 else np.inf for name, value in moved.items()}
    return [f"{name}={moved[name]:.4g}" for name in sorted(moved, key=lambda name: -far[name])]
