"""Nights, and the bytes they may still spend: written down before they are sent, so that no crash frees them again.

A night begins when uploads become allowed and 20 h have passed since the last one began (`edge.night.clock.elapsed_s`);
its bytes last until the next begins, however often the car is switched off and on.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from edge.errors import BudgetSpent
from edge.night.clock import Moment, elapsed_s
from edge.night.queued import Lane
from edge.night.spool import Spool

NIGHT_S = 20 * 3600.0
"""Shorter than a day, so that a window which opens somewhat earlier than yesterday's begins a night, too."""


@dataclass(frozen=True)
class Night:
    """One night and what was spent of its bytes, in wire bytes."""

    number: int
    baseline_spent: int
    event_spent: int

    def spent(self, lane: Lane) -> int:
        return self.baseline_spent if lane is Lane.BASELINE else self.event_spent


def tick(spool: Spool, moment: Moment) -> float:
    """Write down that the machine is on, and return all time it was seen on, in s. Kept for every boot."""
    with spool.change() as database:
        database.execute(
            "INSERT INTO boots VALUES (?, ?, ?) ON CONFLICT (boot) DO UPDATE SET last_s = max(last_s, excluded.last_s)",
            (moment.boot, moment.powered_s, moment.powered_s),
        )
        return float(database.execute("SELECT sum(last_s - first_s) FROM boots").fetchone()[0])


def last_night(spool: Spool) -> Night | None:
    row = _last(spool)
    return Night(row["number"], row["baseline_spent"], row["event_spent"]) if row else None


def tonight(spool: Spool, moment: Moment) -> Night:
    """The night that `moment` belongs to; begun now where the last one is over."""
    total_s = tick(spool, moment)
    row = _last(spool)
    if row is None or _elapsed_s(row, moment, total_s) >= NIGHT_S:
        with spool.change() as database:
            database.execute(
                "INSERT INTO nights (boot, powered_s, wall_s, total_s) VALUES (?,?,?,?)",
                (moment.boot, moment.powered_s, moment.wall_s, total_s),
            )
        row = _last(spool)
    assert row is not None
    return Night(row["number"], row["baseline_spent"], row["event_spent"])


def spend(spool: Spool, lane: Lane, wire: int, limit: int) -> None:
    """Take bytes from a lane of the night that runs. Raises BudgetSpent, and takes none, where too few are left."""
    column = f"{lane}_spent"
    with spool.change() as database:
        taken = database.execute(
            f"UPDATE nights SET {column} = {column} + ? WHERE number = (SELECT max(number) FROM nights)"
            f" AND {column} + ? <= ?",
            (wire, wire, limit),
        )
    if not taken.rowcount:
        raise BudgetSpent(f"no {wire} bytes left for {lane} clips", f"{limit} in one night", "wait for the next night")


def _last(spool: Spool) -> sqlite3.Row | None:
    rows = spool.rows("SELECT * FROM nights ORDER BY number DESC LIMIT 1")
    return rows[0] if rows else None


def _elapsed_s(begun: sqlite3.Row, moment: Moment, total_s: float) -> float:
    since = Moment(begun["boot"], begun["powered_s"], begun["wall_s"], 0)
    return elapsed_s(since, begun["total_s"], moment, total_s)
