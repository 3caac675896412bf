"""The service in a process of its own, on a socket of this machine's loopback that outlives it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path

import httptools  # noqa: F401  what uvicorn imports late, so that a fork has it
import httpx
import uvicorn

from curate.service.app import make_app
from curate.service.limits import Limits
from curate.service.service import Service
from edge.upload.device_key import DeviceKey
from edge.upload.http_destination import HttpDestination

FORK = get_context("fork")
LIMITS = Limits(free_bytes=0, burst=1_000_000, requests_per_s=1e6, idle_s=1.0)
TIMEOUT = httpx.Timeout(30.0)


def listening() -> socket.socket:
    made = socket.create_server(("127.0.0.1", 0), backlog=512)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as `swerve curate serve` does
    return made


def serving(store: Path, on: socket.socket) -> ForkProcess:
    process = FORK.Process(target=_serve, args=(store, on), daemon=True)
    process.start()
    return process


def _serve(store: Path, on: socket.socket) -> None:
    with closing(Service(f"file://{store}", store / "service", LIMITS)) as service:
        config = uvicorn.Config(make_app(service), log_config=None, access_log=False, http="httptools")
        asyncio.run(uvicorn.Server(config).serve([on]))


def register(store: Path, keys: Iterable[DeviceKey]) -> None:
    """While nobody serves."""

    def add() -> None:
        with closing(Service(f"file://{store}", store / "service", LIMITS)) as service:
            for key in keys:
                service.registry.add(key.device, key.public)

    process = FORK.Process(target=add)
    process.start()
    process.join()
    assert process.exitcode == 0


def car_at(port: int, key: DeviceKey, timeout: httpx.Timeout = TIMEOUT, **limits: int) -> HttpDestination:
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=timeout, limits=httpx.Limits(**limits))
    return HttpDestination(client, key)
