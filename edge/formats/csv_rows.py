"""Rows of a CSV file that may be damaged: damage costs single rows, and is told from an empty line.

Damaged are rows with NUL bytes (a block that the disk lost joins two halves of different rows), rows that are no CSV,
and a last row without a line end: where a file was cut off, its last number may be the beginning of another.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from edge.errors import DriveError


def csv_rows(path: Path) -> Iterator[list[str] | None]:
    """Rows in their order without empty ones; None for a damaged one. Raises DriveError where there is no file."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            for line in file:
                if line.strip():
                    yield _row(line)
    except OSError as error:
        raise DriveError(f"{path} cannot be read: {error}", "a CSV file", "copy the recording again") from error


def _row(line: str) -> list[str] | None:
    text = line.strip("\0\r\n")
    if "\0" in text or not line.endswith(("\n", "\r")):
        return None
    try:
        return next(csv.reader([text]), None)
    except csv.Error:
        return None
