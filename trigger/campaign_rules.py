"""What the values of a campaign file may be: a rule takes one as TOML gives it, and says in words what it wants."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from trigger.hours import Hours

MAX_QUOTA_BYTES = 10**15
BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
T = TypeVar("T")


@dataclass(frozen=True)
class Rule(Generic[T]):
    """`accept` gives None where a value is not what is `wanted`."""

    accept: Callable[[Any], T | None]
    wanted: str


def number(low: float, high: float) -> Rule[float]:
    """From low to high. nan and inf are neither, and a bool is no number."""

    def accept(value: Any) -> float | None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if is_number and low <= value <= high else None

    return Rule(accept, f"a number from {low:g} to {high:g}")


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,63}", value) else None


def _quota(value: Any) -> int | None:
    """Bytes, of a number or of a text with a decimal unit."""
    factor = 1
    if isinstance(value, str):
        match = re.fullmatch(rf"([0-9]{{1,15}}(?:\.[0-9]{{1,9}})?) ?({'|'.join(BYTES)})", value)
        value, factor = (float(match[1]), BYTES[match[2]]) if match else (None, 1)
    accepted = number(1 / factor, MAX_QUOTA_BYTES / factor).accept(value)
    return None if accepted is None else round(accepted * factor)


def _day(value: Any) -> date | None:
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


NAME = Rule(_name, "1 to 64 of a-z, 0-9 and _, beginning with a letter")
TEXT = Rule(lambda value: value if isinstance(value, str) else None, "a text in quotes")
TABLE = Rule(lambda value: value if isinstance(value, dict) else None, "a table")
HOURS = Rule(lambda value: Hours.parse(value) if isinstance(value, str) else None, 'UTC hours, such as "22:00-05:30"')
QUOTA = Rule(_quota, f'1 to {MAX_QUOTA_BYTES:.0e} bytes, as a number or such as "200 MB"')
DAY = Rule(_day, "a day without quotes, such as 2027-03-31")
PROBABILITY = Rule(lambda value: number(0.0, 1.0).accept(value) or None, "a number above 0, up to 1")
