"""A store: the folder in which clips arrive, are admitted, and become dataset versions.

arriving/   half-sent clips           inbox/       whole clips, not yet looked at
clips/      admitted, by clip id      quarantine/  refused, each with reason.json; never deleted
versions/   published datasets        cache/       what can be made again
campaigns/  those that were published, ended ones and former revisions too: claims are checked by them
journal.jsonl  what came when         reports/    a page for every version
made/       what was made of a clip   readmitted/ what somebody let pass, and why
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curate.errors import StoreBusy, StoreError
from edge.trial.campaigns import ever_published
from edge.upload.destination import CLIPS, INBOX, QUARANTINE
from trigger.campaign import Campaign


@dataclass(frozen=True)
class Store:
    """`patient`: whether a run that finds another at work waits for it to end."""

    root: Path
    patient: bool = False

    def folders(self, place: str) -> list[Path]:
        """Clips in `inbox`, `clips` or `quarantine`, sorted by id."""
        folder = self.root / place
        return sorted(p for p in folder.iterdir() if p.is_dir() and p.name[0] != ".") if folder.is_dir() else []

    def campaigns(self) -> tuple[Campaign, ...]:
        """Every revision that was published. Raises CampaignFileError where one cannot be followed."""
        return ever_published(self.root / "campaigns")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one nightly run at a time; the lock goes with the process, also when it is killed."""
        descriptor = os.open(self.root / ".lock", os.O_CREAT | os.O_RDWR, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if self.patient else fcntl.LOCK_NB))
            except BlockingIOError:
                raise StoreBusy(
                    f"another run works on {self.root}", "one at a time", "wait for it to end, or use --wait"
                ) from None
            yield
        finally:
            os.close(descriptor)


def open_store(root: Path, patient: bool = False) -> Store:
    """Raises StoreError where no clip was ever handed over."""
    if not any((root / place).is_dir() for place in (INBOX, CLIPS, QUARANTINE)):
        raise StoreError(
            f"{root} is not a store", "a folder that clips were pushed to", "run: swerve edge push CLIPS --to STORE"
        )
    return Store(root, patient)
