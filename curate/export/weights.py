"""`weights.parquet`: one row a frame, for trainers that read videos by themselves.

    clip_id, camera, file    string    the clip, and its video, `clips/<clip_id>/<file>` of the store
    frame                    int64     number of the frame in that file, in the order in which frames are shown, from 0
    t_ns                     int64     its time on the clock of the drive
    weight                   double    the weight of its second, shared evenly by the frames of the camera in it: who
                             draws frames in proportion to it draws seconds as they were weighed
    second_weight            double    the weight of its second
    inclusion_probability    double    of its second; 1 / it undoes the choice that was made on the car
    split                    string    train, eval or excluded
    events, reasons          list      kinds of events, and the factors that moved the weight, as `name=value`

Frames that no row of the version holds are left out. The head of the version lies beside it as `version.json`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.dataset import DatasetVersion
from curate.errors import DatasetError
from curate.export.frames import NOWHERE, ClipRows, clips_of, reasons
from curate.version.names import HEAD
from edge.durable import new_folder
from edge.manifest import canonical_json
from edge.video.camera import VideoFile

WEIGHTS = "weights.parquet"
SCHEMA = pa.schema(
    [
        ("clip_id", pa.string()),
        ("camera", pa.string()),
        ("file", pa.string()),
        ("frame", pa.int64()),
        ("t_ns", pa.int64()),
        ("weight", pa.float64()),
        ("second_weight", pa.float64()),
        ("inclusion_probability", pa.float64()),
        ("split", pa.string()),
        ("events", pa.list_(pa.string())),
        ("reasons", pa.list_(pa.string())),
    ]
)
ALWAYS_NS = (-(1 << 62), 1 << 62)


def export_weights(version: DatasetVersion, out: Path) -> dict[str, str]:
    """Write the new folder `out`; returns the clips that cannot be read, with the reason.

    Raises:
        DatasetError: `out` exists, or no clip can be read.
    """
    if out.exists():
        raise DatasetError(f"{out} exists", "a new folder", "choose another name or remove it")
    skipped: dict[str, str] = {}
    with new_folder(out) as folder:
        written = 0
        with pq.ParquetWriter(folder / WEIGHTS, SCHEMA, compression="zstd") as writer:
            for clip in clips_of(version, skipped):
                for table in _tables(clip):
                    writer.write_table(table)
                    written += table.num_rows
        if not written:
            why = next(iter(skipped.values()), "no clip has a frame")
            raise DatasetError(f"no frame of {version.name} can be told: {why}", "clips that can be read", "verify it")
        (folder / HEAD).write_bytes(canonical_json(dict(version.head)) + b"\n")
    return skipped


def _tables(clip: ClipRows) -> Iterator[pa.Table]:
    """One camera's frames at a time."""
    rows = clip.rows.append_column(
        "reasons", pa.array(map(reasons, clip.rows.to_pylist()), SCHEMA.field("reasons").type)
    )
    for name, camera in clip.drive.cameras.items():
        assert isinstance(camera, VideoFile)
        t_ns = camera.windowed(*ALWAYS_NS).frame_times()
        row = clip.row_at(t_ns)
        frame = np.flatnonzero((row != NOWHERE) & np.isin(t_ns, camera.frame_times()))
        row = row[frame]
        of_second = rows.take(pa.array(row))
        shared = np.asarray(of_second.column("weight")) / np.bincount(row, minlength=rows.num_rows)[row]
        columns = {
            "camera": pa.array([name] * frame.size, pa.string()),
            "file": pa.array([camera.path.name] * frame.size, pa.string()),
            "frame": pa.array(frame),
            "t_ns": pa.array(t_ns[frame]),
            "weight": pa.array(shared),
            "second_weight": of_second.column("weight"),
        }
        told = [columns[n] if n in columns else of_second.column(n) for n in SCHEMA.names]
        yield pa.table(told, schema=SCHEMA)
