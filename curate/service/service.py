"""The parts of one service, put together: one process a state folder, so that its locks hold."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from curate.errors import StoreError
from curate.service.commit import Commits
from curate.service.identity import Registry
from curate.service.limits import Limits, Pace
from curate.service.metrics import Metrics
from curate.service.shelf import FolderShelf, open_shelf
from curate.service.state import State, typed
from curate.service.uploads import Uploads
from edge.durable import make_folder

DATABASE, ARRIVING, COPIES = "service.db", "arriving", "heads"


class Service:
    """Everything a request needs.

    Args:
        where: file:///path or s3://bucket/prefix. folder: what `state_folder` gives for it.
        now_s, monotonic_s: the clocks, s.

    Raises:
        StoreError: another process serves this store, or a disk that refuses.
    """

    def __init__(
        self,
        where: str,
        folder: Path,
        limits: Limits | None = None,
        now_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits, self.now_s = limits or Limits(), now_s
        with typed(folder):
            make_folder(folder)
            self._lock = _locked(folder)
            self.state = State(folder / DATABASE)
            self.registry = Registry(self.state, now_s)
            self.uploads = Uploads(self.state, folder / ARRIVING, self.limits, now_s)
            self.uploads.tidy()
            self.copies = folder / COPIES
            self.shelf = open_shelf(where)
            self.shelf.tidy()
        self.commits = Commits(self.state, self.uploads, self.shelf, now_s)
        self.pace = Pace(self.limits, monotonic_s)
        self.metrics = Metrics()
        self.metrics.waiting.set_function(self.waiting)

    def waiting(self) -> int:
        row = self.state.row("SELECT count(*) AS n FROM upload WHERE state = 'live'")
        return int(row["n"]) if row else 0

    def check(self) -> None:
        """Raises where no clip could be taken in now: the database, the disk or the store."""
        self.waiting()
        self.limits.check_disk(self.uploads.arriving, 0)
        self.shelf.check()

    def close(self) -> None:
        self.state.close()
        os.close(self._lock)


def state_folder(where: str, named: Path | None) -> Path:
    """Where a service keeps its state: in the store, or where it was told; a bucket needs to be told.

    Raises:
        StoreError: a bucket, and no folder named.
    """
    if named:
        return named
    if where.startswith("s3://"):
        raise StoreError(f"no state folder for {where}", "a folder on a disk of this machine", "add --state FOLDER")
    shelf = open_shelf(where)
    assert isinstance(shelf, FolderShelf)
    return shelf.root / "service"


def _locked(folder: Path) -> int:
    descriptor = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreError(f"another service uses {folder}", "one at a time", "stop it first") from None
    return descriptor
