"""openpilot's rlog and qlog: Cap'n Proto `Event` messages one after another; plain, bz2 or zstd.

Bytes in, tables out, one a kind of message (`edge.formats.openpilot_messages`). Rules:
- Numbers and flags are read by column (`edge.formats.capnp_columns`): reading the fields of 30,000 messages a minute
  one by one takes longer than all the rest. Texts and lists are read by the library. No other message is even parsed.
- Unpacked and split here, not by openpilot's reader: zstd written as a stream has no size in its header, and a file
  that breaks off must give all that stands before.
- A damaged message is counted and skipped; a length that leads out of the file ends it, since nothing marks where
  the next message begins. A kind that is newer than the schema is passed over.
- Messages are not in order of time, and one that lies minutes from the others is damaged.

The schema is that of the package openpilot-logging; its own code is not run.
"""

from __future__ import annotations

import bz2
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import DriveError
from edge.formats.capnp_columns import NO_KIND, Messages, Structs, whole_messages
from edge.formats.openpilot_messages import COLUMNS, FACTS, MARKS, TOLD, Log, Row, Table
from trigger.telemetry import Times

CHUNK_BYTES = 4096
"""Fed to a decompressor at a time: what it gave before the damage is kept, and no bomb unfolds at once."""
MAX_LOG_BYTES = 500_000_000
"""Of one unpacked segment; a real minute is below 100 MB."""
SEGMENT_NS = 120_000_000_000
"""No message lies further than this from the middle one of a segment, which lasts a minute."""
LATEST_NS = 1 << 62


def read_log(path: Path) -> Log:
    """All that one file holds of the kinds that are read.

    Raises:
        DriveError: the packages that read it are not installed.
    """
    try:
        packed = path.read_bytes()
    except OSError as error:
        return Log({}, {}, (f"{path.name} cannot be read ({error.strerror})",))
    data, whole = _unpacked(packed)
    log, good, bad = _parsed(data)
    kept = _without_strays(log)
    bad += log.times.size - kept.times.size
    lost = []
    if not data:
        lost.append(f"{path.name} is empty or damaged from its beginning")
    elif not whole or good < len(data):
        lost.append(f"{path.name} breaks off or is damaged after {_seconds(kept.times):.1f} s")
    if bad:
        lost.append(f"{path.name}: {bad} messages are damaged")
    return Log(kept.tables, kept.told, tuple(lost))


def _unpacked(packed: bytes) -> tuple[bytes | bytearray, bool]:
    """The log's bytes as far as they can be had, and whether that is to the end; frames may follow one another."""
    new: Callable[[], Any]
    errors: tuple[type[Exception], ...]
    if packed.startswith(b"BZh"):
        new, errors = bz2.BZ2Decompressor, (OSError, EOFError)
    elif packed.startswith(b"\x28\xb5\x2f\xfd"):
        zstandard = _package("zstandard")
        new, errors = zstandard.ZstdDecompressor().decompressobj, (zstandard.ZstdError,)
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
                return out, False
            chunk = decoder.unused_data if decoder.eof else b""
    return out, decoder.eof and len(out) < MAX_LOG_BYTES


def _parsed(data: bytes | bytearray) -> tuple[Log, int, int]:
    """What the data holds, how many bytes were whole messages, and how many messages are damaged."""
    event, unreadable = _schema()
    numbers = {name: field.proto.discriminantValue for name, field in event.schema.fields.items()}
    messages = whole_messages(data, event.schema.node.struct.discriminantOffset)
    tables, bad = {}, 0
    for kind, number in [*((kind, numbers[kind]) for kind in COLUMNS), *((k, n) for n, k in MARKS.items())]:
        mine = messages[messages.kind == number]
        if len(mine):
            tables[kind], damaged = _table(mine, event.schema, kind)
            bad += damaged
    by_library = np.isin(messages.kind, [NO_KIND, *(numbers[kind] for kind in TOLD)])
    told, damaged = _told(messages[by_library], event, unreadable)
    return Log(tables, told), int(messages.end[-1]) * 8 if len(messages) else 0, bad + damaged


def _table(messages: Messages, schema: Any, kind: str) -> tuple[Table, int]:
    """Messages of one kind by column, and how many are damaged."""
    paths = {field: (kind, *field.split(".")) for field in COLUMNS.get(kind, ())}
    structs: dict[tuple[str, ...], Structs] = {(): messages.roots(schema)}
    for inner in sorted({path[:depth] for path in paths.values() for depth in range(1, len(path))}, key=len):
        structs[inner] = structs[inner[:-1]].inside(inner[-1])
    fields = {field: structs[path[:-1]].column(path[-1]) for field, path in paths.items()}
    whole = np.logical_and.reduce([struct.whole for struct in structs.values()])
    t_ns = np.minimum(structs[()].column("logMonoTime"), LATEST_NS).astype(np.int64)
    return Table.of([Table(t_ns, fields).rows(whole)]), int((~whole).sum())


def _told(messages: Messages, event: Any, unreadable: type[Exception]) -> tuple[dict[str, list[Row]], int]:
    """Rows by kind, and how many messages are damaged; so is one in several parts that should be read by column."""
    told: dict[str, list[Row]] = {}
    read = event.read_multiple_bytes(messages.content())
    bad = 0
    for _ in range(len(messages)):
        try:
            message = next(read)
            kind = _kind(message, unreadable)
            bad += kind in COLUMNS
            if kind in TOLD:
                t_ns = min(message.logMonoTime, LATEST_NS)
                told.setdefault(kind, []).append((t_ns, *TOLD[kind](getattr(message, kind))))
        except (unreadable, ValueError, IndexError, StopIteration):
            bad += 1
    return told, bad


def _kind(event: Any, unreadable: type[Exception]) -> str:
    """Name of the message's kind; "" for one that the schema does not know."""
    try:
        return str(event.which())
    except unreadable:
        return ""


def _without_strays(log: Log) -> Log:
    """Without what bears a time that cannot be this segment's."""
    possible = np.sort(log.times[(log.times > 0) & (log.times < LATEST_NS)])
    middle = int(possible[possible.size // 2]) if possible.size else 0
    first, last = max(1, middle - SEGMENT_NS), middle + SEGMENT_NS
    tables = {kind: t.rows((t.t_ns >= first) & (t.t_ns <= last)) for kind, t in log.tables.items()}
    told = {kind: [row for row in rows if kind in FACTS or first <= row[0] <= last] for kind, rows in log.told.items()}
    return Log(tables, told)


def _seconds(t_ns: Times) -> float:
    return float(np.ptp(t_ns)) / 1e9 if t_ns.size else 0.0


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
