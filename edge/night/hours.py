"""The hours in which a car may upload: a stretch of the local day, which may cross midnight."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge.errors import EdgeError
from edge.night.clock import Moment

PATTERN = re.compile(r"(\d\d?)(?::(\d\d))?-(\d\d?)(?::(\d\d))?")
DAY_MIN = 24 * 60


@dataclass(frozen=True)
class Hours:
    """From `start` to `end`, end exclusive, in minutes of the day; equal ones mean the whole day."""

    start: int
    end: int

    def open_at(self, moment: Moment) -> bool:
        """Whether uploads are allowed; with a wall clock that cannot be right, only if they are allowed all day."""
        if self.start == self.end:
            return True
        return moment.plausible and (moment.minute - self.start) % DAY_MIN < (self.end - self.start) % DAY_MIN


ALL_DAY = Hours(0, 0)


def parse_hours(text: str) -> Hours:
    """`22-6`, `22:30-06:15`, or `all`. Raises EdgeError."""
    if text == "all":
        return ALL_DAY
    match = PATTERN.fullmatch(text)
    if match:
        start_h, start_m, end_h, end_m = (int(part or 0) for part in match.groups())
        if max(start_h, end_h) <= 24 and max(start_m, end_m) < 60:
            return Hours((start_h * 60 + start_m) % DAY_MIN, (end_h * 60 + end_m) % DAY_MIN)
    raise EdgeError(f"the hours {text!r}", "a stretch such as 22-6 or 22:30-06:15, or all", "give --hours anew")
