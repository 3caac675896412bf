"""Night after night: each begins with the policy that the one before released."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.durable import write_bytes
from train.flywheel.night import Facts, Night, Tell
from train.flywheel.plan import Plan, keep
from train.flywheel.table import picture


def turn(
    root: Path, plan: Plan, nights: int, tell: Tell, told: Callable[[int, Facts], None] = lambda night, facts: None
) -> list[Facts]:
    """Go on until so many nights are done; what came of each.

    Args:
        told: takes each night's number and facts when it is over, also those that were done before.

    Raises:
        FlywheelError: other terms than it was begun with, or a step that cannot be done.
    """
    root.mkdir(parents=True, exist_ok=True)
    keep(root, plan)
    done: list[Facts] = []
    policy: str | None = None
    for number in range(1, nights + 1):
        facts = Night(root, plan, number, policy, tell).turn()
        policy = facts["release"]["policy"]
        done.append(facts)
        told(number, facts)
        write_bytes(root / "flywheel.png", picture(done))
    return done
