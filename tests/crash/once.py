"""One round of the agent in this one process, so that every system call of it can be made to fail."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.errors import EdgeError
from edge.night.agent import Agent
from edge.night.recovery import recover
from edge.night.spool import open_spool
from edge.night.terms import Terms
from edge.output import say
from edge.upload.destination import FolderDestination
from trigger.campaign import read

TERMS = Terms(bytes_a_night=10**11, baseline=0.05)
CAMPAIGN = read('name = "slow"\nexpression = "speed_mps < 12"\nquota_bytes = 1\n')
"""Its quota is used by the one recording: a start after a crash must listen in it as the first one did."""


def directly(job: Any, items: Any) -> Iterator[Any]:
    for item in items:
        try:
            yield job(item)
        except EdgeError as error:
            yield error


def once(watched: Path, store: Path, spool: Path) -> int:
    """Exit code: 0 all done, 2 a problem was told."""
    told: list[EdgeError] = []
    try:
        with open_spool(spool) as queue:
            recover(queue)
            to = FolderDestination(store)
            Agent(
                spool=queue,
                watched=watched,
                to=lambda: to,
                terms=TERMS,
                tell=told.append,
                unmetered=lambda: True,
                runner=directly,
                free=lambda path: 10**12,
                campaigns=lambda: (CAMPAIGN,),
            ).round()
    except EdgeError as error:
        told.append(error)
    for problem in told:
        say(problem)
    return 2 if told else 0


if __name__ == "__main__":
    sys.exit(once(*map(Path, sys.argv[1:])))
