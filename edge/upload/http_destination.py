"""The curation service as a destination: one resumable upload a file, then the clip is committed and answered for.

A thin layer: requests as tus 1.0.0 asks for them (https://tus.io/protocols/resumable-upload), every chunk with its
sha256; `edge.upload.machine` judges the answers. A commit or a question for a receipt may be repeated at will, so an
answer that was lost is simply asked for again. Tokens are sent over TLS alone, or to this very machine.
"""

from __future__ import annotations

import hashlib
import random
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from edge.errors import PushError, Refused
from edge.manifest import FileEntry
from edge.upload.destination import Receipt
from edge.upload.device_key import DeviceKey
from edge.upload.machine import Answer, Next, Standing, step

TUS = {"Tus-Resumable": "1.0.0"}
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass
class HttpDestination:
    """A service, spoken to as one device.

    Attributes:
        pause: waits so many seconds. draw: the jitter, in [0, 1). now_s: the car's clock, s since 1970.
    """

    client: httpx.Client
    key: DeviceKey | None = None
    pause: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random
    now_s: Callable[[], float] = time.time
    _token: str | None = None
    _ahead_s: float = 0.0
    _standing: Standing = field(default_factory=Standing)
    _uploads: dict[tuple[str, str], _Upload] = field(default_factory=dict)

    @staticmethod
    def to(url: str, key: DeviceKey | None) -> HttpDestination:
        """Raises PushError for a URL to which no token may be sent."""
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise PushError(f"the destination {url}", "https://host", "check the address") from error
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise PushError(f"the destination {url}", "https, or this very machine", "use https")
        if key is None:
            raise PushError(f"no device key for {url}", "a key the service knows", "add --device NAME --key FILE")
        return HttpDestination(httpx.Client(base_url=url, timeout=TIMEOUT), key)

    def receipt(self, clip_id: str) -> Receipt | None:
        answer = self._ask("GET", f"/v1/clips/{clip_id}", accept=(404,))
        return None if answer.status_code == 404 else _receipt(answer, clip_id, known=True)

    def held(self, clip_id: str, name: str, entry: FileEntry) -> int:
        upload = self._uploads[clip_id, name] = _Upload(clip_id, name, entry)
        return self._create(upload)

    def append(self, clip_id: str, name: str, offset: int, data: bytes) -> int:
        upload = self._uploads[clip_id, name]
        headers = TUS | {
            "Upload-Offset": str(offset),
            "Upload-Checksum": f"sha256 {b64encode(hashlib.sha256(data).digest()).decode()}",
            "Content-Type": "application/offset+octet-stream",
        }
        answer, then = self._try("PATCH", upload.url, headers, data)
        failed = self._standing
        while then is Next.ASK:
            answer, then = self._try("HEAD", upload.url, TUS)
        if then is Next.AGAIN:
            offset = self._create(upload)
        elif then is Next.GO_ON and answer is not None:
            offset = _offset(answer, upload)
        self._standing = failed  # a question that was answered is no progress
        return offset

    def commit(self, clip_id: str) -> Receipt:
        answer = self._ask("POST", f"/v1/clips/{clip_id}", accept=(409,))
        if answer.status_code == 409:
            raise PushError(
                f"files of {clip_id[:12]} are no longer at the service ({_reason(answer)})", "all of them", "push again"
            )
        return _receipt(answer, clip_id, known=False)

    def _create(self, upload: _Upload) -> int:
        answer = self._ask("POST", "/v1/uploads", TUS | upload.headers)
        upload.url = answer.headers.get("Location", "")
        if not upload.url.startswith("/v1/uploads/"):  # a token goes nowhere else
            raise PushError(f"the service names the upload {upload.url!r}", "/v1/uploads/...", "check the address")
        return _offset(answer, upload)

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, accept: tuple[int, ...] = ()
    ) -> httpx.Response:
        """Repeat a request that may be repeated until it is answered."""
        while True:
            answer, then = self._try(method, url, headers or {}, accept=accept)
            if then is Next.GO_ON and answer is not None:
                return answer

    def _try(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        data: bytes = b"",
        accept: tuple[int, ...] = (),
    ) -> tuple[httpx.Response | None, Next]:
        """One request, judged, and the pause after it. Raises PushError where the answer is final."""
        answer: httpx.Response | None = None
        try:
            answer = self.client.request(method, url, headers={**headers, **self._authorization()}, content=data)
        except httpx.RequestError as error:
            trouble = f"{self.client.base_url} cannot be reached ({type(error).__name__})"
        else:
            if answer.status_code in accept:
                self._standing = Standing()
                return answer, Next.GO_ON
            trouble = f"{self.client.base_url} answers {answer.status_code} ({_reason(answer)})"
        judged = step(_told(answer), self._standing, self.draw())
        self._standing = judged.standing
        if judged.next is Next.REFUSED:
            self._standing = Standing()
            of_this_car = answer is not None and answer.status_code == 401
            kind = PushError if of_this_car else Refused
            raise kind(trouble, "a clip that is taken", "see docs/service.md for what a refusal means")
        if judged.next is Next.GIVE_UP:
            self._standing = Standing()
            raise PushError(trouble, "an answer", "push again later: it goes on where it stopped")
        if judged.next is Next.SIGN and answer is not None:
            self._token = None
            self._ahead_s = _service_clock(answer, self.now_s())
        if judged.pause_s:
            self.pause(judged.pause_s)
        return answer, judged.next

    def _authorization(self) -> dict[str, str]:
        if self.key is None:
            return {}
        if self._token is None:
            self._token = self.key.token(self.now_s() + self._ahead_s)
        return {"Authorization": f"Bearer {self._token}"}


@dataclass
class _Upload:
    clip_id: str
    name: str
    entry: FileEntry
    url: str = ""

    @property
    def headers(self) -> dict[str, str]:
        told = {"clip": self.clip_id, "name": self.name, "sha256": self.entry.sha256}
        metadata = ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in told.items())
        return {"Upload-Length": str(self.entry.bytes), "Upload-Metadata": metadata}


def _told(answer: httpx.Response | None) -> Answer:
    if answer is None:
        return Answer()
    after = answer.headers.get("Retry-After", "")
    return Answer(answer.status_code, float(after) if after.isascii() and after.isdigit() else None)


def _reason(answer: httpx.Response) -> str:
    return str(_object(answer).get("reason", answer.reason_phrase))[:100]


def _service_clock(answer: httpx.Response, now_s: float) -> float:
    """How far the service's clock is ahead of the car's, s; 0 where it does not say."""
    told = _object(answer).get("now")
    return float(told) - now_s if isinstance(told, int | float) else 0.0


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        data = answer.json()
    except (ValueError, RecursionError, httpx.ResponseNotRead):
        return {}
    return data if isinstance(data, dict) else {}


def _offset(answer: httpx.Response, upload: _Upload) -> int:
    text = answer.headers.get("Upload-Offset", "")
    offset = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= offset <= upload.entry.bytes:
        raise PushError(
            f"the service holds {text!r} bytes of {upload.name}", f"0 to {upload.entry.bytes}", "check the address"
        )
    return offset


def _receipt(answer: httpx.Response, clip_id: str, known: bool) -> Receipt:
    data = _object(answer)
    digest, size = data.get("digest"), data.get("bytes")
    if data.get("clip") != clip_id or not isinstance(digest, str) or not isinstance(size, int):
        raise PushError(f"the service's answer is no receipt for {clip_id[:12]}", "a receipt", "check the address")
    return Receipt(clip_id, digest, size, known)
