"""The array of a .npy file that may be damaged: numpy's reader believes a header that promises less than there is."""

from __future__ import annotations

import tokenize
import warnings
from pathlib import Path

import numpy as np

BROKEN = (OSError, ValueError, EOFError, TypeError, SyntaxError, tokenize.TokenError, MemoryError, RecursionError)
"""What numpy has been seen to raise on damaged headers, and what it may."""


def read_npy(path: Path, kind: str) -> np.ndarray | None:
    """The array; None where the file is absent or damaged, or is not one of numpy's `kind` ("f", "i", "S")."""
    try:
        with path.open("rb") as file, warnings.catch_warnings(action="ignore"):  # headers of Python 2
            array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
            over = file.read(1)
    except BROKEN:
        return None
    return array if array.dtype.kind == kind and array.ndim and not over else None
