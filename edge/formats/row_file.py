"""Rows of numbers that come one by one and are wanted when all have come: in little memory, however many there are.

While they are few they stay in memory; then they go to a file without a name, which is gone with the process, however
that ends.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigger.telemetry import Times, Values

KEPT_BYTES = 4_000_000
PIECE_ROWS = 8192
"""Given back at a time: 82 s of a topic at 100 Hz."""


class RowFile:
    """Rows of two times, int64 ns, and `width` values, float64."""

    def __init__(self, width: int) -> None:
        self._packed = struct.Struct(f"<2q{width}d")
        self._row = np.dtype([("first", "<i8"), ("second", "<i8"), ("values", "<f8", (width,))])
        self._file: Any = tempfile.SpooledTemporaryFile(KEPT_BYTES, prefix="swerve-")  # noqa: SIM115 (open while used)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, first_ns: int, second_ns: int, values: Sequence[float]) -> None:
        self._file.write(self._packed.pack(first_ns, second_ns, *values))
        self._count += 1

    def pieces(self) -> Iterator[tuple[Times, Times, Values]]:
        """All rows in the order in which they came: times (N,), times (N,), values (N, width). Appending is over."""
        for begin in range(0, self._count, PIECE_ROWS):
            self._file.seek(begin * self._row.itemsize)
            rows: NDArray[Any] = np.frombuffer(self._file.read(PIECE_ROWS * self._row.itemsize), self._row)
            yield rows["first"].copy(), rows["second"].copy(), rows["values"].copy()
