"""The queue's rows, and the objects they stand for."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from edge.night.driven import Driven, Source, Standing
from edge.night.queued import Lane, Queued, Reason, State


@dataclass(frozen=True)
class Remembered:
    """A row of the drives.

    Attributes:
        rate: of its baseline, set before anything was drawn. tries: how often it was begun.
        silent: names of the campaigns that are not listened to in it, decided before anything of it was read.
        driven: None until the recording was opened. why: what was wrong with it.
    """

    number: int
    source: Source
    rate: float
    tries: int
    standing: Standing
    why: str
    driven: Driven | None
    silent: frozenset[str] = frozenset()


def insert(database: sqlite3.Connection, clip: Queued) -> None:
    database.execute(
        'INSERT OR IGNORE INTO clips (clip_id, folder, drive, first, "end", lane, bytes, value, state, probability,'
        " charges) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            clip.clip_id,
            clip.folder,
            clip.drive,
            clip.first,
            clip.end,
            clip.lane,
            clip.bytes,
            clip.value,
            clip.state,
            clip.probability,
            json.dumps(dict(clip.charges)),
        ),
    )


def queued_of(row: sqlite3.Row) -> Queued:
    told = dict(row)
    reason = Reason(told["reason"]) if told["reason"] else None
    typed = {"lane": Lane(told["lane"]), "state": State(told["state"]), "charges": json.loads(told["charges"])}
    return Queued(**told | typed | {"reason": reason})


def remembered_of(row: sqlite3.Row) -> Remembered:
    driven = None
    if row["identity"] is not None:
        recorded, seen = (tuple((a, b) for a, b in json.loads(row[name])) for name in ("recorded", "seen"))
        driven = Driven(row["identity"], row["seconds"], row["rate"], recorded, seen)
    source = Source(row["recorder"], row["path"], row["signature"], row["bytes"])
    standing, silent = Standing(row["standing"]), frozenset(json.loads(row["silent"] or "[]"))
    return Remembered(row["number"], source, row["rate"], row["tries"], standing, row["why"], driven, silent)
