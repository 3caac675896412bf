"""Raw CAN frames, and what a DBC file says they mean.

`edge/formats/dbc/` holds the messages that are needed of a car, as comma.ai's opendbc has them; docs/adr/0009 says why
they are read here and not by a library. Frames are decoded all at once: a minute of a car in a few milliseconds.

Read of a DBC are messages (BO_) and their signals (SG_). Not covered: multiplexed signals, floats, frames of more than
8 bytes, and names of values (VAL_).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trigger.telemetry import Times, Values

FRAME_BYTES = 8
FROM_HOST = 128
"""Buses from this number on are comma's own mark for frames that the computer sent itself."""
MESSAGE = re.compile(r"BO_ (\d+) (\w+) ?: ?(\d+) ")
SIGNAL = re.compile(r"\s*SG_ (\w+) : (\d+)\|(\d+)@([01])([+-]) \(([^,]+),([^)]+)\)")


@dataclass(frozen=True)
class CanSignal:
    """Where a value sits in a frame, as a DBC counts.

    Attributes:
        start: bit number; of its highest bit where `little` is False (Motorola), else of its lowest (Intel).
        length: in bits.
        scale, offset: value = number * scale + offset, in the DBC's unit.
    """

    start: int
    length: int
    little: bool
    signed: bool
    scale: float
    offset: float

    def read(self, frames: NDArray[np.uint8]) -> Values:
        """Values (M,) of frames (M, 8)."""
        words = np.frombuffer(frames.tobytes(), "<u8" if self.little else ">u8").astype(np.uint64)
        first = self.start // 8 * 8 + 7 - self.start % 8  # of the whole frame, counted from its first bit
        shift = self.start if self.little else 8 * FRAME_BYTES - first - self.length
        numbers = (words >> np.uint64(shift) & np.uint64((1 << self.length) - 1)).astype(np.float64)
        if self.signed:
            numbers = np.where(numbers >= 2.0 ** (self.length - 1), numbers - 2.0**self.length, numbers)
        return np.asarray(numbers * self.scale + self.offset, np.float64)


@dataclass(frozen=True)
class CanMessage:
    """`length`: bytes of a frame."""

    address: int
    length: int
    signals: Mapping[str, CanSignal]


@dataclass(frozen=True, repr=False)
class Heard:
    """Frames of one message: times (M,) int64 ns and bytes (M, 8) uint8, those past the message's length 0."""

    message: CanMessage
    t_ns: Times
    frames: NDArray[np.uint8]

    def __getitem__(self, signal: str) -> Values:
        return self.message.signals[signal].read(self.frames)

    def only(self, rows: NDArray[np.bool_]) -> Heard:
        return Heard(self.message, self.t_ns[rows], self.frames[rows])


@dataclass(frozen=True, repr=False)
class CanLog:
    """Frames in the order in which they came.

    Attributes:
        t_ns: (N,) int64.
        bus, address: (N,) int64.
        data: (N,) up to 8 bytes; zeros at the end may be missing ("S8").
    """

    t_ns: Times
    bus: NDArray[np.int64]
    address: NDArray[np.int64]
    data: NDArray[np.bytes_]

    def bus_of(self, messages: Iterable[CanMessage]) -> int | None:
        """The first bus of the car on which all of the messages are heard."""
        heard = [set(self.bus[self.address == message.address].tolist()) for message in messages]
        return min((bus for bus in set.intersection(*heard) if 0 <= bus < FROM_HOST), default=None)

    def heard(self, bus: int, message: CanMessage) -> Heard:
        rows = np.flatnonzero((self.bus == bus) & (self.address == message.address))
        frames = np.frombuffer(self.data[rows].astype("S8").tobytes(), np.uint8).reshape(-1, FRAME_BYTES).copy()
        frames[:, message.length :] = 0
        return Heard(message, self.t_ns[rows], frames)


@cache
def dbc(name: str) -> Mapping[str, CanMessage]:
    """The messages of a file of `edge/formats/dbc/` by name."""
    found: dict[str, CanMessage] = {}
    signals: dict[str, CanSignal] = {}
    for line in Path(__file__).with_name("dbc").joinpath(f"{name}.dbc").read_text(encoding="utf-8").splitlines():
        if message := MESSAGE.match(line):
            signals = {}
            found[message[2]] = CanMessage(int(message[1]), int(message[3]), signals)
        elif signal := SIGNAL.match(line):
            place, form = (int(signal[2]), int(signal[3])), (signal[4] == "1", signal[5] == "-")
            signals[signal[1]] = CanSignal(*place, *form, float(signal[6]), float(signal[7]))
    return found
