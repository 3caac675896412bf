"""The night's uploads: each car's own agent, within its budget, to the real service on this machine.

The service runs as a process of its own and is spoken to over a socket; every car has a key and is known by it.
"""

from __future__ import annotations

import ctypes
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from curate.service.identity import Registry
from curate.service.service import DATABASE, state_folder
from curate.service.state import State
from edge.errors import EdgeError
from edge.night.agent import Agent
from edge.night.clock import Moment, now
from edge.night.recovery import recover
from edge.night.spool import open_spool
from edge.night.terms import Terms
from edge.upload.destination import Destination, destination
from edge.upload.device_key import DeviceKey, new_device_key, read_device_key
from train.errors import FlywheelError

STARTS_WITHIN_S, ENDS_WITHIN_S = 60.0, 40.0
PR_SET_PDEATHSIG = 1
ENOUGH = 1000.0
"""Requests a second the service takes from one car: nobody else is to be protected from it here."""


@dataclass(frozen=True)
class Uploaded:
    """What one car's queue has delivered, ever. `problems`: of this round, in words."""

    car: str
    clips: int
    bytes: int
    problems: tuple[str, ...]


class Service:
    """The running service: its address, and the keys of the cars it knows."""

    def __init__(self, store: Path, keys: Path, url: str) -> None:
        self.store, self.keys, self.url = store, keys, url
        keys.mkdir(parents=True, exist_ok=True)

    def destination_of(self, car: str) -> Destination:
        """Where a car's agent sends to; a car that is new gets a key first."""
        path = self.keys / f"{car}.pem"
        key = read_device_key(car, path) if path.exists() else self._register(car, path)
        return destination(self.url, key)

    def _register(self, car: str, path: Path) -> DeviceKey:
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        key = new_device_key(car, fresh)
        state = State(state_folder(self.store.as_uri(), None) / DATABASE)
        with closing(state):
            Registry(state, time.time).add(car, key.public)
        fresh.rename(path)  # only a key that the service knows is kept
        return key


@contextmanager
def service(store: Path, folder: Path) -> Iterator[Service]:
    """The curation service over the store, until the block ends; its log goes to `folder`.

    Raises:
        FlywheelError: it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "swerve", "curate", "serve", "--store", store.resolve().as_uri(), "--port", "0"]
    command += ["--requests-per-s", str(ENOUGH)]
    log = folder / "service.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=file, preexec_fn=_end_with_parent)
    try:
        port = _port_told(log, process)
        yield Service(store.resolve(), folder / "keys", f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDS_WITHIN_S)
        process.kill()
        process.wait()


def _end_with_parent() -> None:
    """In the child: a flywheel that is killed must not leave a service behind that holds the store."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _port_told(log: Path, process: subprocess.Popen[bytes]) -> int:
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        for line in log.read_text().splitlines():
            if line.startswith("{") and line.endswith("}") and (told := json.loads(line))["event"] == "serving":
                return int(told["port"])
        time.sleep(0.05)
    raise FlywheelError(
        f"the service did not start: {log.read_text()[-300:]}", f"one within {STARTS_WITHIN_S:.0f} s", f"see {log}"
    )


def upload(
    cars: Sequence[tuple[str, Path, Path]],
    terms: Terms,
    to: Callable[[str], Destination],
    advance: Callable[[int, int], None] = lambda done, total: None,
    clock: Callable[[], Moment] = now,
) -> list[Uploaded]:
    """One round of every car's agent.

    Args:
        cars: (name, folder of its drives, folder of its queue). to: the destination, for a car's name.
        clock: that the agents go by.
    """
    done = []
    for number, (car, drives, queue) in enumerate(cars, 1):
        done.append(_round(car, drives, queue, terms, partial(to, car), clock))
        advance(number, len(cars))
    return done


def _round(
    car: str, drives: Path, queue: Path, terms: Terms, to: Callable[[], Destination], clock: Callable[[], Moment]
) -> Uploaded:
    problems: list[EdgeError] = []
    with open_spool(queue) as spool:
        recover(spool)
        Agent(spool, drives, cache(to), terms, problems.append, lambda: True, clock=clock).round()
        sent = [clip for clip in spool.clips() if clip.delivered]
    return Uploaded(car, len(sent), sum(clip.bytes for clip in sent), tuple(map(str, problems)))
