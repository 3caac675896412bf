"""A message of a recorded topic: which channel it came by, where its bytes lie, and when it was.

Time is the message's own stamp where it lies within 10 s of the log time, else the log time; which of them is settled
topic by topic, so that a topic under simulated time keeps one clock, at the price of the log's jitter.

Not covered: a clock that drifts by less than 10 s against the log's; what stores messages (`edge.formats.bag`), and
what they mean (`edge.formats.message_signal`, `edge.formats.message_camera`).
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trigger.telemetry import Times

MAX_STAMP_ERROR_NS = 10_000_000_000
NEAR_SHARE = 0.9
"""Of a topic's stamps this share must lie near, or all are distrusted."""
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


def near(log_ns: Times, stamp_ns: Times) -> NDArray[np.bool_]:
    """Where a stamp can be the time of its message; it is 0 where a message has none."""
    return np.asarray(np.abs(stamp_ns - log_ns) <= MAX_STAMP_ERROR_NS)


def trusted(near_ones: int, of: int) -> bool:
    """Whether a topic is timed by its stamps."""
    return of > 0 and near_ones >= NEAR_SHARE * of


def timed(log_ns: Times, stamp_ns: Times, by_stamps: bool) -> Times:
    """A topic whose stamps lie near its log times is timed by them; single odd ones by the log."""
    return np.where(near(log_ns, stamp_ns), stamp_ns, log_ns) if by_stamps else log_ns


def clock(log_ns: int, stamp_ns: int) -> tuple[int, int]:
    """Both times of a message as they are kept."""
    return min(log_ns, MAX_TIME_NS), stamp_ns if 0 <= stamp_ns < MAX_TIME_NS else 0
