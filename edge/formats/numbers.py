"""Numbers as recordings hold them: what no sensor can have measured is no number."""

from __future__ import annotations

import math

import numpy as np

from trigger.telemetry import Values

LARGEST = 1e12
"""In any unit that a recorder uses, larger sizes are damage, as infinity is."""


def number(text: str) -> float:
    """The number that a text is, NaN where it is none."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if abs(value) < LARGEST else math.nan


def json_number(value: object) -> float:
    """A number of a JSON document, NaN where it is anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan
    return float(value) if abs(value) < LARGEST else math.nan


def sensible(values: Values) -> Values:
    """Of any shape, NaN where a value is no number."""
    return np.where(np.abs(values) < LARGEST, values, np.nan)
