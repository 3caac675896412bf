"""Night after night: each begins with the policy that the one before released."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

from edge.durable import write_bytes
from train.flywheel.night import Drives, Facts, Judge, Night, Tell, night_folder
from train.flywheel.plan import AnyPlan, FolderPlan, Plan, keep
from train.flywheel.table import picture


def strategies(plan: AnyPlan) -> tuple[Drives, Judge]:
    """Where drives come from and how the gate judges: all in which one flywheel differs from another."""
    from train.flywheel.arrivals import Arrivals
    from train.flywheel.held_out import HeldOut
    from train.flywheel.road_exam import RoadExam
    from train.flywheel.simulated import Simulated

    if isinstance(plan, FolderPlan):
        return Arrivals(plan), HeldOut()
    assert isinstance(plan, Plan)
    return Simulated(plan), RoadExam(plan)


def turn(
    root: Path,
    plan: AnyPlan,
    nights: int,
    tell: Tell,
    told: Callable[[int, Facts], None] = lambda night, facts: None,
) -> list[Facts]:
    """Go on until so many nights are done, or nothing is there for another; what came of each.

    Args:
        told: takes each night's number and facts when it is over, also those that were done before.

    Raises:
        FlywheelError: other terms than it was begun with, or a step that cannot be done.
    """
    root.mkdir(parents=True, exist_ok=True)
    keep(root, plan)
    drives, judge = strategies(plan)
    done: list[Facts] = []
    policy: str | None = None
    for number in range(1, nights + 1):
        night = Night(root, plan, drives, judge, number, policy, tell)
        if not (night.begun or drives.ready(night)):
            break
        facts = night.turn()
        policy = facts["release"]["policy"]
        done.append(facts)
        told(number, facts)
        write_bytes(root / "flywheel.png", picture(done, judge))
    return done


def nights_done(root: Path) -> int:
    """Of a flywheel, from the first on."""
    return next(n for n in count() if not (night_folder(root, n + 1) / "release.json").exists())
