"""What the fleet recorded, cut into clips by the real triggers and draws; every arm chooses from the same pools.

base      random seconds of human driving on the first day: what every arm has, and the first policy learned from
random    random seconds of human driving on the second day
events    what the triggers cut on the second day, on the cars of humans and of the first policy
all       everything that humans drove on the second day
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge.clip import open_clip
from edge.cut import cut
from edge.drive import open_drive
from edge.scan import scan
from train.experiment.plan import Plan
from train.flywheel.fleet import Trip, drive_all, trips
from train.flywheel.plan import Plan as Night
from trigger.baseline import KIND as BASELINE
from trigger.signals import ControlSource

POOLS = ("base", "random", "events", "all")
GRID_NS = 100_000_000
AMPLE = 0.5
"""Random seconds are drawn at this share of the rate that would give what is needed, had a clip no more than the second
it was drawn for; clips are some seconds long."""


def gather_base(root: Path, plan: Plan, advance: Callable[[int, int], None]) -> None:
    """The first day: humans drive."""
    shutil.rmtree(root / "pools/base", ignore_errors=True)  # of a run that was cut off
    recorded = _drive(root, plan, 1, None, advance)
    rate = min(1.0, AMPLE * plan.base_s / (plan.cars * plan.minutes * 60))
    for trip in recorded:
        _cut(trip.folder, root / "pools/base", rate)
    shutil.rmtree(root / "drives")


def gather_fleet(root: Path, plan: Plan, policy: Path, advance: Callable[[int, int], None]) -> None:
    """The second day: half of the cars are driven by the first policy."""
    for pool in ("random", "events", "all"):
        shutil.rmtree(root / "pools" / pool, ignore_errors=True)
    recorded = _drive(root, plan, 2, policy, advance)
    human = [trip for trip in recorded if trip.policy is None]
    rate = min(1.0, AMPLE * plan.budget_s / (max(len(human), 1) * plan.minutes * 60))
    for trip in recorded:
        _cut(trip.folder, root / "pools/events", 0.0)
    for trip in human:
        _cut(trip.folder, root / "pools/random", rate)
        _cut(trip.folder, root / "pools/all", 1.0)
    shutil.rmtree(root / "drives")


def clips_in(root: Path, pool: str) -> list[Path]:
    """Folders of a pool's clips, by the id of their content: an order that nobody chose."""
    folder = root / "pools" / pool
    found = {open_clip(path).id: path for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else {}
    return [found[clip_id] for clip_id in sorted(found)]


def kinds_of(folder: Path) -> set[str]:
    return {event.kind for event in open_clip(folder).cut.events}


def labelled_s(folder: Path) -> float:
    """Seconds of a clip's window in which a human held the wheel: what can be learned from it."""
    drive, clip = open_drive(folder), open_clip(folder)
    grid = np.arange(*clip.cut.window_ns, GRID_NS)
    human = drive.telemetry.at("control_source_steering", grid, 1.0) == ControlSource.HUMAN
    return float(human.sum()) * GRID_NS / 1e9


def size_of(folders: Iterable[Path]) -> int:
    return sum(path.stat().st_size for folder in folders for path in folder.iterdir())


def _drive(
    root: Path, plan: Plan, day: int, policy: Path | None, advance: Callable[[int, int], None]
) -> Sequence[Trip]:
    shutil.rmtree(root / "drives", ignore_errors=True)
    terms = Night(fleet=plan.cars, minutes=plan.minutes, human=0.5, rates="natural")
    planned = trips(terms, day, root / "drives", policy)
    drive_all(planned, advance)
    return [trip for trip in planned if trip.folder.is_dir()]


def _cut(drive: Path, pool: Path, rate: float) -> None:
    """What the triggers cut where the rate is 0, else random seconds alone, whatever happens in them."""
    found = scan(open_drive(drive), rate)
    events = tuple(event for event in found.events if (event.kind == BASELINE) == (rate > 0))
    for _ in cut(replace(found, events=events), pool):
        pass
