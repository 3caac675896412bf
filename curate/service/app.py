"""The service over HTTP: Starlette routes. Requests in, answers out; what they mean is decided elsewhere.

    OPTIONS           /v1/uploads, /v1/uploads/{id}   what tus can do here
    POST              /v1/uploads                     begin an upload, or find the one begun before
    HEAD PATCH DELETE /v1/uploads/{id}                how much is there; more bytes; drop it
    POST GET          /v1/clips/{clip id}             commit a clip; its receipt
    GET               /healthz /readyz /metrics       alive; able to take clips; Prometheus

Hashing and appending happen in the loop, 64 KiB at a time; whatever waits for a disk happens in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from curate.service import tus
from curate.service.guard import CLIP, NO_STORE, UPLOADS, Guard
from curate.service.metrics import CONTENT_TYPE
from curate.service.refusal import Reason, Refused
from curate.service.service import Service
from curate.service.uploads import Upload, Writing


def make_app(service: Service) -> ASGIApp:
    """The application of one service."""
    uploads, clips = _Uploads(service), _Clips(service)
    guard, one = Guard(service), UPLOADS + "/{id}"
    return _method_override(
        Router(
            routes=[
                guard.anyone("OPTIONS", UPLOADS, uploads.options),
                guard.anyone("OPTIONS", one, uploads.options),
                guard.device("POST", UPLOADS, uploads.create),
                guard.device("HEAD", one, uploads.head),
                guard.device("PATCH", one, uploads.patch),
                guard.device("DELETE", one, uploads.delete),
                guard.device("POST", CLIP, clips.commit),
                guard.device("GET", CLIP, clips.receipt),
                guard.anyone("GET", "/healthz", _alive),
                guard.anyone("GET", "/readyz", _ready(service)),
                guard.anyone("GET", "/metrics", _metrics(service)),
            ],
            redirect_slashes=False,
        )
    )


class _Uploads:
    def __init__(self, service: Service) -> None:
        self.service = service

    async def options(self, _: Request) -> Response:
        headers = tus.capabilities(self.service.limits.file_bytes)
        return Response(status_code=204, headers=headers)

    async def create(self, request: Request, device: str) -> Response:
        """Creation: "MUST acknowledge a successful upload creation with the `201 Created` status" and "MUST set the
        `Location` header". Creation with upload: "MUST include the `Upload-Offset` header in the response"; it is told
        always, as the upload may have been begun before.
        """
        announced, checksum = tus.announced(request.headers), tus.checksum(request.headers)
        has_body = request.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in request.headers
        if has_body:
            tus.check_content_type(request.headers)
        upload = await run_in_threadpool(self.service.uploads.begin, device, announced)
        if has_body and upload.offset == 0:
            upload = await self._receive(request, upload, 0, checksum)
        return Response(status_code=201, headers={"Location": f"{UPLOADS}/{upload.id}", **_standing(upload)})

    async def head(self, request: Request, device: str) -> Response:
        """Core, HEAD: "MUST always include the `Upload-Offset` header", Upload-Length where it is known, and
        `Cache-Control: no-store`. Creation: "MUST include the `Upload-Metadata` header and its value as specified".

        While another request writes, its connection perhaps long dead at the other end, the answer is 423: what is held
        would be out of date at once, and whoever believed it would send bytes that cannot be taken.
        """
        upload = self._get(request, device)
        if not upload.whole:
            with self.service.uploads.alone(upload.device, upload.clip, upload.name):
                upload = self._get(request, device)
        more = {"Upload-Length": str(upload.length), "Upload-Metadata": upload.metadata, **NO_STORE}
        return Response(status_code=200, headers={**_standing(upload), **more})

    async def patch(self, request: Request, device: str) -> Response:
        """Core, PATCH: "MUST acknowledge successful `PATCH` requests with the `204 No Content` status. It MUST include
        the `Upload-Offset` header containing the new offset."
        """
        tus.check_content_type(request.headers)
        offset, checksum = tus.number(request.headers, "Upload-Offset"), tus.checksum(request.headers)
        upload = await self._receive(request, self._get(request, device), offset, checksum)
        return Response(status_code=204, headers=_standing(upload))

    async def delete(self, request: Request, device: str) -> Response:
        """Termination: "MUST respond with the `204 No Content` status"; then 410. A committed clip answers 403."""
        await run_in_threadpool(self.service.uploads.delete, device, request.path_params["id"])
        return Response(status_code=204)

    def _get(self, request: Request, device: str) -> Upload:
        return self.service.uploads.get(device, request.path_params["id"])

    async def _receive(self, request: Request, upload: Upload, offset: int, checksum: tus.Checksum | None) -> Upload:
        """Core, PATCH: "If the offsets do not match, the Server MUST respond with the `409 Conflict` status without
        modifying the upload resource"; "SHOULD always attempt to store as much of the received data as possible", which
        holds where the connection breaks, unless a checksum binds the chunk together.
        """
        uploads = self.service.uploads
        with ExitStack() as stack:
            stack.enter_context(uploads.alone(upload.device, upload.clip, upload.name))
            upload = uploads.get(upload.device, upload.id)
            if offset != upload.offset:
                raise Refused(409, Reason.OFFSET, f"bytes at {offset}, {upload.offset} are held")
            if upload.whole:  # never opened again: it may be part of a clip already
                return upload
            writing = await run_in_threadpool(uploads.write, upload, checksum)
            stack.callback(writing.close)
            try:
                await self._read(request, writing)
            except (ClientDisconnect, TimeoutError):
                if checksum is None:
                    await run_in_threadpool(writing.keep)
                raise
            kept = await run_in_threadpool(writing.keep)
        self.service.metrics.bytes_received.inc(kept.offset - offset)
        return kept

    async def _read(self, request: Request, writing: Writing) -> None:
        stream = aiter(request.stream())
        while True:
            async with asyncio.timeout(self.service.limits.idle_s):
                data = await anext(stream, None)
            if data is None:
                return
            writing.add(data)


class _Clips:
    def __init__(self, service: Service) -> None:
        self.service = service

    async def commit(self, request: Request, device: str) -> Response:
        """The receipt; the same however often it is asked for."""
        clip = _clip(request)
        known = self.service.commits.receipt(clip) is not None
        receipt = await run_in_threadpool(self.service.commits.commit, device, clip)
        if not known:
            self.service.metrics.clips.inc()
            self.service.metrics.clip_bytes.inc(receipt.bytes)
        return JSONResponse(vars(receipt), headers=NO_STORE)

    async def receipt(self, request: Request, device: str) -> Response:
        receipt = self.service.commits.receipt(_clip(request))
        if receipt is None:
            raise Refused(404, Reason.NOT_FOUND, "no such clip was committed")
        return JSONResponse(vars(receipt), headers=NO_STORE)


async def _alive(_: Request) -> Response:
    return JSONResponse({"alive": True})


def _ready(service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def ready(_: Request) -> Response:
        await run_in_threadpool(service.check)
        return JSONResponse({"ready": True})

    return ready


def _metrics(service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def metrics(_: Request) -> Response:
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)

    return metrics


def _clip(request: Request) -> str:
    clip = str(request.path_params["clip"])
    if not tus.CLIP.fullmatch(clip):
        raise Refused(400, Reason.BAD_NAME, "a clip's id is 64 hex digits")
    return clip


def _standing(upload: Upload) -> dict[str, str]:
    """Where an upload stands. Expiration: Upload-Expires "MUST be included in every `PATCH` response if the upload is
    going to expire", and in the answer to its creation.
    """
    ends = {} if upload.committed else tus.expires(upload.expires)
    return {"Upload-Offset": str(upload.offset), **ends}


def _method_override(app: ASGIApp) -> ASGIApp:
    """Core, X-HTTP-Method-Override: it "MUST be interpreted as the request's method by the Server, if the header is
    presented. The actual method of the request MUST be ignored."
    """

    async def overridden(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(UPLOADS):
            for name, value in scope["headers"]:
                if name == b"x-http-method-override":
                    scope = {**scope, "method": value.decode("latin-1").upper()}
        await app(scope, receive, send)

    return overridden
