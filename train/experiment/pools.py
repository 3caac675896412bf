"""What the fleet recorded, cut into clips by the real triggers and draws; every arm chooses from the same pools.

base      random seconds of human driving on the first day: what every arm has, and the first policy learned from
random    random seconds of human driving on the second day
events    what the triggers cut on the second day, on the cars of humans and of the first policy
all       everything that humans drove on the second day
ordinary  random seconds of human driving on a third day, that nobody learns from
staged    random seconds of humans driving past rare happenings that were put there close together; labelled synthetic
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from curate.exposure import METRES_A_MILE
from edge.clip import open_clip
from edge.cut import cut
from edge.drive import open_drive
from edge.scan import scan
from train.experiment.plan import Plan
from train.flywheel.fleet import Trip, drive_all, trips
from train.flywheel.plan import Plan as Night
from trigger.baseline import KIND as BASELINE
from trigger.signals import ControlSource

GRID_NS = 100_000_000
ORDINARY = 0.05
"""Share of the third day's seconds that are drawn."""
STAGED = 0.2
"""Share of the staged drives' seconds that are drawn."""
AMPLE = 0.5
"""Random seconds are drawn at this share of the rate that would give what is needed, had a clip no more than the second
it was drawn for; clips are some seconds long."""


@dataclass(frozen=True)
class Met:
    """What the second day's cars met: events by kind, and the miles they drove. `lost`: cars that were, and why."""

    events: dict[str, int]
    miles: float
    lost: list[str]


def gather_base(root: Path, plan: Plan, advance: Callable[[int, int], None]) -> list[str]:
    """The first day: humans drive. Gives the cars that were lost, and why."""
    shutil.rmtree(root / "pools/base", ignore_errors=True)  # of a run that was cut off
    plan = _short(plan)
    recorded, lost = _drive(root, plan, 1, None, advance)
    rate = min(1.0, AMPLE * plan.base_s / (plan.cars * plan.minutes * 60))
    for trip in recorded:
        _cut(trip.folder, root / "pools/base", rate)
    shutil.rmtree(root / "drives")
    return lost


def gather_fleet(root: Path, plan: Plan, policy: Path, advance: Callable[[int, int], None]) -> Met:
    """The second day: half of the cars are driven by the first policy."""
    for pool in ("random", "events", "all"):
        shutil.rmtree(root / "pools" / pool, ignore_errors=True)
    recorded, lost = _drive(root, plan, 2, policy, advance)
    human = [trip for trip in recorded if trip.policy is None]
    rate = min(1.0, AMPLE * plan.budget_s / (max(len(human), 1) * plan.minutes * 60))
    seen = Counter(kind for trip in recorded for kind in _cut(trip.folder, root / "pools/events", 0.0))
    miles = sum(map(_miles, recorded))
    for trip in human:
        _cut(trip.folder, root / "pools/random", rate)
        _cut(trip.folder, root / "pools/all", 1.0)
    shutil.rmtree(root / "drives")
    return Met(dict(sorted(seen.items())), miles, lost)


def gather_ordinary(root: Path, plan: Plan, advance: Callable[[int, int], None]) -> list[str]:
    """The third day: humans drive, and nobody trains on it. Gives the cars that were lost, and why."""
    shutil.rmtree(root / "pools/ordinary", ignore_errors=True)
    recorded, lost = _drive(root, _short(plan), 3, None, advance)
    for trip in recorded:
        _cut(trip.folder, root / "pools/ordinary", ORDINARY)
    shutil.rmtree(root / "drives")
    return lost


def gather_staged(root: Path, plan: Plan, advance: Callable[[int, int], None]) -> list[str]:
    """Humans drive where much happens, as in an exam, but in the fleet's places. Gives the cars that were lost."""
    shutil.rmtree(root / "pools/staged", ignore_errors=True)
    recorded, lost = _drive(root, _short(plan), 4, None, advance, staged=True)
    for trip in recorded:
        _cut(trip.folder, root / "pools/staged", STAGED)
    shutil.rmtree(root / "drives")
    return lost


def _short(plan: Plan) -> Plan:
    """Enough of a day where only some seconds are looked at."""
    return replace(plan, minutes=plan.minutes / 4)


def clips_in(root: Path, pool: str) -> list[Path]:
    """Folders of a pool's clips, by the id of their content: an order that nobody chose."""
    folder = root / "pools" / pool
    found = {open_clip(path).id: path for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else {}
    return [found[clip_id] for clip_id in sorted(found)]


def kinds_of(folder: Path) -> set[str]:
    return {event.kind for event in open_clip(folder).cut.events}


@cache
def labelled_s(folder: Path) -> float:
    """Seconds of a clip's window in which a human held the wheel: what can be learned from it. A clip never changes."""
    drive, clip = open_drive(folder), open_clip(folder)
    grid = np.arange(*clip.cut.window_ns, GRID_NS)
    human = drive.telemetry.at("control_source_steering", grid, 1.0) == ControlSource.HUMAN
    return float(human.sum()) * GRID_NS / 1e9


def size_of(folders: Iterable[Path]) -> int:
    return sum(path.stat().st_size for folder in folders for path in folder.iterdir())


def _drive(
    root: Path,
    plan: Plan,
    day: int,
    policy: Path | None,
    advance: Callable[[int, int], None],
    staged: bool = False,
) -> tuple[Sequence[Trip], list[str]]:
    """What was recorded, and the cars that were lost."""
    shutil.rmtree(root / "drives", ignore_errors=True)
    terms = Night(fleet=plan.cars, minutes=plan.minutes, human=0.5, rates="stress" if staged else "natural")
    planned = [replace(trip, staged=staged) for trip in trips(terms, day, root / "drives", policy)]
    _, lost = drive_all(planned, advance)
    return [trip for trip in planned if trip.folder.is_dir()], lost


def _cut(drive: Path, pool: Path, rate: float) -> list[str]:
    """What the triggers cut where the rate is 0, else random seconds alone, whatever happens in them; the kinds."""
    found = scan(open_drive(drive), rate)
    events = tuple(event for event in found.events if (event.kind == BASELINE) == (rate > 0))
    for _ in cut(replace(found, events=events), pool):
        pass
    return [event.kind for event in events]


def _miles(trip: Trip) -> float:
    """Driven, whoever drove."""
    t_ns, speed = open_drive(trip.folder).telemetry.samples("speed_mps")
    return float(np.trapezoid(speed, t_ns / 1e9)) / METRES_A_MILE
