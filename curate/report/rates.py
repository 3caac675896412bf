"""Rates of events in the head of a version, under `counts.rates`: they are estimated while the seconds are at hand.

JSON has no infinity: a rate without an upper bound has null there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from math import inf, isfinite
from typing import Any

from curate.exposure import Rate


def rates_json(rates: Mapping[str, Rate]) -> dict[str, dict[str, Any]]:
    """As `rates_of` reads them."""
    return {kind: asdict(rate) | {"high": rate.high if isfinite(rate.high) else None} for kind, rate in rates.items()}


def rates_of(counts: Mapping[str, Any]) -> dict[str, Rate]:
    """How often each kind happens, sorted by kind; none where the head does not tell it."""
    told = sorted(counts.get("rates", {}).items())
    return {kind: Rate(**rate | {"high": inf if rate["high"] is None else rate["high"]}) for kind, rate in told}
