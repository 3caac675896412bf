"""Run the service on uvicorn until it is told to stop; requests under way end first, and expired uploads are swept."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from socket import IPPROTO_TCP, TCP_NODELAY, socket

import uvicorn
from starlette.concurrency import run_in_threadpool

from curate.service.app import make_app
from curate.service.limits import Limits
from curate.service.log import LOG, log_to_stderr
from curate.service.service import Service, state_folder

SWEEP_EVERY_S = 3600.0
STOP_WITHIN_S = 30
"""How long requests under way may take once the service was told to stop."""


def run(store: str, state: Path | None, host: str, port: int, limits: Limits, tls: tuple[Path, Path] | None) -> None:
    """Raises StoreError where the store cannot be served."""
    log_to_stderr()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # what uvicorn hands on to when it has stopped
    with closing(Service(store, state_folder(store, state), limits)) as service:
        config = uvicorn.Config(
            make_app(service),
            host=host,
            port=port,
            ssl_certfile=tls[0] if tls else None,
            ssl_keyfile=tls[1] if tls else None,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=STOP_WITHIN_S,
        )
        with closing(config.bind_socket()) as listening:
            told = {"store": store, "host": host, "port": listening.getsockname()[1], "tls": tls is not None}
            listening.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)  # asyncio does so only where it made the socket itself
            listening.listen(config.backlog)
            LOG.info("serving", extra={"told": told})
            asyncio.run(_serve(uvicorn.Server(config), service, listening))


async def _serve(server: uvicorn.Server, service: Service, listening: socket) -> None:
    async with _sweeping(service):
        await server.serve([listening])


@asynccontextmanager
async def _sweeping(service: Service) -> AsyncIterator[None]:
    async def sweep() -> None:
        while True:
            swept = await run_in_threadpool(service.uploads.sweep)
            LOG.info("swept", extra={"told": {"uploads": swept}})
            await asyncio.sleep(SWEEP_EVERY_S)

    task = asyncio.create_task(sweep())
    try:
        yield
    finally:
        task.cancel()
