"""A message of a recorded topic: which channel it came by, where its bytes lie, and when it was.

Time is the message's own stamp where it lies within 10 s of the log time, else the log time; which of them is settled
topic by topic, so that a topic under simulated time keeps one clock, at the price of the log's jitter.

Not covered: a clock that drifts by less than 10 s against the log's; what stores messages (`edge.bag`), and what they
mean (`edge.message_signal`, `edge.message_camera`).
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from trigger.telemetry import Times

MAX_STAMP_ERROR_NS = 10_000_000_000
MAX_TIME_NS = 1 << 62
DAMAGE = (
    *(struct.error, ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError),
    sqlite3.Error,
)
"""What parsing damaged bytes raises, beside the libraries' own errors."""
Place = tuple[int, int, int, int]
"""Where bytes lie: number of the file, block (offset of a chunk, id of a row, -1 = the file itself), start, end."""


@dataclass(frozen=True)
class Channel:
    """A topic of one file. `definition` is the text of its message type, "" where the recording holds none."""

    topic: str
    type: str
    encoding: str
    definition_format: str
    definition: str


Wanted = Callable[[Channel], bool]


@dataclass(frozen=True)
class Message:
    channel: Channel
    log_ns: int
    data: bytes
    place: Place


def damage() -> tuple[type[Exception], ...]:
    """`DAMAGE` and the errors of the libraries, which are imported here."""
    import zstandard
    from mcap.exceptions import McapError
    from rosbags.serde import SerdeError
    from rosbags.typesys import TypesysError

    return (*DAMAGE, McapError, SerdeError, TypesysError, SyntaxError, RuntimeError, EOFError, zstandard.ZstdError)


@dataclass
class Clocked:
    """What the messages of one topic have in common; `stamp_ns` is 0 where a message has no time of its own."""

    channel: Channel
    log_ns: list[int] = field(default_factory=list)
    stamp_ns: list[int] = field(default_factory=list)
    bad: int = 0

    def clock(self, log_ns: int, stamp_ns: int) -> None:
        self.log_ns.append(min(log_ns, MAX_TIME_NS))
        self.stamp_ns.append(stamp_ns if 0 <= stamp_ns < MAX_TIME_NS else 0)

    def keep(self, rows: Sequence[bool]) -> None:
        self.log_ns, self.stamp_ns = list(compress(self.log_ns, rows)), list(compress(self.stamp_ns, rows))

    def times(self) -> Times:
        """A topic whose stamps lie near its log times is timed by them; single odd ones by the log."""
        log = np.array(self.log_ns, np.int64)
        return np.where(self._near(), np.array(self.stamp_ns, np.int64), log) if self.trusts_stamps else log

    @property
    def trusts_stamps(self) -> bool:
        near = self._near()
        return bool(near.size and near.mean() >= 0.9)

    def _near(self) -> NDArray[np.bool_]:
        error_ns = np.array(self.stamp_ns, np.int64) - np.array(self.log_ns, np.int64)
        return np.asarray(np.abs(error_ns) <= MAX_STAMP_ERROR_NS)
