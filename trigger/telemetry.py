"""Telemetry: what the vehicle's signals were, one row for each distinct time.

Rules:
- `t_ns` is int64 and strictly increasing; every column has its length.
- A value is NaN where its signal had no sample; an absent signal is an absent column. Nothing is filled
  forward: `samples(name)` gives a signal's own samples on its own clock, and that is what triggers see.
- Flags and control sources are stored as 0.0, 1.0, ... so that NaN can say "no sample".

It does not resample, interpolate or guess; readers decide signs and units before making one.

A recording can be longer than memory: `Recorded` is what any recording offers, and `Telemetry` is one that is whole in
memory. What can work through `blocks()` should.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trigger.problem import Problem
from trigger.signals import signal_named

Times = NDArray[np.int64]
Values = NDArray[np.float64]


MAX_AGE_S = 0.5
"""A sample of another signal older than this is not used beside the present one."""
BLOCK_ROWS = 65_536
"""Rows worked through at a time: about 11 minutes at 100 Hz."""


class TelemetryError(Problem):
    """Columns that cannot be telemetry."""


class Recorded(Protocol):
    """A recording's telemetry, wherever it is kept."""

    @property
    def span_ns(self) -> tuple[int, int] | None:
        """First and last time, int ns; None where there is no row."""

    def __len__(self) -> int:
        """Number of rows."""

    def __contains__(self, name: object) -> bool:
        """Whether the signal has a sample anywhere."""

    def __iter__(self) -> Iterator[str]:
        """Names of the signals that have a sample anywhere."""

    def blocks(self) -> Iterator[Telemetry]:
        """All rows in order of time, in pieces that fit in memory; a piece lacks what it has no sample of."""

    def between(self, start_ns: int, end_ns: int) -> Telemetry:
        """Rows with start_ns <= t < end_ns; columns left without a sample become absent."""

    def samples(self, name: str) -> tuple[Times, Values]:
        """A signal's own samples: times (M,) int64 ns and values (M,) float64, without the gaps of others."""

    def at(self, name: str, t_ns: Times, max_age_s: float) -> Values:
        """The last sample at or before each time, NaN where that is older than `max_age_s` or absent.

        Args:
            t_ns: (M,) int64 ns.

        Returns:
            (M,) float64.
        """


@dataclass(frozen=True, repr=False)
class Telemetry:
    """Signals of one drive.

    Attributes:
        t_ns: shape (N,), int64, nanoseconds on the drive's clock, strictly increasing.
        columns: signal name (see `trigger.signals.SIGNALS`) to shape (N,), float64, NaN = no sample.

    Raises:
        TelemetryError: unknown name, unequal length, times that do not increase, a column without samples.
    """

    t_ns: Times
    columns: Mapping[str, Values]

    def __post_init__(self) -> None:
        t_ns = np.ascontiguousarray(self.t_ns, dtype=np.int64)
        if t_ns.ndim != 1 or (t_ns.size > 1 and not bool((np.diff(t_ns) > 0).all())):
            raise TelemetryError(
                f"telemetry times of shape {t_ns.shape} that are not strictly increasing",
                "one row per distinct time, sorted",
                "build it with Telemetry.merge, which sorts and joins equal times",
            )
        columns = {name: _checked(name, values, t_ns.size) for name, values in self.columns.items()}
        object.__setattr__(self, "t_ns", t_ns)
        object.__setattr__(self, "columns", MappingProxyType(columns))

    def __len__(self) -> int:
        return int(self.t_ns.size)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __repr__(self) -> str:
        return f"Telemetry({len(self)} rows, {self.duration_s:.2f} s, {', '.join(self.columns) or 'no signals'})"

    @property
    def duration_s(self) -> float:
        """Seconds from the first row to the last."""
        return float(self.t_ns[-1] - self.t_ns[0]) / 1e9 if len(self) else 0.0

    @property
    def span_ns(self) -> tuple[int, int] | None:
        return (int(self.t_ns[0]), int(self.t_ns[-1])) if len(self) else None

    def blocks(self) -> Iterator[Telemetry]:
        for begin in range(0, len(self), BLOCK_ROWS):
            yield self._rows(slice(begin, begin + BLOCK_ROWS))

    def samples(self, name: str) -> tuple[Times, Values]:
        values = self.columns[name]
        missing = np.isnan(values)
        if not missing.any():
            return self.t_ns, values
        present = np.flatnonzero(~missing)
        return self.t_ns[present], values[present]

    def between(self, start_ns: int, end_ns: int) -> Telemetry:
        return self._rows(slice(*np.searchsorted(self.t_ns, [start_ns, end_ns])))

    def _rows(self, rows: slice) -> Telemetry:
        kept = {name: values[rows] for name, values in self.columns.items()}
        return Telemetry(self.t_ns[rows], {n: v for n, v in kept.items() if not np.isnan(v).all()})

    def at(self, name: str, t_ns: Times, max_age_s: float) -> Values:
        return latest(self.samples(name), t_ns, max_age_s) if name in self else np.full(np.shape(t_ns), np.nan)

    @staticmethod
    def join(parts: Sequence[Telemetry]) -> Telemetry:
        """Parts that follow one another, as one. Raises TelemetryError where they do not."""
        if len(parts) == 1:
            return parts[0]
        names = {name: None for part in parts for name in part}
        columns = {
            name: np.concatenate([p.columns[name] if name in p else np.full(len(p), np.nan) for p in parts])
            for name in names
        }
        return Telemetry(np.concatenate([part.t_ns for part in parts]), columns)

    @staticmethod
    def merge(signals: Mapping[str, tuple[Times, Values]]) -> Telemetry:
        """Join signals, each on its own clock, into one table.

        Args:
            signals: name to (times (M,) int64 ns in any order, values (M,)); of equal times of one signal
                the last is kept; NaN samples are dropped; a signal with none left becomes absent.
        """
        own: dict[str, tuple[Times, Values]] = {}
        for name, (t_ns, values) in signals.items():
            t_ns, values = np.asarray(t_ns, np.int64), np.asarray(values, np.float64)
            present = ~np.isnan(values)
            if present.any():
                own[name] = _sorted_last(t_ns[present], values[present])
        if not own:
            return Telemetry(np.empty(0, np.int64), {})
        t_all = np.unique(np.concatenate([t for t, _ in own.values()]))
        columns = {}
        for name, (t_ns, values) in own.items():
            column = np.full(t_all.size, np.nan)
            column[np.searchsorted(t_all, t_ns)] = values
            columns[name] = column
        return Telemetry(t_all, columns)


def latest(own: tuple[Times, Values], t_ns: Times, max_age_s: float) -> Values:
    """Of samples (times (M,) int64 ns, values (M,)) the last at or before each of t_ns (N,), NaN where too old."""
    own_ns, values = own
    result = np.full(np.shape(t_ns), np.nan)
    index = np.searchsorted(own_ns, t_ns, side="right") - 1
    known = index >= 0
    known[known] &= (t_ns[known] - own_ns[index[known]]) <= round(max_age_s * 1e9)
    result[known] = values[index[known]]
    return result


def _checked(name: str, values: Values, rows: int) -> Values:
    column = np.ascontiguousarray(values, dtype=np.float64)
    if signal_named(name) is None:
        raise TelemetryError(
            f"a telemetry column called {name!r}",
            "a name that trigger.signals knows",
            "map the recorder's signal to one of them, or leave it out",
        )
    if column.shape != (rows,):
        raise TelemetryError(
            f"column {name} of shape {column.shape} beside {rows} times",
            f"shape ({rows},)",
            "give one value for each time, NaN where there is none",
        )
    if np.isinf(column).any():
        raise TelemetryError(f"infinite values in {name}", "finite values or NaN", "drop them in the reader")
    column.setflags(write=False)
    return column


def _sorted_last(t_ns: Times, values: Values) -> tuple[Times, Values]:
    order = np.argsort(t_ns, kind="stable")
    t_ns, values = t_ns[order], values[order]
    last = np.append(t_ns[1:] != t_ns[:-1], True)
    return t_ns[last], values[last]
