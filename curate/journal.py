"""The journal: one line for every clip that was admitted or refused, in the order in which nights did so.

`STORE/journal.jsonl` only grows. It is read off the folders: what lies in `clips/` or `quarantine/` and is not in it
yet is appended, with tonight's time, so that a run that was killed between moving a clip and writing it down loses
nothing, and a journal that was lost is made again, with other times. All lines of a night are one write and one
fsync; a line that a power cut tore is cut off by the next.

It tells people what came when. No version depends on it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.admit import REASON, doubted_claims
from curate.shares import device_of
from curate.store import Store
from edge.durable import sync_folder
from edge.manifest import canonical_json
from edge.upload.destination import CLIPS, QUARANTINE

JOURNAL = "journal.jsonl"


@dataclass(frozen=True)
class Entry:
    """A clip that came: when (s since 1970), to which place and under which name, and from which device ("": by hand).

    Attributes:
        code, got: why it was refused, for machines and for people; empty where it was admitted.
        refuted: claims of an admitted clip that it does not bear out.
    """

    time_s: int
    place: str
    name: str
    device: str = ""
    code: str = ""
    got: str = ""
    refuted: int = 0

    @property
    def clip_id(self) -> str:
        """A refused clip may lie under its id and a random part: it can come more than once."""
        return self.name.partition(".")[0]


def note_arrivals(store: Store, now_s: int) -> list[Entry]:
    """Append what came since the last time, and return it; the second of two calls finds nothing."""
    known = {(entry.place, entry.name) for entry in read_journal(store.root)}
    arrived = [
        _entry(folder, place, now_s)
        for place in (CLIPS, QUARANTINE)
        for folder in store.folders(place)
        if (place, folder.name) not in known
    ]
    append(store.root, arrived)
    return arrived


def append(root: Path, entries: Sequence[Entry]) -> None:
    """Write entries down, safe from a power cut when this returns."""
    if not entries:
        return
    path = root / JOURNAL
    new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "r+b") as file:
        file.seek(_whole_bytes(path))
        file.truncate()
        file.write(b"".join(canonical_json(vars(entry)) + b"\n" for entry in entries))
        file.flush()
        os.fsync(file.fileno())
    if new:
        sync_folder(root)


def read_journal(root: Path) -> list[Entry]:
    """All of it, oldest first; a line that cannot be read is passed over."""
    try:
        lines = (root / JOURNAL).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return list(_entries(lines))


def _entries(lines: Sequence[bytes]) -> Iterator[Entry]:
    for line in lines:
        try:
            yield Entry(**json.loads(line))
        except (ValueError, TypeError):
            continue


def refusals(store: Store) -> list[str]:
    """Why each clip in quarantine is there, whichever night put it there."""
    return [_got(_reason(folder)) for folder in store.folders(QUARANTINE)]


def _whole_bytes(path: Path, block: int = 1 << 16) -> int:
    """Where the last whole line ends; a line has less than a block."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - block))
        return max(0, size - block) + file.read().rfind(b"\n") + 1


def _entry(folder: Path, place: str, now_s: int) -> Entry:
    if place == CLIPS:
        return Entry(now_s, place, folder.name, device_of(folder), refuted=len(doubted_claims(folder).refuted))
    reason = _reason(folder)
    device = str(reason.get("device", "")) or device_of(folder)
    return Entry(now_s, place, folder.name, device, str(reason.get("reason", "")), _got(reason)[:500])


def _got(reason: Mapping[str, Any]) -> str:
    return str(reason.get("got") or "no reason was written down")


def _reason(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / REASON).read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}
