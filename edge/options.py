"""Types of command-line options that click lacks."""

from __future__ import annotations

import math
from typing import Any

import click


class FiniteRange(click.FloatRange):
    """A number in a range; nan and inf, which click lets through, are refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number) or number > 1e9:
            self.fail(f"{value} is not a usable number.", param, ctx)
        return number
