"""Fields of many Cap'n Proto messages at once, as numpy columns.

What the library does message by message, done for all of a kind where the layout is the plainest there is: a message in
one part, structs inside structs, and of them numbers and flags whose default is 0. Texts, lists and messages in several
parts are left to the library. Every place is checked before it is read, so that damage costs its message alone.

Layout: https://capnproto.org/encoding.html. Which field lies where is asked of the library's schema.

Places count words of 8 bytes from the beginning of the data; N messages of one kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
Mask = NDArray[np.bool_]

MAX_PARTS = 64
"""Of one message; openpilot writes one."""
NO_KIND = 0xFFFF
TYPES = {"bool": "u1", "uint16": "<u2", "uint32": "<u4", "uint64": "<u8", "int32": "<i4", "int64": "<i8"} | {
    "float32": "<f4",
    "float64": "<f8",
}


@dataclass(frozen=True)
class Messages:
    """Messages of `data` in their order.

    Attributes:
        begin, end: (N,) places of the table of parts before each message, and of its end.
        kind: (N,) number of the union's member that its root holds; NO_KIND where the layout is another.
    """

    data: bytes | bytearray
    begin: Places
    end: Places
    kind: NDArray[np.uint16]

    def __len__(self) -> int:
        return int(self.begin.size)

    def __getitem__(self, chosen: Mask) -> Messages:
        return Messages(self.data, self.begin[chosen], self.end[chosen], self.kind[chosen])

    def content(self) -> bytes:
        """These messages, one after another."""
        return b"".join(self.data[8 * a : 8 * b] for a, b in zip(self.begin.tolist(), self.end.tolist(), strict=True))

    def roots(self, schema: Any) -> Structs:
        """What they are about; of those of a kind other than NO_KIND."""
        head = _view(self.data, "<u8")[self.begin + 1]
        size, pointers = _sizes(head)
        whole = np.ones(len(self), bool)
        return Structs(schema, self.data, self.begin, self.end, self.begin + 2, size, pointers, whole)


@dataclass(frozen=True)
class Structs:
    """A struct in each of N messages.

    Attributes:
        begin, end: (N,) as of its message.
        at: (N,) place of its data. size, pointers: (N,) how many words of data and pointers it has; what the message
            does not hold is 0, as its writer was older than the schema.
        whole: (N,) False where the message points to what it does not hold.
    """

    schema: Any
    data: bytes | bytearray
    begin: Places
    end: Places
    at: Places
    size: Places
    pointers: Places
    whole: Mask

    def inside(self, name: str) -> Structs:
        """The struct that a field holds."""
        field = self.schema.fields[name]
        place = self.at + self.size + field.proto.slot.offset
        present = field.proto.slot.offset < self.pointers
        pointer = np.where(present, _view(self.data, "<u8")[np.where(present, place, 0)], 0)
        at = place + 1 + (pointer.astype(np.uint32).astype(np.int32) >> 2)
        size, pointers = _sizes(pointer)
        whole = (pointer & 3 == 0) & (at > self.begin) & (at + size + pointers <= self.end)
        there = (pointer != 0) & whole
        at, size, pointers = np.where(there, at, self.begin), np.where(there, size, 0), np.where(there, pointers, 0)
        whole = (whole | (pointer == 0)) & self.whole
        return Structs(field.schema, self.data, self.begin, self.end, at, size, pointers, whole)

    def column(self, name: str) -> NDArray[Any]:
        """A field's values (N,), of the type it has in the schema."""
        slot = self.schema.fields[name].proto.slot
        kind = slot.type.which()
        values = _view(self.data, TYPES[str(kind)])
        a_word = 8 // values.itemsize
        if kind != "bool":
            return self._taken(values, a_word, slot.offset)
        flags: NDArray[Any] = self._taken(values, a_word, slot.offset // 8) >> slot.offset % 8 & 1
        return flags

    def _taken(self, values: NDArray[Any], a_word: int, offset: int) -> NDArray[Any]:
        present = offset < self.size * a_word
        found: NDArray[Any] = values[np.where(present, self.at * a_word + offset, 0)]
        found[~present] = 0
        return found


def whole_messages(data: bytes | bytearray, union_at: int) -> Messages:
    """All up to the first length that cannot be: nothing marks where the next message begins.

    Args:
        union_at: where the root says which member of its union it holds, in units of 2 bytes.
    """
    borders = np.array(_borders(data), np.int64)
    begin, end = borders[:-1], borders[1:]
    table, head = (_view(data, "<u8")[begin + n] for n in (0, 1))
    plain = (table & 0xFFFFFFFF == 0) & (head & 0xFFFFFFFF == 0)  # one part; the root lies right behind its pointer
    size, pointers = _sizes(head)
    plain &= (begin + 2 + size + pointers <= end) & (union_at < 4 * size)
    kind = _view(data, "<u2")[np.where(plain, 4 * (begin + 2) + union_at, 0)]
    return Messages(data, begin, end, np.where(plain, kind, NO_KIND).astype(np.uint16))


def _borders(data: bytes | bytearray) -> list[int]:
    """Places where messages begin, and where the last one ends."""
    halves = memoryview(data)[: len(data) // 8 * 8].cast("I")
    size, at, borders = len(halves), 0, [0]
    while at < size:
        end = at + 2 + 2 * halves[at + 1] if not halves[at] else _end(halves, at)
        if end <= at + 2 or end > size:
            break
        at = end
        borders.append(at // 2)
    return borders


def _end(halves: memoryview[int], at: int) -> int:
    """Where a message of several parts ends; `at` where their table cannot be."""
    parts = halves[at] + 1
    head = parts // 2 * 2 + 2
    if parts > MAX_PARTS or at + head > len(halves):
        return at
    return at + head + 2 * sum(halves[at + 1 : at + 1 + parts])


def _sizes(pointer: NDArray[np.uint64]) -> tuple[Places, Places]:
    """Words of data and number of pointers of the struct it points to."""
    return (pointer >> 32 & 0xFFFF).astype(np.int64), (pointer >> 48).astype(np.int64)


def _view(data: bytes | bytearray, type_: str) -> NDArray[Any]:
    return np.frombuffer(data, type_, len(data) // 8 * (8 // np.dtype(type_).itemsize))
