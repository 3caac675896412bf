"""Hours of the day, in UTC: what time it is on the driver's watch is not known from a drive's clock."""

from __future__ import annotations

import re
from dataclasses import dataclass

DAY_MINUTES = 24 * 60
MINUTE_NS = 60_000_000_000


@dataclass(frozen=True)
class Hours:
    """From one minute of the UTC day to before another; over midnight where it is no later."""

    begin_minute: int
    end_minute: int

    def contains(self, unix_ns: int) -> bool:
        minute = unix_ns // MINUTE_NS % DAY_MINUTES
        return (minute - self.begin_minute) % DAY_MINUTES < (self.end_minute - self.begin_minute) % DAY_MINUTES

    @staticmethod
    def parse(text: str) -> Hours | None:
        """From "22:00-05:30"; None where it is not that, or is the whole day or none of it."""
        match = re.fullmatch(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})", text)
        if match is None:
            return None
        begin_hour, begin_minute, end_hour, end_minute = map(int, match.groups())
        if max(begin_hour, end_hour) > 23 or max(begin_minute, end_minute) > 59:
            return None
        hours = Hours(begin_hour * 60 + begin_minute, end_hour * 60 + end_minute)
        return hours if hours.begin_minute != hours.end_minute else None
