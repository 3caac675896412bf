"""The service over HTTP: Starlette routes. Requests in, answers out; what they mean is decided elsewhere.

    OPTIONS           /v1/uploads, /v1/uploads/{id}   what tus can do here
    POST              /v1/uploads                     begin an upload, or find the one begun before
    HEAD PATCH DELETE /v1/uploads/{id}                how much is there; more bytes; drop it
    POST GET          /v1/clips/{clip id}             commit a clip; its receipt
    GET               /v1/clips/{clip id}/status      what became of it since
    GET               /healthz /readyz /metrics       alive; able to take clips; Prometheus

Bytes are gathered in the loop; whatever hashes or waits for a disk happens in a thread, a block at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from curate.service import tus
from curate.service.guard import CLIP, NO_STORE, STATUS, UPLOADS, Guard
from curate.service.metrics import CONTENT_TYPE
from curate.service.refusal import Reason, Refused
from curate.service.service import Service
from curate.service.status import status
from curate.service.uploads import Upload
from curate.service.writing import Digests, Writing

BLOCK_BYTES = 1024 * 1024
"""What is gathered of a request before a thread hashes and writes it: large beside the price of asking a thread, small
beside the service's memory, as each request under way holds so much.
"""


def make_app(service: Service) -> ASGIApp:
    """The application of one service."""
    uploads, clips = _Uploads(service), _Clips(service)
    guard, one = Guard(service), UPLOADS + "/{id}"
    return _tus(
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
                guard.device("GET", STATUS, clips.status),
                guard.anyone("GET", "/healthz", _alive),
                guard.anyone("GET", "/readyz", _ready(service)),
                guard.anyone("GET", "/metrics", _metrics(service)),
            ],
            redirect_slashes=False,
        )
    )


class _Uploads:
    def __init__(self, service: Service) -> None:
        self.service, self.digests = service, Digests()

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
        uploads = self.service.uploads
        with uploads.alone(device, announced.clip, announced.name):
            upload = uploads.find(device, announced)
            if has_body and upload.offset == 0:
                upload = await self._receive(request, upload, checksum)
            if upload.new:
                upload = await run_in_threadpool(uploads.promise, upload, 0)
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
        the `Upload-Offset` header containing the new offset." "If the offsets do not match, the Server MUST respond
        with the `409 Conflict` status without modifying the upload resource."
        """
        tus.check_content_type(request.headers)
        offset, checksum = tus.number(request.headers, "Upload-Offset"), tus.checksum(request.headers)
        upload = self._get(request, device)
        with self.service.uploads.alone(device, upload.clip, upload.name):
            upload = self._get(request, device)
            if offset != upload.offset:
                raise Refused(409, Reason.OFFSET, f"bytes at {offset}, {upload.offset} are held")
            if not upload.whole:  # never opened again when it is: it may be part of a clip already
                upload = await self._receive(request, upload, checksum)
        return Response(status_code=204, headers=_standing(upload))

    async def delete(self, request: Request, device: str) -> Response:
        """Termination: "MUST respond with the `204 No Content` status"; then 410. A committed clip answers 403."""
        await run_in_threadpool(self.service.uploads.delete, device, request.path_params["id"])
        return Response(status_code=204)

    def _get(self, request: Request, device: str) -> Upload:
        return self.service.uploads.get(device, request.path_params["id"])

    async def _receive(self, request: Request, upload: Upload, checksum: tus.Checksum | None) -> Upload:
        """Core, PATCH: a server "SHOULD always attempt to store as much of the received data as possible", which holds
        where the connection breaks, unless a checksum binds the chunk together. Only inside `alone`.
        """
        writing = Writing(self.service.uploads, self.digests, upload, checksum)
        try:
            try:
                await self._read(request, writing)
            except (ClientDisconnect, TimeoutError):
                if checksum is None:
                    await run_in_threadpool(writing.keep)
                raise
            kept = await run_in_threadpool(writing.keep)
        finally:
            writing.close()
        self.service.metrics.bytes_received.inc(kept.offset - upload.offset)
        return kept

    async def _read(self, request: Request, writing: Writing) -> None:
        """One timer for the whole body, wound up anew before each part of it and at rest while a thread is at work."""
        now_s, idle_s, more = asyncio.get_running_loop().time, self.service.limits.idle_s, True
        async with asyncio.timeout(None) as patience:
            while more:
                patience.reschedule(now_s() + idle_s)
                part = await request.receive()
                if part["type"] == "http.disconnect":
                    raise ClientDisconnect
                writing.add(part.get("body", b""))
                more = part.get("more_body", False)
                if more and writing.held >= BLOCK_BYTES:
                    patience.reschedule(None)
                    await run_in_threadpool(writing.write)


class _Clips:
    def __init__(self, service: Service) -> None:
        self.service = service

    async def commit(self, request: Request, device: str) -> Response:
        """The receipt; the same however often it is asked for."""
        receipt, new = await run_in_threadpool(self.service.commits.commit, device, _clip(request))
        if new:
            self.service.metrics.clips.inc()
            self.service.metrics.clip_bytes.inc(receipt.bytes)
        return JSONResponse(vars(receipt), headers=NO_STORE)

    async def receipt(self, request: Request, device: str) -> Response:
        receipt = self.service.commits.receipt(_clip(request))
        if receipt is None:
            raise Refused(404, Reason.NOT_FOUND, "no such clip was committed")
        return JSONResponse(vars(receipt), headers=NO_STORE)

    async def status(self, request: Request, device: str) -> Response:
        """Told to the device that its receipt names; to any other there is no such clip."""
        receipt = self.service.commits.receipt(_clip(request))
        if receipt is None or receipt.device != device:
            raise Refused(404, Reason.NOT_FOUND, "this device committed no such clip")
        told = await run_in_threadpool(status, self.service.shelf, self.service.copies, receipt.clip)
        return JSONResponse(told, headers=NO_STORE)


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


def _tus(app: ASGIApp) -> ASGIApp:
    """Core, X-HTTP-Method-Override: it "MUST be interpreted as the request's method by the Server, if the header is
    presented. The actual method of the request MUST be ignored." Tus-Resumable: "MUST be included in every request and
    response except for `OPTIONS` requests"; there it does no harm.
    """

    async def spoken(scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                version = (b"tus-resumable", tus.VERSION.encode())
                message = {**message, "headers": [*message["headers"], version]}
            await send(message)

        if scope["type"] != "http" or not scope["path"].startswith(UPLOADS):
            await app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"x-http-method-override":
                scope = {**scope, "method": value.decode("latin-1").upper()}
        await app(scope, receive, told)

    return spoken
