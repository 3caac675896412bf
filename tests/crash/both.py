"""Kill car and service at random, again and again, on one growing state; nothing is torn, lost or there twice, ever.

    python tests/crash/both.py [--kills 1000] [--clips 10000] [--folder F] [--minutes M] [--seed N]

Each cycle puts new clips into the car's queue, starts whichever process is dead (the agent, and the service on a real
socket), and after a random while ends one or both with SIGKILL. After each kill: what appeared in the inbox is whole,
what the car counts as delivered is there, and every other clip is still on the car. When there were enough kills and
clips in the inbox, both run undisturbed until all is delivered, and everything is checked once more. With --folder the
state stays, and a run that --minutes ended is gone on with by the next.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from multiprocessing.context import ForkProcess
from pathlib import Path

from car import directly
from makers.clips import write_clip
from serving import FORK, car_at, listening, register, serving

import edge.night.sending  # noqa: F401  so that a fork has it
from curate.service.state import State
from edge.clip import open_clip
from edge.errors import EdgeError
from edge.night.agent import Agent
from edge.night.queued import Reason
from edge.night.recovery import recover
from edge.night.spool import CLIPS, open_spool, read_spool
from edge.night.terms import Terms
from edge.output import say
from edge.upload.device_key import DeviceKey, new_device_key, read_device_key

TERMS = Terms(bytes_a_night=10**14, baseline=0.5)
WAITING = 60
"""Clips that wait on the car when a cycle begins: more than it sends before it is killed."""
LONGEST_S = 2.0


@dataclass
class Count:
    """How far it has got."""

    cycles: int = 0
    kills_car: int = 0
    kills_service: int = 0
    made: dict[str, str] = field(default_factory=dict)
    """Clip id to the name of its folder on the car."""

    @property
    def kills(self) -> int:
        return self.kills_car + self.kills_service


class World:
    """One car and one service, and what has been seen of them."""

    def __init__(self, root: Path) -> None:
        self.root, self.store, self.spool = root, root / "store", root / "spool"
        self.key = self._key()
        self.listening = listening()
        self.service: ForkProcess | None = None
        self.car: ForkProcess | None = None
        self.whole: set[str] = set()
        (root / "watched").mkdir(exist_ok=True)
        (self.spool / CLIPS).mkdir(parents=True, exist_ok=True)
        kept = root / "count.json"
        self.count = Count(**json.loads(kept.read_text())) if kept.exists() else Count()

    def _key(self) -> DeviceKey:
        pem = self.root / "car.pem"
        if pem.exists():
            return read_device_key("car-1", pem)
        key = new_device_key("car-1", pem)
        register(self.store, [key])
        return key

    def cut(self, number: int) -> None:
        """New clips on the car, each there at once."""
        for n in range(len(self.count.made), len(self.count.made) + number):
            made = self.root / f"made-{n}"
            clip_id = write_clip(made, n)
            self.count.made[clip_id] = f"clip-{n}"
            made.rename(self.spool / CLIPS / f"clip-{n}")

    def start(self) -> None:
        if not (self.service and self.service.is_alive()):
            self.service = serving(self.store, self.listening)
        if not (self.car and self.car.is_alive()):
            self.car = FORK.Process(target=self._drive, daemon=True)
            self.car.start()

    def _drive(self) -> None:
        to = car_at(self.listening.getsockname()[1], self.key)
        with open_spool(self.spool) as queue:
            recover(queue)
            agent = Agent(
                queue, self.root / "watched", lambda: to, TERMS, say, lambda: True, directly, free=lambda _: 10**12
            )
            agent.round()

    def kill(self, service: bool, car: bool) -> None:
        if service and self.service:
            self.service.kill()
            self.service.join()
            self.count.kills_service += 1
        if car and self.car and self.car.is_alive():
            self.car.kill()
            self.car.join()
            self.count.kills_car += self.car.exitcode == -9

    def check(self) -> None:
        """Only what may have changed since the last time."""
        there = {path.name for path in (self.store / "inbox").glob("[!.]*")}
        wrong = [f"{name} is nobody's" for name in there - self.count.made.keys()]
        wrong += [f"{name} was there and is not" for name in self.whole - there]
        for name in there - self.whole:
            wrong += self._torn(name)
        self.whole |= there
        here = {path.name for path in (self.spool / CLIPS).iterdir()}
        wrong += [
            f"{folder} is neither here nor there"
            for clip, folder in self.count.made.items()
            if folder not in here and clip not in there
        ]
        with suppress(EdgeError), read_spool(self.spool) as queue:  # not made yet
            delivered = queue.rows(
                "SELECT clip_id FROM clips WHERE reason = ? OR state = 'acknowledged'", ("delivered",)
            )
            wrong += [f"{row[0]} is not where it was delivered" for row in delivered if row[0] not in there]
        if wrong:
            raise SystemExit("\n".join([f"cycle {self.count.cycles}:", *wrong]))

    def _torn(self, name: str) -> list[str]:
        try:
            clip = open_clip(self.store / "inbox" / name)
            clip.verify()
        except EdgeError as error:
            return [f"{name} is torn: {error}"]
        return [] if clip.id == name else [f"{name} holds {clip.id}"]

    def end(self) -> None:
        """Undisturbed, all of it arrives; then everything is looked at again."""
        for _ in range(3):
            self.start()
            assert self.car
            self.car.join()
        assert self.car.exitcode == 0, f"undisturbed the car ends with {self.car.exitcode}"
        self.kill(service=True, car=False)
        self.count.kills_service -= 1
        self.whole = set()
        self.check()
        assert self.whole == self.count.made.keys(), f"{len(self.count.made.keys() - self.whole)} clips did not arrive"
        with read_spool(self.spool) as queue:
            rows = queue.clips()
        assert len(rows) == len({row.clip_id for row in rows}) == len(self.count.made)
        assert {row.reason for row in rows} == {Reason.DELIVERED}
        state = State(self.store / "service/service.db")
        receipts = [str(row["clip"]) for row in state.rows("SELECT clip FROM receipt")]
        state.close()
        assert sorted(receipts) == sorted(self.whole), "receipts and clips differ"
        left = [*(self.spool / CLIPS).iterdir(), *(self.store / "service/arriving").iterdir()]
        assert not left, f"left behind: {left[:5]}"


def soak(world: World, kills: int, clips: int, until_s: float, seed: int) -> bool:
    """Whether there were enough kills before the time was over."""
    count = world.count
    while count.kills < kills or len(world.whole) < clips:
        if time.monotonic() > until_s:
            return False
        luck = random.Random(seed * 1_000_003 + count.cycles)
        world.cut(max(0, WAITING - len(count.made) + len(world.whole)))
        world.start()
        time.sleep(luck.uniform(0.0, LONGEST_S))
        victim = luck.choice(["service", "car", "car", "both"])
        world.kill(service=victim != "car", car=victim != "service")
        count.cycles += 1
        world.check()
        (world.root / "count.json").write_text(json.dumps(asdict(count)))
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--minutes", type=float, default=24 * 60)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="swerve-both-") as folder:
        root = chosen.folder or Path(folder)
        root.mkdir(exist_ok=True)
        world = World(root)
        enough = soak(world, chosen.kills, chosen.clips, time.monotonic() + 60 * chosen.minutes, chosen.seed)
        if enough:
            world.end()
        world.kill(service=True, car=True)
        count = world.count
    found = f"{count.kills_car} kills of the car, {count.kills_service} of the service, {len(count.made)} clips"
    print(f"{found}, 0 violations" if enough else f"{found} so far, 0 violations; go on with --folder")


if __name__ == "__main__":
    main()
