"""A piece of telemetry, and what the expressions that are evaluated on it have found so far, each thing once.

Rules:
- A signal and a windowed operator have samples of their own, on a clock. Other operators have none: they are
  evaluated on the union of the clocks of what they take in, each of which counts there as its latest sample, no older
  than `MAX_AGE_S`. So `a + (b + c)` is `(a + b) + c`.
- A value at t depends on the samples in [t - lookback_s, t] alone, to the last bit; so where only the values from some
  time on are asked for, each part is evaluated no further back than these need.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

import numpy as np

from trigger.language.operators import known_or_not
from trigger.telemetry import MAX_AGE_S, Telemetry, Times, Values, latest
from trigger.windows import Window

KEPT_BYTES = 6 << 20
"""Most that the expressions evaluated on one piece keep for each other."""
EVER_NS = -(1 << 62)


class Sized(Protocol):
    """What can be kept."""

    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=Sized)


class Clock:
    """Times of samples, (N,) int64 ns, strictly increasing. Two are known to be the same if they are one object."""

    def __init__(self, t_ns: Times) -> None:
        self.t_ns = t_ns
        self.nbytes = t_ns.nbytes


@dataclass(frozen=True)
class Samples:
    """Values (N,) at the times of a clock."""

    clock: Clock
    values: Values

    @property
    def nbytes(self) -> int:
        return self.values.nbytes


class Node(Protocol):
    """A part of an expression.

    Attributes:
        text: the same for equal parts of any two expressions, and for no others.
        sampled: the parts that have samples of their own, down to the first on each path.
        signals: names of all it reads.
        lookback_s: of its values on the union of the clocks of `sampled`.
    """

    @property
    def text(self) -> str: ...
    @property
    def sampled(self) -> tuple[Sampled, ...]: ...
    @property
    def signals(self) -> frozenset[str]: ...
    @property
    def lookback_s(self) -> float: ...

    def on(self, values: Mapping[str, Values]) -> Values:
        """Values (N,) on a clock, given those of each of `sampled`, by its text, on the same."""


class Sampled(Node, Protocol):
    """A part with samples of its own; `condition` says whether they are those of a condition."""

    @property
    def condition(self) -> bool: ...

    def samples(self, piece: Piece, since_ns: int) -> Samples:
        """Its samples from `since_ns` on."""


class Piece:
    """A piece of telemetry, and what expressions have found on it so far."""

    def __init__(self, telemetry: Telemetry, since_ns: int) -> None:
        self.telemetry, self.since_ns = telemetry, since_ns
        self._kept: dict[Hashable, Sized] = {}
        self._passing: dict[Hashable, Sized] = {}
        self._room = KEPT_BYTES

    def evaluate_whole(self, root: Node) -> Samples:
        """An expression's values from `since_ns` on; what was found on the way and has no room is forgotten."""
        samples = self.evaluate(root, self.since_ns)
        self._passing.clear()
        return samples

    def evaluate(self, node: Node, since_ns: int) -> Samples:
        """A part's values from a time on, at the union of the clocks of what it takes in."""
        oldest_ns = max(EVER_NS, since_ns - round(MAX_AGE_S * 1e9))
        parts = [(part, self.samples(part, oldest_ns)) for part in node.sampled]
        together = self._union(frozenset(own.clock for _, own in parts))
        clock = self._clock_since(together, since_ns)
        return Samples(clock, node.on({part.text: self._at(part, own, together, clock) for part, own in parts}))

    def samples(self, part: Sampled, since_ns: int) -> Samples:
        return self._once((part.text, since_ns), lambda: part.samples(self, since_ns))

    def since(self, samples: Samples, since_ns: int) -> Samples:
        """What is left of samples from a time on."""
        clock = self._clock_since(samples.clock, since_ns)
        return Samples(clock, _last(clock.t_ns.size, samples.values))

    def clock(self, t_ns: Times) -> Clock:
        return self._once(t_ns.tobytes(), lambda: Clock(t_ns))

    def window(self, clock: Clock, s: float) -> Window:
        return self._once((clock, s), lambda: Window(clock.t_ns, s))

    def _clock_since(self, clock: Clock, since_ns: int) -> Clock:
        if since_ns <= EVER_NS:
            return clock
        return self._once((clock, since_ns), lambda: self.clock(clock.t_ns[clock.t_ns.searchsorted(since_ns) :]))

    def _union(self, clocks: frozenset[Clock]) -> Clock:
        return next(iter(clocks)) if len(clocks) == 1 else self._once(clocks, lambda: _union(clocks))

    def _at(self, part: Sampled, own: Samples, together: Clock, clock: Clock) -> Values:
        """A part's latest samples at the times of a clock, which is the end of one that holds them all."""
        if own.clock is together:
            return _last(clock.t_ns.size, own.values)
        return self._once((part.text, own.clock, clock), lambda: _brought(own, clock, part.condition))

    def _once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once for the piece or, where there is no room to keep it, for the expression."""
        for found in (self._kept, self._passing):
            if key in found:
                return cast(T, found[key])
        made = make()
        if made.nbytes <= self._room:
            self._room -= made.nbytes
            self._kept[key] = made
        else:
            self._passing[key] = made
        return made


def _last(count: int, values: Values) -> Values:
    return values[values.size - count :]


def _union(clocks: frozenset[Clock]) -> Clock:
    t_ns = np.sort(np.concatenate([clock.t_ns for clock in clocks]), kind="stable")  # stable: merges what is sorted
    t_ns = t_ns[np.append(t_ns[1:] != t_ns[:-1], True)] if t_ns.size else t_ns
    return next((clock for clock in clocks if clock.t_ns.size == t_ns.size), Clock(t_ns))


def _brought(own: Samples, clock: Clock, condition: bool) -> Values:
    values = latest((own.clock.t_ns, own.values), clock.t_ns, MAX_AGE_S)
    return known_or_not(values) if condition else values
