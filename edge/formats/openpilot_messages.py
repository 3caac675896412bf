"""What is read of an openpilot log, by kind of message, and the tables it becomes.

Only these kinds are read, and of them only the fields named here: never the driver's camera or state, never the serial
number, the VIN or the parameters of the device.

The schema is that of the package openpilot-logging. It keeps the number of a field when a name changes: `userFlag` is
today's `userBookmark`, `onroadEventsDEPRECATED` is what was called `carEvents`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from trigger.telemetry import Times, Values

Row: TypeAlias = tuple[Any, ...]
"""(t_ns, values...): int ns of the boot clock, then what `TOLD` takes from a message."""

MAX_EVENTS = 64
"""Read of one list of on-road events."""
MEASURABLE = 1e9
"""In any unit read here; what lies beyond is damage."""
MAX_TEXT = 80
FACTS = ("carParams", "initData")
"""True of the whole route; `initData` bears the time at which the route began, in every segment."""


def _calibrated_yaw(message: Any) -> Row:
    turning = message.angularVelocityCalibrated
    known = len(turning.value) > 2  # empty until localisation has begun
    return turning.value[2] if known else float("nan"), known and turning.valid


def _disabling(events: Any) -> Row:
    """Names of the events that end an engagement."""
    ending = (e for e in islice(events, MAX_EVENTS) if e.userDisable or e.softDisable or e.immediateDisable)
    return (tuple(_name(event.name) for event in ending),)


def _name(value: Any) -> str:
    """Name of an enumerated value, or its number where it is newer than the schema."""
    try:
        return str(value)
    except RuntimeError:
        return f"number {value.raw}"


def _text(*fields: str) -> Callable[[Any], Row]:
    get = attrgetter(*fields, fields[0])
    return lambda message: tuple(v[:MAX_TEXT] if isinstance(v, str) else v for v in get(message)[:-1])


_GPS = ("latitude", "longitude", "bearingDeg", "speed", "flags", "hasFix")
_FRAME = ("segmentId", "timestampSof", "timestampEof")
_WHEEL = ("steeringAngleDeg", "steeringPressed", "leftBlinker", "rightBlinker")
_PEDALS = ("gas", "gasPressed", "brakePressed", "cruiseState.enabled")
_SAFETY = ("stockFcw", "stockAeb", "espActive")

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "carState": ("vEgo", "aEgo", *_WHEEL, *_PEDALS, *_SAFETY),
    "selfdriveState": ("enabled",),
    "controlsState": ("enabledDEPRECATED",),
    "carControl": ("enabled", "latActive", "longActive"),
    "radarState": ("leadOne.status", "leadOne.dRel", "leadOne.vRel"),
    "livePose": ("angularVelocityDevice.z", "angularVelocityDevice.valid"),
    "gpsLocation": _GPS,
    "gpsLocationExternal": _GPS,
    "roadEncodeIdx": _FRAME,
    "wideRoadEncodeIdx": _FRAME,
    "qRoadEncodeIdx": _FRAME,
}
TOLD: Mapping[str, Callable[[Any], Row]] = {
    "liveLocationKalmanDEPRECATED": _calibrated_yaw,
    "onroadEvents": _disabling,
    "onroadEventsDEPRECATED": _disabling,
    "carParams": _text("wheelbase", "steerRatio", "carFingerprint"),
    "initData": _text("version"),
    "sentinel": lambda mark: (_name(mark.type),),
}
MARKS = {91: "userBookmark", 146: "bookmarkButton"}
"""Messages that say no more than their time, by the number of the union's member: the schema at hand calls the first
`userFlag` and lacks the second (`bookmarkButton @148`, less the two fields outside the union)."""


@dataclass(frozen=True)
class Table:
    """Messages of one kind, N of them.

    Attributes:
        t_ns: (N,) int64 ns of the boot clock, increasing or equal.
        fields: dotted name to values (N,) in the schema's type.
    """

    t_ns: Times
    fields: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return int(self.t_ns.size)

    def __getitem__(self, field: str) -> Values:
        """Values (N,) float64; what nothing can measure is NaN."""
        with np.errstate(invalid="ignore"):  # damaged bits can be a NaN that signals
            values = self.fields[field].astype(np.float64)
        return np.where(np.abs(values) < MEASURABLE, values, np.nan)

    def rows(self, chosen: Any) -> Table:
        return Table(self.t_ns[chosen], {name: values[chosen] for name, values in self.fields.items()})

    @staticmethod
    def of(tables: Iterable[Table]) -> Table:
        """Tables of one kind as one, at least one."""
        parts = list(tables)
        t_ns = np.concatenate([part.t_ns for part in parts])
        with np.errstate(invalid="ignore"):
            fields = {name: np.concatenate([part.fields[name] for part in parts]) for name in parts[0].fields}
        return Table(t_ns, fields).rows(np.argsort(t_ns, kind="stable"))


@dataclass(frozen=True)
class Log:
    """What one file gave, or several of one segment. `lost` is empty where it was read to its end."""

    tables: Mapping[str, Table]
    told: Mapping[str, list[Row]]
    lost: tuple[str, ...] = ()

    def table(self, kind: str) -> Table:
        """Messages of a kind in `COLUMNS` or `MARKS`; empty where there is none."""
        return self.tables.get(kind) or Table(
            np.empty(0, np.int64), {field: np.empty(0) for field in COLUMNS.get(kind, ())}
        )

    @staticmethod
    def of(logs: Iterable[Log], lost: Iterable[str]) -> Log:
        """Logs of one segment, put together; `lost` is what was lost in all."""
        tables: dict[str, list[Table]] = {}
        told: dict[str, list[Row]] = {}
        for log in logs:
            for kind, table in log.tables.items():
                tables.setdefault(kind, []).append(table)
            for kind, rows in log.told.items():
                told.setdefault(kind, []).extend(rows)
        return Log({kind: Table.of(parts) for kind, parts in tables.items()}, told, tuple(lost))

    @property
    def times(self) -> Times:
        """Of all messages but `FACTS`."""
        told = [row[0] for kind, rows in self.told.items() if kind not in FACTS for row in rows]
        return np.concatenate([np.array(told, np.int64), *(table.t_ns for table in self.tables.values())])
