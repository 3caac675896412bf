"""Signals that lie in messages: bytes to a message by its definition (CDR) or as JSON, then to numbers by rules.

A definition comes from the recording itself, else from ROS 2 Humble and Autoware: a recording outlives the machine it
was made on, and a foreign definition would give numbers that look right. Every message is decoded whole for the sake of
one or two fields; that is slow for large messages and needs no layout of our own.

Not covered: protobuf, ROS 1 messages, and whole arrays; an element of one has its number as a name (`axes.0`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import DriveError
from edge.formats.message import MAX_TIME_NS, Channel, Message, clock, damage, near, timed, trusted
from edge.formats.row_file import RowFile
from edge.formats.topic_mapping import Rule
from trigger.telemetry import Times, Values

NAN = float("nan")
AUTOWARE_DEFINITIONS = {
    "ControlModeReport": "builtin_interfaces/Time stamp\nuint8 mode\n",
    "SteeringReport": "builtin_interfaces/Time stamp\nfloat32 steering_tire_angle\n",
    "VelocityReport": "std_msgs/Header header\nfloat32 longitudinal_velocity\n"
    "float32 lateral_velocity\nfloat32 heading_rate\n",
}


@dataclass
class Settled:
    """What is known of a topic when all its messages are.

    Attributes:
        count: messages that count; `stamped`: of these some have a time of their own.
        by_stamps: they are timed by it.
        present: (rules,) which of the rules ever gave a value.
    """

    count: int
    stamped: bool
    by_stamps: bool
    present: NDArray[np.bool_]


class SignalTopic:
    """A topic of signals: its messages are taken one by one; settled, it gives their values back piece by piece.

    `bad` counts the messages that cannot be read, `rules` say what is taken of the others.
    """

    def __init__(self, channel: Channel, rules: tuple[Rule, ...], decode: Callable[[bytes], Any] | None) -> None:
        self.channel, self.rules, self.bad = channel, rules, 0
        self._decode, self._taken = decode, RowFile(len(rules))
        self._span_ns = (0, MAX_TIME_NS)
        self.settled = Settled(0, False, False, np.zeros(len(rules), bool))

    def take(self, message: Message) -> None:
        if self._decode is None:
            self.bad += 1
            return
        try:
            decoded = self._decode(message.data)
            stamp = _stamp(decoded)
        except damage():
            self.bad += 1
            return
        self._taken.append(*clock(message.log_ns, stamp), [self._value(decoded, rule) for rule in self.rules])

    def log_times(self) -> Iterator[Times]:
        return (log_ns for log_ns, _, _ in self._taken.pieces())

    def settle(self, first_ns: int, last_ns: int) -> int:
        """All was taken; what was logged outside [first, last] is left out. Returns how many that are."""
        self._span_ns = (first_ns, last_ns)
        count = near_ones = 0
        stamped, present = False, np.zeros(len(self.rules), bool)
        for log_ns, stamp_ns, values in self._counting():
            count, near_ones = count + log_ns.size, near_ones + int(near(log_ns, stamp_ns).sum())
            stamped |= bool(stamp_ns.any())
            present |= ~np.isnan(values).all(axis=0)
        self.settled = Settled(count, stamped, trusted(near_ones, count), present)
        return len(self._taken) - count

    def pieces(self) -> Iterator[tuple[Times, Values]]:
        """Times (N,) int64 ns in the order of the recording, and values (N, rules)."""
        for log_ns, stamp_ns, values in self._counting():
            yield timed(log_ns, stamp_ns, self.settled.by_stamps), values

    def _counting(self) -> Iterator[tuple[Times, Times, Values]]:
        for log_ns, stamp_ns, values in self._taken.pieces():
            inside = (log_ns >= self._span_ns[0]) & (log_ns <= self._span_ns[1])
            yield log_ns[inside], stamp_ns[inside], values[inside]

    def _value(self, decoded: Any, rule: Rule) -> float:
        try:
            found = _field(decoded, rule.field)
        except LookupError as error:
            if not rule.origin or len(self._taken):
                return NAN
            raise DriveError(
                f"{rule.origin}: {self.channel.topic} has no field {error.args[0]!r}",
                f"one of {error.args[1]}",
                "correct the field",
            ) from None
        if found is None or (isinstance(found, str | bytes)) or np.ndim(found) != 0:
            return NAN
        try:
            value = float(found)
            return rule.convert(value) if np.isfinite(value) else NAN
        except (TypeError, ValueError, OverflowError):
            return NAN


def _field(message: Any, dotted: str) -> Any:
    """Raises LookupError(name, what there is)."""
    for name in dotted.split("."):
        inside = message if isinstance(message, dict) else getattr(message, "__dict__", {})
        if isinstance(message, list | np.ndarray) and name.isdigit() and int(name) < len(message):
            message = message[int(name)]
        elif name in inside:
            message = inside[name]
        else:
            raise LookupError(name, ", ".join(map(str, inside)) or type(message).__name__)
    return message


def _stamp(message: Any) -> int:
    """The message's own time, int ns; 0 where it has none."""
    for dotted in ("header.stamp", "stamp", "timestamp"):
        try:
            time = _field(message, dotted)
            seconds = _field(time, "sec")
        except LookupError:
            continue
        for name in ("nanosec", "nsec"):
            try:
                return int(seconds) * 1_000_000_000 + int(_field(time, name))
            except LookupError:
                continue
    return 0


def decoder_of(channel: Channel, lost: list[str]) -> Callable[[bytes], Any] | None:
    """What turns the channel's bytes into a message; None, and a word about it, where nothing can."""
    if channel.encoding == "json":
        return lambda data: json.loads(data)
    if channel.encoding != "cdr":
        lost.append(f"{channel.topic}: messages in {channel.encoding or 'an unknown encoding'} are not read")
        return None
    try:
        store = _types(channel)
        store.get_msgdef(channel.type)
    except damage() as error:
        why = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        lost.append(f"{channel.topic}: no usable definition of {channel.type} ({why}); record it as MCAP")
        return None
    return lambda data: store.deserialize_cdr(data, channel.type)


def _types(channel: Channel) -> Any:
    """A type store that knows the channel's message, from the recording's own definition where there is one."""
    from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore

    if not re.fullmatch(r"[A-Za-z]\w*(/msg)?/[A-Za-z]\w*", channel.type, re.ASCII):
        raise ValueError(f"{channel.type[:40]!r} is not the name of a message")
    if channel.definition_format == "ros2msg":
        store = get_typestore(Stores.EMPTY)
        store.register(get_types_from_msg(channel.definition, channel.type))
        return store
    if channel.definition_format == "ros2idl":
        store = get_typestore(Stores.EMPTY)
        plain = re.sub(r"^#(include|ifndef|ifdef|define|endif|pragma).*$", "", channel.definition, flags=re.MULTILINE)
        parts = re.split(r"^=+\n(?:IDL: .*\n)?", plain, flags=re.MULTILINE)
        store.register({k: v for text in parts if text.strip() for k, v in get_types_from_idl(text).items()})
        return store
    store = get_typestore(Stores.ROS2_HUMBLE)
    package, _, name = channel.type.replace("/msg/", "/").partition("/")
    if package in ("autoware_vehicle_msgs", "autoware_auto_vehicle_msgs") and name in AUTOWARE_DEFINITIONS:
        store.register(get_types_from_msg(AUTOWARE_DEFINITIONS[name], channel.type))
    return store
