"""From topics to telemetry: which topics give which columns, by which clock, and their values as blocks.

What is settled when all messages were taken, and not before: the middle of the recording, from which damaged times lie
far; which topics are timed by their own stamps; and which topic gives a column that several could give. Until then
values wait in the topics (`edge.formats.message_signal`).
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import chain

import numpy as np

from edge.formats.message_camera import PictureTopic
from edge.formats.message_signal import SignalTopic
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry, Times, Values

MAX_SPAN_NS = 86_400_000_000_000
"""Messages further than a day from the recording's middle have a damaged time."""
HOUR_NS = 3_600_000_000_000
WHO_DROVE = ("control_source_steering", "control_source_speed")
HUMAN, SYSTEM, UNKNOWN = (float(s) for s in (ControlSource.HUMAN, ControlSource.SYSTEM, ControlSource.UNKNOWN))


def settle(topics: Sequence[SignalTopic | PictureTopic], lost: list[str]) -> None:
    """All was read. One damaged time would stretch a drive over years."""
    middle_ns = _middle(topics)
    for topic in topics:
        far = topic.settle(middle_ns - MAX_SPAN_NS, middle_ns + MAX_SPAN_NS)
        if far:
            lost.append(f"{topic.channel.topic}: {far} messages are more than a day from the others")


def _middle(topics: Sequence[SignalTopic | PictureTopic]) -> int:
    """When the middle message was logged, to the hour, int ns."""
    hours: Counter[int] = Counter()
    for log_ns in chain.from_iterable(topic.log_times() for topic in topics):
        for hour, count in zip(*np.unique(log_ns // HOUR_NS, return_counts=True), strict=True):
            hours[int(hour)] += int(count)
    ordered = sorted(hours)
    until = np.cumsum([hours[hour] for hour in ordered])
    return ordered[int(np.searchsorted(until, until[-1] / 2))] * HOUR_NS + HOUR_NS // 2 if ordered else 0


Columns = dict[str, tuple[SignalTopic, int]]
"""Column to the topic that gives it, and the number of the rule."""


def columns_of(topics: Sequence[SignalTopic], mapped: Collection[str], notes: list[str], lost: list[str]) -> Columns:
    """One topic a column: those the user `mapped`, then Autoware's own, then the first by name."""
    columns: Columns = {}
    for topic in sorted(topics, key=lambda t: (t.channel.topic not in mapped, _rank(t.channel.topic))):
        name, settled = topic.channel.topic, topic.settled
        for number, rule in enumerate(topic.rules):
            if not settled.present[number]:
                notes += [] if rule.optional else [f"{name} says nothing of {rule.column}"]
            elif rule.column in columns:
                notes.append(f"{rule.column} is also in {name}, which is left out")
            else:
                columns[rule.column] = (topic, number)
        if topic.bad:
            lost.append(f"{name}: {topic.bad} of {topic.bad + settled.count} messages cannot be read")
        if settled.stamped and not settled.by_stamps:
            notes.append(f"{name}: its stamps are not near the log's clock; timed by the log")
    if not _system_drove(columns):
        notes += [f"nothing says who drove ({name}): no labels" for name in WHO_DROVE if name not in columns]
    return columns


def _system_drove(columns: Columns) -> bool:
    """Whether "engaged" says who drove: where it is mapped. Our own export would have said it beside it."""
    topic, number = columns.get("engaged", (None, 0))
    return topic is not None and not topic.rules[number].optional


def blocks_of(columns: Columns) -> Iterator[Telemetry]:
    """All topics piece by piece, in the order of the times at which the pieces begin."""
    topics = {id(topic): topic for topic, _ in columns.values()}
    streams = (_pieces(topic, columns) for topic in topics.values())
    return heapq.merge(*streams, key=lambda block: int(block.t_ns[0]))


def _pieces(topic: SignalTopic, columns: Columns) -> Iterator[Telemetry]:
    own = {name: number for name, (giver, number) in columns.items() if giver is topic}
    began_ns = 0
    for t_ns, values in topic.pieces():
        signals = {name: (t_ns, values[:, number]) for name, number in own.items()}
        if "engaged" in own and _system_drove(columns):
            _who_drove(signals, columns)
        piece = Telemetry.merge(signals)
        parts = (piece.between(0, began_ns), piece.between(began_ns, 1 << 62))  # one stray must not lead the way
        yield from (part for part in parts if len(part))
        began_ns = int(parts[1].t_ns[0]) if len(parts[1]) else began_ns


def _who_drove(signals: dict[str, tuple[Times, Values]], columns: Columns) -> None:
    """Where only `engaged` is mapped, the system is taken to work both axes."""
    t_ns, engaged = signals["engaged"]
    driver = np.where(np.isnan(engaged), UNKNOWN, np.where(engaged > 0.5, SYSTEM, HUMAN))
    signals |= {name: (t_ns, driver) for name in WHO_DROVE if name not in columns}


def _rank(topic: str) -> tuple[bool, str]:
    return not topic.startswith("/vehicle/status/"), topic
