"""Storage of a bag as MCAP, read record by record from the beginning to the end.

The index at the end is not used: a file that broke off gives all that is whole, at the price of one pass over a file
whose index would have told where its topics lie. What is damaged is counted in `lost`; nothing is unpacked beyond what
its chunk announces.

Not covered: attachments and metadata. A file without chunks has no checksums: there a flipped bit inside a message is
not noticed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from edge.errors import DriveError
from edge.formats.message import Channel, Wanted, damage

MAX_RECORD_BYTES = 1 << 30
"""A record or chunk larger than this is damage, not data."""
Record = TypeVar("Record")


@dataclass
class McapFile:
    """An MCAP file, read record by record; the index at its end is not needed."""

    path: Path
    lost: list[str] = field(default_factory=list)
    channels: dict[int, Channel] = field(default_factory=dict)
    _schemas: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    _block: tuple[int, bytes] = (-1, b"")
    _messages: int = 0
    _promised: int = 0
    _bad: int = 0

    def messages(self, wanted: Wanted) -> Iterator[tuple[int, int, bytes, tuple[int, int, int]]]:
        from mcap.opcode import Opcode
        from mcap.records import Chunk, Statistics

        for op, at, content in self._records():
            if op == Opcode.CHUNK:
                plain = self._chunk(_parsed(Chunk, content), at)
                for inner, start, part in _inner_records(plain):
                    yield from self._take(inner, part, (at, start), wanted)
            elif op == Opcode.STATISTICS:
                statistics = _parsed(Statistics, content)
                self._promised = statistics.message_count if statistics else 0
            else:
                yield from self._take(op, content, (-1, at), wanted)
        missing = self._promised - self._messages
        if self._bad or missing > 0:
            self.lost.append(f"{self.path.name}: {max(missing, 0)} messages and {self._bad} other records are damaged")

    def read(self, block: int, start: int, end: int) -> bytes:
        from mcap.records import Chunk

        with self.path.open("rb") as file:
            if block < 0:
                file.seek(start)
                return file.read(end - start)
            if self._block[0] != block:
                file.seek(block - 9)
                _, length = struct.unpack("<BQ", file.read(9))
                self._block = (block, _inflated(_parsed(Chunk, file.read(min(length, MAX_RECORD_BYTES)))))
        return self._block[1][start:end]

    def _records(self) -> Iterator[tuple[int, int, bytes]]:
        """Whole records of the file: opcode, where the content starts, content."""
        from mcap.opcode import Opcode

        size = self.path.stat().st_size
        with self.path.open("rb") as file:
            if file.read(8) != b"\x89MCAP0\r\n":
                raise DriveError(f"{self.path} does not begin as MCAP does", "an MCAP file", "copy the recording again")
            while (at := file.tell()) < size:
                op, length = struct.unpack("<BQ", file.read(9).ljust(9, b"\xff"))
                if op == Opcode.FOOTER:
                    return
                if at + 9 + length > size or length > MAX_RECORD_BYTES:
                    self.lost.append(f"{self.path.name}: unreadable from byte {at} of {size} on")
                    return
                if op in (Opcode.CHUNK, Opcode.MESSAGE, Opcode.SCHEMA, Opcode.CHANNEL, Opcode.STATISTICS):
                    yield op, at + 9, file.read(length)
                else:
                    file.seek(length, 1)
        self.lost.append(f"{self.path.name}: the recording broke off at byte {size}; it has no end")

    def _chunk(self, chunk: Any, at: int) -> bytes:
        try:
            return _inflated(chunk)
        except damage() as error:
            self.lost.append(f"{self.path.name}: the chunk at byte {at - 9} is damaged ({error})")
            return b""

    def _take(
        self, op: int, content: bytes, where: tuple[int, int], wanted: Wanted
    ) -> Iterator[tuple[int, int, bytes, tuple[int, int, int]]]:
        from mcap.opcode import Opcode
        from mcap.records import Channel as ChannelRecord
        from mcap.records import Schema

        if op == Opcode.SCHEMA and (schema := _parsed(Schema, content)):
            self._schemas[schema.id] = (schema.name, schema.encoding, schema.data.decode(errors="replace"))
        elif op == Opcode.CHANNEL and (channel := _parsed(ChannelRecord, content)):
            name, encoding, text = self._schemas.get(channel.schema_id, ("", "", ""))
            self.channels[channel.id] = Channel(channel.topic, name, channel.message_encoding, encoding, text)
        elif op == Opcode.MESSAGE and len(content) >= 22:
            self._messages += 1
            number, _, log_ns, _ = struct.unpack_from("<HIQQ", content)
            if number in self.channels and wanted(self.channels[number]):
                block, start = where
                yield number, log_ns, content[22:], (block, start + 22, start + len(content))
        else:
            self._bad += op in (Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE)


def _inner_records(plain: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + 9 <= len(plain):
        op, length = struct.unpack_from("<BQ", plain, at)
        yield op, at + 9, plain[at + 9 : at + 9 + length]
        at += 9 + length


def _parsed(record: type[Record], content: bytes) -> Record | None:
    """A record of the mcap package; None where its content is damaged."""
    from mcap.data_stream import ReadDataStream

    try:
        read: Callable[[ReadDataStream], Record] = record.read  # type: ignore[attr-defined]
        return read(ReadDataStream(BytesIO(content)))
    except damage():
        return None


def _inflated(chunk: Any) -> bytes:
    """A chunk's records. Never writes more than the chunk announces, nor more than MAX_RECORD_BYTES."""
    import lz4.frame
    import zstandard

    if chunk is None or chunk.uncompressed_size > MAX_RECORD_BYTES:
        raise ValueError("its head cannot be read")
    size = chunk.uncompressed_size
    if chunk.compression == "zstd":
        with zstandard.ZstdDecompressor().stream_reader(chunk.data) as reader:
            plain = reader.read(size + 1)
    elif chunk.compression == "lz4":
        plain = lz4.frame.LZ4FrameDecompressor().decompress(chunk.data, max_length=size + 1)
    elif chunk.compression == "":
        plain = chunk.data
    else:
        raise ValueError(f"compressed with {chunk.compression[:20]!r}; zstd, lz4 or none is known")
    if len(plain) != size or (chunk.uncompressed_crc and zlib.crc32(plain) != chunk.uncompressed_crc):
        raise ValueError("its checksum or its length is wrong")
    return bytes(plain)
