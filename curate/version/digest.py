"""What a version is named by: one sha256 over its rows in canonical order, its recipe and its inputs.

Columns are hashed one after the other, as numbers in little-endian order and as UTF-8 behind its lengths, so that the
digest depends on content alone and not on how Arrow or Parquet happened to lay it out, and a million rows take about
a second. Time, place of the run and version of the code are not part of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from edge.manifest import canonical_json

ORDER = [("clip_id", "ascending"), ("start_ns", "ascending")]
"""Canonical order; no two rows of a version share clip and second."""


def rows_digest(rows: pa.Table, recipe: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """Hex sha256. Raises ValueError for a value that is missing or not a number."""
    about = {
        "columns": rows.schema.names,
        "inputs": dict(inputs),
        "recipe": dict(recipe),
        "rows": rows.num_rows,
    }
    digest = hashlib.sha256(canonical_json(about))
    ordered = rows.sort_by(ORDER)
    for name in rows.schema.names:
        for part in _parts(ordered.column(name).combine_chunks()):
            digest.update(part)
    return digest.hexdigest()


def rows_digest_before(rows: pa.Table, recipe: Mapping[str, Any]) -> str:
    """The digest of "swerve-dataset/2", row by row."""
    digest = hashlib.sha256(canonical_json(recipe))
    for row in rows.sort_by(ORDER).to_pylist():
        digest.update(canonical_json(row))
    return digest.hexdigest()


def _parts(column: pa.Array) -> Iterator[bytes]:
    """The bytes of a column; what has lengths tells them first, so that no two columns give the same bytes."""
    if column.null_count:
        raise ValueError("a value is missing")
    if pa.types.is_list(column.type):
        yield np.asarray(pc.list_value_length(column), "<i8").tobytes()
        yield from _parts(column.flatten())
    elif pa.types.is_string(column.type):
        yield np.asarray(pc.binary_length(column), "<i8").tobytes()
        yield _text(column)
    else:
        yield _numbers(column)


def _numbers(column: pa.Array) -> bytes:
    values = np.asarray(column)
    if values.dtype.kind == "i":
        return values.astype("<i8").tobytes()
    if not np.isfinite(values).all():
        raise ValueError("a value that is not a number")
    return (values.astype("<f8") + 0.0).tobytes()  # the sum makes one zero of 0.0 and -0.0


def _text(column: pa.Array) -> bytes:
    """All strings on end, without what lies in the buffer before and after them."""
    large = column.cast(pa.large_string())
    _, offsets, data = large.buffers()
    if not data:
        return b""
    first, last = np.frombuffer(offsets, np.int64)[[large.offset, large.offset + len(large)]].tolist()
    return bytes(data[first:last])
