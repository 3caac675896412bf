"""The drives of a night that arrived in a folder: whatever is new there, by any recorder that swerve reads.

One agent watches the folder as a car's agent watches its disk: it takes in what it has not seen yet, waits for what is
still being written, keeps to a night's bytes and to consent, and remembers what waits for another night. It goes by
the flywheel's nights, so that two of them within an hour have a night's bytes each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge.errors import EdgeError
from edge.isolate import each
from edge.night.clock import Moment, now
from edge.night.driven import Standing
from edge.night.nights import NIGHT_S
from edge.night.recovery import recover
from edge.night.spool import Spool, open_spool
from edge.night.terms import Terms
from edge.night.watch import arrived
from train.flywheel.night import Facts, Night
from train.flywheel.plan import FolderPlan
from train.flywheel.upload import service, upload

DEVICE = "folder"
"""What the service knows the agent by."""


@dataclass(frozen=True)
class Arrivals:
    """A `train.flywheel.night.Drives`."""

    plan: FolderPlan
    columns: tuple[str, ...] = ("recordings", "driven h")

    @property
    def split(self) -> str:
        return self.plan.split

    def ready(self, night: Night) -> bool:
        return self._new(night) > 0

    def drive(self, night: Night) -> Facts:
        """What the agent knows before it goes to work, and how much is new."""
        with open_spool(_queue(night)) as spool:
            recover(spool)
            before = _done(spool)
        return {"recordings": self._new(night), "before": before}

    def upload(self, night: Night) -> Facts:
        cars = [(DEVICE, Path(self.plan.drives), _queue(night))]
        with service(night.store, night.root / "service") as running:
            (told,) = upload(cars, self._terms(), running.destination_of, clock=_clock(night.number))
        before = night.known("drive")["before"]
        with open_spool(_queue(night)) as spool:
            after, kept_back = _done(spool), _kept_back(spool, before["known"])
        facts = {name: after[name] - before[name] for name in ("hours", "recorded_bytes", "clips", "bytes")}
        return {**facts, "problems": [*told.problems, *kept_back]}

    def clear(self, night: Night) -> None:
        """Nothing: the agent drops its own copies, and the recordings are their owner's."""

    def cells(self, facts: Facts) -> tuple[str, ...]:
        return str(facts["drive"]["recordings"]), f"{facts['upload']['hours']:.2f}"

    def _new(self, night: Night) -> int:
        """Raises EdgeError where the folder cannot be looked at."""
        problems: list[EdgeError] = []
        with open_spool(_queue(night)) as spool:
            found = list(arrived(Path(self.plan.drives), spool, self.plan.consent, each, problems.append))
        if problems:
            raise problems[0]
        return len(found)

    def _terms(self) -> Terms:
        plan = self.plan
        return Terms(consent=plan.consent, bytes_a_night=plan.bytes_a_night, baseline=plan.baseline, reserve=0)


def _queue(night: Night) -> Path:
    return night.root / "queue"


def _clock(number: int) -> Callable[[], Moment]:
    """Every night of the flywheel is one to the agent, and no other is."""
    return lambda: replace(now(), boot="flywheel", powered_s=number * NIGHT_S)


def _done(spool: Spool) -> dict[str, Any]:
    """All that was ever scanned and delivered, and how many recordings are known at all."""
    drives = spool.drives()
    scanned = [drive for drive in drives if drive.standing is Standing.SCANNED]
    seconds = sum(end - first for drive in scanned if drive.driven for first, end in drive.driven.recorded)
    delivered = [clip for clip in spool.clips() if clip.delivered]
    return {
        "known": len(drives),
        "hours": seconds / 3600,
        "recorded_bytes": sum(drive.source.bytes for drive in scanned),
        "clips": len(delivered),
        "bytes": sum(clip.bytes for clip in delivered),
    }


def _kept_back(spool: Spool, known: int) -> list[str]:
    """Of the recordings that are new: those that may not be used. Of what cannot be read the agent tells itself."""
    reasons = (Standing.NOT_GIVEN, Standing.WITHHELD)
    return [f"{d.source.path}: {d.standing}" for d in spool.drives()[known:] if d.standing in reasons]
