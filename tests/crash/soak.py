"""Kill the agent at random, again and again, on one growing state; nothing may be torn or lost at any time.

    python tests/crash/soak.py [--cycles 200] [--seed 1]

Each cycle puts one more recording into the watched folder and starts `swerve edge run`, with its child process, as a
car does; after a random while the whole is killed. In the end it runs undisturbed, and every clip of every recording
must be in the store, once.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from car import Car
from recording import write_recording

from edge.night.queued import Reason
from edge.night.spool import read_spool

LONGEST_S = 4.0


def start(car: Car) -> subprocess.Popen[bytes]:
    command = ["-m", "swerve", "edge", "run", car.watched, "--to", car.store, "--spool", car.spool]
    return subprocess.Popen(
        [sys.executable, *command, "--once", "--baseline", "0.05", "--reserve-gb", "0"], start_new_session=True
    )


def soak(car: Car, cycles: int, luck: random.Random) -> int:
    """How many cycles ended with a kill. Raises SystemExit at the first violation."""
    killed = 0
    for cycle in range(cycles):
        write_recording(car.watched / f"drive-{cycle}", f"drive-{cycle}")
        agent = start(car)
        try:
            agent.wait(luck.uniform(0.0, LONGEST_S))
        except subprocess.TimeoutExpired:
            os.killpg(agent.pid, signal.SIGKILL)
            agent.wait()
            killed += 1
        check(cycle, list(car.torn()))
    done = start(car).wait()
    check(cycles, [f"the last round ended with {done}"] if done else list(car.torn()))
    with read_spool(car.spool) as spool:
        clips, drives = spool.clips(), spool.drives()
    ended = car.outcome()
    check(cycles, [f"{c.folder} was not delivered" for c in clips if c.reason is not Reason.DELIVERED])
    check(cycles, [] if len(drives) == cycles else [f"{len(drives)} recordings known, not {cycles}"])
    check(cycles, [] if set(ended.offers) == {c.clip_id for c in clips} else ["the store holds other clips"])
    check(cycles, [f"{d} does not add up" for d, seconds, fates in ended.ledger if sum(fates.values()) != seconds])
    print(f"{len(clips)} clips of {len(drives)} recordings, every one delivered once")
    return killed


def check(cycle: int, wrong: list[str]) -> None:
    if wrong:
        raise SystemExit("\n".join([f"cycle {cycle}:", *wrong]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="swerve-soak-") as folder:
        car = Car(Path(folder), Path(folder) / "watched")
        killed = soak(car, chosen.cycles, random.Random(chosen.seed))
    print(f"{chosen.cycles} cycles, {killed} killed, 0 violations")


if __name__ == "__main__":
    main()
