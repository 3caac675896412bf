"""What every request goes through: who asks and how fast, what a failure is answered, what is logged and counted."""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from curate.errors import StoreError
from curate.service import tus
from curate.service.log import LOG
from curate.service.refusal import Reason, Refused
from curate.service.service import Service
from curate.service.tokens import device_of

Endpoint: TypeAlias = Callable[[Request, str], Awaitable[Response]]
UPLOADS, CLIP = "/v1/uploads", "/v1/clips/{clip}"
STATUS = CLIP + "/status"
NO_STORE = {"Cache-Control": "no-store"}
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE)


class Guard:
    """What every request goes through: who asks, how fast, what it is answered, what is logged and counted."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def anyone(self, method: str, path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
        async def unasked(request: Request, _: str) -> Response:
            return await endpoint(request)

        return self._route(method, path, unasked, lambda _: "")

    def device(self, method: str, path: str, endpoint: Endpoint) -> Route:
        def who(request: Request) -> str:
            device = device_of(request.headers.get("Authorization"), self.service.registry)
            self.service.pace.check(device)
            if path.startswith(UPLOADS):
                tus.check_version(request.headers)
            return device

        return self._route(method, path, endpoint, who)

    def _route(self, method: str, path: str, endpoint: Endpoint, who: Callable[[Request], str]) -> Route:
        async def answer(request: Request) -> Response:
            begun, device, refusal = time.perf_counter(), "", None
            try:
                device = who(request)
                response = await endpoint(request, device)
            except Exception as error:
                refusal = _refusal(error)
                response = self._refused(refusal)
            self._note(path, request, device, response, refusal, time.perf_counter() - begun)
            return response

        return Route(path, answer, methods=[method])

    def _refused(self, refusal: Refused) -> Response:
        """A refused token is told the service's clock, so that a car whose own is wrong can sign by it."""
        told = {"reason": refusal.reason, "got": refusal.got}
        clock = {"now": int(self.service.now_s())} if refusal.status == 401 else {}
        return JSONResponse(told | clock, refusal.status, {**NO_STORE, **refusal.headers})

    def _note(
        self, route: str, request: Request, device: str, response: Response, refusal: Refused | None, seconds: float
    ) -> None:
        metrics = self.service.metrics
        metrics.requests.labels(route, request.method, str(response.status_code)).inc()
        metrics.seconds.labels(route).observe(seconds)
        told = {"method": request.method, "path": request.url.path, "status": response.status_code, "device": device}
        told["ms"] = round(1e3 * seconds, 1)
        if refusal:
            metrics.refusals.labels(refusal.reason).inc()
            told |= {"reason": refusal.reason, "got": refusal.got}
        LOG.info("request", extra={"told": told})


def _refusal(error: Exception) -> Refused:
    """What an exception is to whoever asked; one that nobody foresaw is logged with its trace."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, ClientDisconnect):
        return Refused(400, Reason.TOO_SLOW, "the connection broke")
    if isinstance(error, TimeoutError):
        return Refused(408, Reason.TOO_SLOW, "nothing came for too long", {"Connection": "close"})
    if isinstance(error, OSError) and error.errno in FULL:
        return Refused(507, Reason.DISK, error.strerror or "", {"Retry-After": "600"})
    LOG.error("failure", exc_info=error)
    if isinstance(error, StoreError):
        return Refused(503, Reason.STORE, "the store does not take clips now", {"Retry-After": "60"})
    if isinstance(error, sqlite3.OperationalError):
        return Refused(503, Reason.DISK, "the database cannot be written", {"Retry-After": "60"})
    return Refused(500, Reason.INTERNAL)
