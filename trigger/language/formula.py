"""A checked expression as a tree: numbers, signals, and operators with and without a window.

A tree knows neither units nor the text it was written in: `trigger.language.check` has checked them. How it is
evaluated on a piece of telemetry is in `trigger.language.piece`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from trigger.language.operators import flag
from trigger.language.piece import EVER_NS, Node, Piece, Sampled, Samples
from trigger.telemetry import MAX_AGE_S, Values
from trigger.windows import Window


@dataclass(frozen=True, slots=True)
class Number:
    """A number, in the unit in which it is used."""

    value: float
    sampled: tuple[Sampled, ...] = field(default=(), init=False)
    signals: frozenset[str] = field(default=frozenset(), init=False)
    lookback_s: float = field(default=0.0, init=False)

    @property
    def text(self) -> str:
        return repr(self.value)

    def on(self, values: Mapping[str, Values]) -> Values:
        return np.asarray(self.value, np.float64)


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal; a flag is a condition."""

    text: str
    condition: bool
    lookback_s: float = field(default=0.0, init=False)

    @property
    def sampled(self) -> tuple[Sampled, ...]:
        return (self,)

    @property
    def signals(self) -> frozenset[str]:
        return frozenset({self.text})

    def on(self, values: Mapping[str, Values]) -> Values:
        return values[self.text]

    def samples(self, piece: Piece, since_ns: int) -> Samples:
        if since_ns > EVER_NS:
            return piece.since(piece.samples(self, EVER_NS), since_ns)
        if self.text not in piece.telemetry:
            return Samples(piece.clock(np.empty(0, np.int64)), np.empty(0))
        t_ns, values = piece.telemetry.samples(self.text)
        return Samples(piece.clock(t_ns), flag(values) if self.condition else values)


@dataclass(frozen=True, slots=True)
class Windowed:
    """An operator that asks for the last `s` seconds of its argument, and has a value at each time of it.

    `reach_s` is how far before t it looks, in all, for its value at t.
    """

    text: str
    operator: Callable[[Window, Values], Values]
    argument: Node
    s: float
    reach_s: float
    condition: bool

    @staticmethod
    def make(
        name: str,
        operator: Callable[[Window, Values], Values],
        argument: Node,
        s: float,
        reach_s: float,
        *,
        condition: bool,
    ) -> Windowed:
        """`name` must say all that `operator` does."""
        return Windowed(f"{name}({argument.text}, {s!r})", operator, argument, s, reach_s, condition)

    @property
    def sampled(self) -> tuple[Sampled, ...]:
        return (self,)

    @property
    def signals(self) -> frozenset[str]:
        return self.argument.signals

    @property
    def lookback_s(self) -> float:
        return self.reach_s + self.argument.lookback_s

    def on(self, values: Mapping[str, Values]) -> Values:
        return values[self.text]

    def samples(self, piece: Piece, since_ns: int) -> Samples:
        given = piece.evaluate(self.argument, max(EVER_NS, since_ns - round(self.reach_s * 1e9)))
        values = self.operator(piece.window(given.clock, self.s), given.values)
        return piece.since(Samples(given.clock, values), since_ns)


@dataclass(frozen=True, slots=True)
class Pointwise:
    """An operator that asks for the present values of its arguments alone."""

    text: str
    operator: Callable[..., Values]
    arguments: tuple[Node, ...]
    sampled: tuple[Sampled, ...]
    lookback_s: float

    @staticmethod
    def make(name: str, operator: Callable[..., Values], *arguments: Node) -> Pointwise:
        """`name` must say all that `operator` does."""
        sampled = {part.text: part for argument in arguments for part in argument.sampled}
        meeting_s = MAX_AGE_S if len(sampled) > 1 else 0.0
        return Pointwise(
            text=f"{name}({', '.join(argument.text for argument in arguments)})",
            operator=operator,
            arguments=arguments,
            sampled=tuple(sampled.values()),
            lookback_s=max((part.lookback_s for part in sampled.values()), default=0.0) + meeting_s,
        )

    @property
    def signals(self) -> frozenset[str]:
        return frozenset().union(*(part.signals for part in self.sampled))

    def on(self, values: Mapping[str, Values]) -> Values:
        return self.operator(*[argument.on(values) for argument in self.arguments])
