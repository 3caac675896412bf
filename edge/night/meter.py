"""A destination that is paid for in advance: every call is charged to a lane of the night before it is made.

What a call costs is `edge.night.budget.wire_bytes` of what it hands over, so that what reaches the wire stays within
the night's bytes; where a lane has too few left, BudgetSpent is raised and nothing is sent. The charge is on the disk
first: a call that a crash cut short stays paid.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.manifest import FileEntry
from edge.night.budget import wire_bytes
from edge.night.nights import spend
from edge.night.queued import Lane
from edge.night.spool import Spool
from edge.upload.destination import Destination, Receipt


@dataclass(frozen=True)
class Metered:
    """`to`, charged to `lane`, which may spend `limit` wire bytes a night."""

    to: Destination
    spool: Spool
    lane: Lane
    limit: int

    def receipt(self, clip_id: str) -> Receipt | None:
        self._charge()
        return self.to.receipt(clip_id)

    def held(self, clip_id: str, name: str, entry: FileEntry) -> int:
        self._charge()
        return self.to.held(clip_id, name, entry)

    def append(self, clip_id: str, name: str, offset: int, data: bytes) -> int:
        self._charge(len(data))
        return self.to.append(clip_id, name, offset, data)

    def commit(self, clip_id: str) -> Receipt:
        self._charge()
        return self.to.commit(clip_id)

    def _charge(self, body: int = 0) -> None:
        spend(self.spool, self.lane, wire_bytes(body), self.limit)
