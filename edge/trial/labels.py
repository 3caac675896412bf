"""Labels: the moments of recorded drives that somebody would have called so by looking, for precision and recall.

    [rules]                      # a kind to one sentence: what was called so
    launch = "After standing for 3 s or longer ..."

    [[drive]]
    id = "udacity-642584ad138d"  # Drive.id
    judged = ["launch"]          # the kinds that were looked for; of others the labels say nothing
    seconds = [[0, 221]]         # where they were looked for, in seconds from the drive's second 0

    [[drive.moment]]             # in order of start_s
    kind = "launch"
    start_s = 12.3
    end_s = 16.0
    doubtful = false             # true: counts neither as there nor as absent
    why = "stands at a light, 6 m/s after 3 s"

A kind is known by its rule: labels may name triggers of one's own, and a name misspelt in one place is found. Whatever
else is not as above is refused with its place; a label that is quietly left out would be counted as an absent moment.

Not here: comparing labels with events, and opening the drives.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from edge.errors import LabelError

Span = tuple[float, float]
LATEST_S = 1e9


@dataclass(frozen=True)
class Moment:
    """One labelled moment, [start_s, end_s] in s from the drive's second 0."""

    kind: str
    start_s: float
    end_s: float
    doubtful: bool
    why: str


@dataclass(frozen=True)
class LabelledDrive:
    """What was found in one drive.

    Attributes:
        id: `Drive.id` of the recording.
        judged: kinds that were looked for.
        seconds: spans in which they were looked for, in order and apart, s from the drive's second 0.
        moments: what was found there, in order of start.
    """

    id: str
    judged: tuple[str, ...]
    seconds: tuple[Span, ...]
    moments: tuple[Moment, ...]


def read_labels(path: Path) -> tuple[LabelledDrive, ...]:
    """All labelled drives of a file, in its order.

    Raises:
        LabelError: not TOML, or something in it that is not a label as described above.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise LabelError(f"{path} cannot be read as TOML: {error}", "a file of labels", "correct it") from error
    file = str(path)
    _check_keys(file, data, {"rules", "drive"})
    _check_keys(f"{file}, rules", data["rules"], None)
    for kind, rule in data["rules"].items():
        _text(f"{file}, rules", kind, rule)
    tables = _list(file, "drive", data["drive"])
    drives = tuple(_drive(f"{file}, drive {n}", table, data["rules"]) for n, table in enumerate(tables, start=1))
    _check_once(file, "drive", [drive.id for drive in drives])
    unused = set(data["rules"]) - {kind for drive in drives for kind in drive.judged}
    if unused:
        _refuse(f"{file}, rules", f"no drive was judged for {_words(unused)}", "rules of judged kinds only")
    return drives


def _drive(where: str, table: Any, rules: Iterable[str]) -> LabelledDrive:
    _check_keys(where, table, {"id", "judged", "seconds"}, {"moment"})
    judged = tuple(_text(where, "judged", kind) for kind in _list(where, "judged", table["judged"]))
    _check_once(where, "judged", judged)
    unknown = set(judged) - set(rules)
    if unknown:
        _refuse(where, f"judged has {_words(unknown)}", f"kinds that have a rule: {_words(rules)}")
    seconds = tuple(_span(where, "seconds", span) for span in _list(where, "seconds", table["seconds"]))
    if any(before[1] > after[0] for before, after in pairwise(seconds)):
        _refuse(where, f"seconds is {table['seconds']}", "spans in order that do not overlap")
    tables = _list(where, "moment", table.get("moment", []), may_be_empty=True)
    moments = tuple(
        _moment(f"{where}, moment {n}", moment, judged, seconds) for n, moment in enumerate(tables, start=1)
    )
    for number, (before, after) in enumerate(pairwise(moments), start=2):
        if after.start_s < before.start_s:
            _refuse(f"{where}, moment {number}", f"it starts at {after.start_s} s", f"{before.start_s} s or later")
    return LabelledDrive(_text(where, "id", table["id"]), judged, seconds, moments)


def _moment(where: str, table: Any, judged: tuple[str, ...], seconds: tuple[Span, ...]) -> Moment:
    _check_keys(where, table, {"kind", "start_s", "end_s", "doubtful", "why"})
    kind = _text(where, "kind", table["kind"])
    if kind not in judged:
        _refuse(where, f"kind is {kind!r}", f"a kind the drive was judged for: {_words(judged)}")
    start_s, end_s = _span(where, "start_s, end_s", [table["start_s"], table["end_s"]])
    if not any(first <= start_s and end_s <= last for first, last in seconds):
        _refuse(where, f"it lasts from {start_s} to {end_s} s", "a moment within one span of seconds")
    if not isinstance(table["doubtful"], bool):
        _refuse(where, f"doubtful is {table['doubtful']!r}", "true or false")
    return Moment(kind, start_s, end_s, table["doubtful"], _text(where, "why", table["why"]))


def _check_keys(where: str, table: Any, needed: set[str] | None, allowed: Iterable[str] = ()) -> None:
    """`needed` is None where any key will do."""
    if not isinstance(table, dict):
        _refuse(where, f"it is {table!r}", "a table")
    keys = set(table)
    if needed is not None and (needed - keys or keys - needed - set(allowed)):
        _refuse(where, f"it has {_words(keys)}", f"{_words(needed)}{''.join(f', may have {k}' for k in allowed)}")


def _check_once(where: str, key: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            _refuse(where, f"{key} has {name!r} twice", "each once")
        seen.add(name)


def _list(where: str, key: str, value: Any, *, may_be_empty: bool = False) -> list[Any]:
    if not isinstance(value, list) or not (value or may_be_empty):
        _refuse(where, f"{key} is {value!r}", "a list that is not empty")
    return list(value)


def _text(where: str, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        _refuse(where, f"{key} is {value!r}", "a text that is not empty")
    return value


def _span(where: str, key: str, value: Any) -> Span:
    """Two finite numbers >= 0 that rise."""
    numbers = value if isinstance(value, list) and len(value) == 2 else []
    if not numbers or not all(type(n) in (int, float) and -LATEST_S < n < LATEST_S for n in numbers):
        _refuse(where, f"{key} is {value!r}", "two numbers, in s")
    start_s, end_s = (float(n) for n in numbers)
    if not 0 <= start_s < end_s:
        _refuse(where, f"{key} is {start_s} to {end_s} s", "0 s or later, and an end after the start")
    return start_s, end_s


def _words(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _refuse(where: str, got: str, wanted: str) -> NoReturn:
    raise LabelError(f"{where}: {got}", wanted, "correct the file of labels")
