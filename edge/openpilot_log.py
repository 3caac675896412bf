"""openpilot's rlog and qlog: Cap'n Proto `Event` messages one after another; plain, bz2 or zstd.

Bytes in, rows out, one list a kind of message. Rules:
- Only the kinds in `KINDS` are read, and of them only the fields named there: never the driver's camera or state,
  never the serial number, the VIN or the parameters of the device.
- Unpacked and split here, not by openpilot's reader: zstd written as a stream has no size in its header, and a file
  that breaks off must give all that stands before.
- A damaged message is counted and skipped; a length that leads out of the file ends it, since nothing marks where
  the next message begins. A kind that is newer than the schema is passed over.
- Messages are not in order of time, and one that lies minutes from the others is damaged.

The schema is that of the package openpilot-logging; its own code is not run. It keeps the number of a field when a
name changes: `userFlag` is today's `userBookmark`, `onroadEventsDEPRECATED` is what was called `carEvents`.
"""

from __future__ import annotations

import bz2
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from edge.errors import DriveError
from trigger.telemetry import Times

Row: TypeAlias = tuple[Any, ...]
"""(t_ns, values...): int ns of the boot clock, then the fields of its kind in the order of `KINDS`."""
Rows: TypeAlias = dict[str, list[Row]]

CHUNK_BYTES = 4096
"""Fed to a decompressor at a time: what it gave before the damage is kept, and no bomb unfolds at once."""
MAX_LOG_BYTES = 500_000_000
"""Of one unpacked segment; a real minute is below 100 MB."""
ONE_PART = struct.Struct("<II")
"""Before a message of one part: the number of further parts, 0, and its length in words of 8 bytes."""
MAX_PARTS = 64
"""Of one message; openpilot writes one."""
MAX_EVENTS = 64
"""Read of one list of on-road events."""
SEGMENT_NS = 120_000_000_000
"""No message lies further than this from the middle one of a segment, which lasts a minute."""
LATEST_NS = 1 << 62
MAX_TEXT = 80
MAX_FRAMES = 20_000
"""Of one camera file; a minute has 1,200."""
SAME_CLOCK_NS = 10_000_000_000
"""A frame's stamp lies this close to the time of its message, or it is damaged or of another clock."""
FACTS = ("carParams", "initData")
"""True of the whole route; `initData` bears the time at which the route began, in every segment."""


@dataclass(frozen=True)
class Log:
    """What one file gave. `lost` is empty where it was read to its end."""

    rows: Rows
    lost: tuple[str, ...]


def _one(*fields: str) -> Callable[[Any], Row]:
    get = attrgetter(*fields)
    return (lambda message: (get(message),)) if len(fields) == 1 else get


def _calibrated_yaw(message: Any) -> Row:
    turning = message.angularVelocityCalibrated
    known = len(turning.value) > 2  # empty until localisation has begun
    return turning.value[2] if known else float("nan"), known and turning.valid


def _disabling(events: Any) -> Row:
    """Names of the events that end an engagement."""
    ending = (e for e in islice(events, MAX_EVENTS) if e.userDisable or e.softDisable or e.immediateDisable)
    return (tuple(_name(event.name) for event in ending),)


def _text(*fields: str) -> Callable[[Any], Row]:
    get = _one(*fields)
    return lambda message: tuple(v[:MAX_TEXT] if isinstance(v, str) else v for v in get(message))


_GPS = _one("latitude", "longitude", "bearingDeg", "speed", "flags", "hasFix")
_FRAME = _one("segmentId", "timestampSof", "timestampEof")
_PEDALS = ("gas", "gasPressed", "brakePressed", "cruiseState.enabled")
_WHEEL = ("steeringAngleDeg", "steeringPressed", "leftBlinker", "rightBlinker")

KINDS: Mapping[str, Callable[[Any], Row]] = {
    "carState": _one("vEgo", "aEgo", *_WHEEL, *_PEDALS),
    "selfdriveState": _one("enabled"),
    "controlsState": _one("enabledDEPRECATED"),
    "carControl": _one("enabled", "latActive", "longActive"),
    "livePose": _one("angularVelocityDevice.z", "angularVelocityDevice.valid"),
    "liveLocationKalmanDEPRECATED": _calibrated_yaw,
    "gpsLocation": _GPS,
    "gpsLocationExternal": _GPS,
    "onroadEvents": _disabling,
    "onroadEventsDEPRECATED": _disabling,
    "userFlag": lambda _: (),
    "roadEncodeIdx": _FRAME,
    "wideRoadEncodeIdx": _FRAME,
    "qRoadEncodeIdx": _FRAME,
    "carParams": _text("wheelbase", "steerRatio", "carFingerprint"),
    "initData": _text("version"),
    "sentinel": lambda mark: (_name(mark.type),),
}


def read_log(path: Path) -> Log:
    """All rows of one file, in the order of the file.

    Raises:
        DriveError: the packages that read it are not installed.
    """
    try:
        packed = path.read_bytes()
    except OSError as error:
        return Log({}, (f"{path.name} cannot be read ({error.strerror})",))
    data, whole = _unpacked(packed)
    rows, good, bad = _rows(data)
    strayed = _drop_strays(rows)
    lost = []
    if not data:
        lost.append(f"{path.name} is empty or damaged from its beginning")
    elif not whole or good < len(data):
        lost.append(f"{path.name} breaks off or is damaged after {_seconds(rows):.1f} s")
    if bad + strayed:
        lost.append(f"{path.name}: {bad + strayed} messages are damaged")
    return Log(rows, tuple(lost))


def frame_times(index: list[Row], frames: int) -> tuple[Times, int]:
    """When the frames of one camera file were taken, from its encoder's messages.

    The start of the exposure where it was recorded, else its end. The recorder writes a message a frame, in the
    order of the file, but what the encoder made before the recorder ran is in neither: unless the file holds as many
    frames as the last number says, its first frame is that of the lowest number.

    Args:
        index: rows (t_ns, segmentId, timestampSof, timestampEof) of one segment, in any order.
        frames: how many frames the file holds.

    Returns:
        (N,) int64 ns, strictly increasing, one a frame from the first on, also for those the file has lost; and how
        many of them were placed between their neighbours because their message is missing or damaged. N is 0 where
        no time is to be had.
    """
    stamped = _stamped(index)
    if len(stamped) < 2:
        return np.empty(0, np.int64), 0
    number, t_ns = np.array(list(stamped.items()), np.int64).T
    if frames != number[-1] + 1:
        number = number - number[0]
    step = np.median(np.diff(t_ns) / np.diff(number))
    every = np.arange(number[-1] + 1)
    since_ns = np.interp(every, number, t_ns - t_ns[0]) - step * np.maximum(number[0] - every, 0)
    times = t_ns[0] + np.round(since_ns).astype(np.int64)
    return (times, int((~np.isin(every, number)).sum())) if (np.diff(times) > 0).all() else (times[:0], 0)


def _stamped(index: list[Row]) -> dict[int, int]:
    """Frame number to time, both increasing; what contradicts its neighbour is left out together with it."""
    for stamp in (2, 3):
        times = {row[1]: row[stamp] for row in index if row[1] < MAX_FRAMES and _near(row[stamp], row[0])}
        if len(times) > len(index) / 2:
            break
    kept = sorted(times.items())
    while wrong := {i + k for i in range(len(kept) - 1) for k in (0, 1) if kept[i][1] >= kept[i + 1][1]}:
        kept = [pair for i, pair in enumerate(kept) if i not in wrong]
    return dict(kept)


def _near(stamp_ns: int, t_ns: int) -> bool:
    return abs(stamp_ns - t_ns) <= SAME_CLOCK_NS


def _unpacked(packed: bytes) -> tuple[bytes, bool]:
    """The log's bytes as far as they can be had, and whether that is to the end; frames may follow one another."""
    if packed.startswith(b"BZh"):
        new, errors = bz2.BZ2Decompressor, (OSError, EOFError)  # type: tuple[Callable[[], Any], Any]
    elif packed.startswith(b"\x28\xb5\x2f\xfd"):
        zstandard = _package("zstandard")
        new, errors = zstandard.ZstdDecompressor().decompressobj, zstandard.ZstdError
    else:
        return packed, True
    decoder, out = new(), bytearray()
    for at in range(0, len(packed), CHUNK_BYTES):
        chunk = packed[at : at + CHUNK_BYTES]
        while chunk and len(out) < MAX_LOG_BYTES:
            if decoder.eof:
                decoder = new()
            try:
                out += decoder.decompress(chunk)
            except errors:
                return bytes(out), False
            chunk = decoder.unused_data if decoder.eof else b""
    return bytes(out), decoder.eof and len(out) < MAX_LOG_BYTES


def _rows(data: bytes) -> tuple[Rows, int, int]:
    """Rows by kind, the number of bytes that were whole messages, and the number of messages that were damaged."""
    event_type, unreadable = _schema()
    messages, good = _whole_messages(data)
    events = event_type.read_multiple_bytes(data[:good])
    rows: Rows = {}
    bad = 0
    for _ in range(messages):
        try:
            event = next(events)
            kind = _kind(event, unreadable)
            if kind in KINDS:
                rows.setdefault(kind, []).append((event.logMonoTime, *KINDS[kind](getattr(event, kind))))
        except (unreadable, ValueError, IndexError, StopIteration):
            bad += 1
    return rows, good, bad


def _whole_messages(data: bytes) -> tuple[int, int]:
    """How many messages stand one after another before the first length that cannot be, and the bytes they fill."""
    at = count = 0
    while at + 8 <= len(data):
        parts, words = ONE_PART.unpack_from(data, at)
        end = at + 8 + 8 * words if parts == 0 else _end(data, at, parts + 1)
        if end <= at + 8 or end > len(data):
            break
        at, count = end, count + 1
    return count, at


def _end(data: bytes, at: int, parts: int) -> int:
    """Where a message of several parts ends; `at` where their table cannot be."""
    head = (parts // 2 + 1) * 8
    if parts > MAX_PARTS or at + head > len(data):
        return at
    words = sum(struct.unpack_from(f"<{parts}I", data, at + 4))
    return at + head + 8 * words if words else at


def _name(value: Any) -> str:
    """Name of an enumerated value, or its number where it is newer than the schema."""
    try:
        return str(value)
    except RuntimeError:
        return f"number {value.raw}"


def _kind(event: Any, unreadable: type[Exception]) -> str:
    """Name of the message's kind; "" for one that the schema does not know."""
    try:
        return str(event.which())
    except unreadable:
        return ""


def _drop_strays(rows: Rows) -> int:
    """Remove rows whose time cannot be this segment's, and say how many they were."""
    times = _times(rows)
    possible = sorted(t for t in times if 0 < t < LATEST_NS) or [0]
    middle = possible[len(possible) // 2]
    for kind in rows.keys() - set(FACTS):
        rows[kind] = [row for row in rows[kind] if abs(row[0] - middle) <= SEGMENT_NS and row[0] > 0]
    return len(times) - len(_times(rows))


def _times(rows: Rows) -> list[int]:
    return [row[0] for kind, kept in rows.items() if kind not in FACTS for row in kept]


def _seconds(rows: Rows) -> float:
    times = _times(rows)
    return (max(times) - min(times)) / 1e9 if times else 0.0


@cache
def _schema() -> tuple[Any, type[Exception]]:
    """The `Event` struct, and what reading a damaged one raises."""
    capnp = _package("capnp")
    found = find_spec("openpilot_logging")
    folder = next(iter(found.submodule_search_locations or ()), None) if found else None
    if folder is None:
        raise _missing("openpilot-logging")
    event: Any = capnp.load(str(Path(folder) / "cereal" / "log.capnp")).Event
    return event, capnp.KjException


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise _missing(name) from None


def _missing(name: str) -> DriveError:
    return DriveError(
        f"an openpilot log, and {name} is not installed",
        "the packages openpilot-logging, pycapnp and zstandard",
        "pip install 'swerve[openpilot]'",
    )
