"""The service as a subject: it starts, and a device hands clips over; service and device in one thread of one process.

So every system call has a number, and none is left out. What the service answers is sent out of the process through a
socket as it is answered, so that it is known also when the process is not any more: the offset of an upload, a receipt,
the registration of a device. A later round asks for all of it again before it goes on.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
from makers.clips import write_clip

from curate.service.app import make_app
from curate.service.limits import Limits
from curate.service.refusal import Reason
from curate.service.service import Service
from curate.service.state import typed
from edge.clip import Clip, open_clip
from edge.durable import PREFIX
from edge.errors import EdgeError, PushError
from edge.output import say
from edge.upload.device_key import DeviceKey, new_device_key
from edge.upload.http_destination import HttpDestination
from edge.upload.push import push
from trigger.problem import Problem

CLIPS = 2
NOW_S = 1_790_000_000.0
OURS = (500, 503, 507)
"""What a disk that refuses is answered with."""


@dataclass
class Cargo:
    """What is handed over, and by whom."""

    clips: list[Clip]
    key: DeviceKey

    @staticmethod
    def made(folder: Path) -> Cargo:
        for number in range(CLIPS):
            write_clip(folder / f"{number}", number)
        clips = [open_clip(folder / f"{number}") for number in range(CLIPS)]
        return Cargo(clips, new_device_key("car-1", folder / "car-1.pem"))


@dataclass
class Intake:
    root: Path
    cargo: Cargo
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)
    registered: bool = False

    def __post_init__(self) -> None:
        self._here, self._there = socket.socketpair()

    @property
    def store(self) -> Path:
        return self.root / "store"

    def round(self) -> int:
        anyio.to_thread.run_sync = _at_once
        try:
            started = Service(f"file://{self.store}", self.store / "service", LIMITS, lambda: NOW_S, lambda: 0.0)
        except Problem as error:
            say(error)
            return 2
        with closing(started) as service:
            wire = _Wire(service, self._there)
            car = HttpDestination(httpx.Client(transport=wire, base_url="https://service"), self.cargo.key)
            car.pause, car.draw, car.now_s = lambda _: None, lambda: 0.0, lambda: NOW_S
            try:
                self._register(service)
                self._ask_again(car)
                for clip in self.cargo.clips:
                    assert push(clip.folder, car).digest == clip.digest
            except (Problem, OSError) as error:  # also the device's own reading of its clips
                say(error if isinstance(error, Problem) else PushError(str(error), "a disk", "check it"))
                return 2
            finally:
                assert not wire.wrong, "\n".join(wire.wrong)
        return 0

    def _register(self, service: Service) -> None:
        known = "car-1" in {key.device for key in service.registry.keys()}  # noqa: SIM118
        assert known or not self.registered, "the device is forgotten"
        if not known:
            with typed(self.store):
                service.registry.add("car-1", self.cargo.key.public)
            self._there.send(b'{"registered": true}\n')

    def _ask_again(self, car: HttpDestination) -> None:
        def asked(method: str, url: str) -> httpx.Response:
            token = self.cargo.key.token(NOW_S)
            return car.client.request(
                method, url, headers={"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}
            )

        for clip, receipt in self.receipts.items():
            assert asked("GET", f"/v1/clips/{clip}").json() == receipt, "a receipt is forgotten"
        for url, offset in self.offsets.items():
            held = asked("HEAD", url)
            assert held.status_code == 200, f"{url} answers {held.status_code}, {offset} bytes were promised"
            assert int(held.headers["Upload-Offset"]) >= offset, f"{url} promised {offset} bytes"

    def heard(self) -> None:
        """Take what the child said until it ended."""
        self._here.setblocking(False)
        try:
            for line in self._here.recv(1 << 24).splitlines():
                self.hear(line)
        except BlockingIOError:
            pass

    def hear(self, line: bytes) -> None:
        told = json.loads(line)
        self.registered |= "registered" in told
        if "url" in told:
            self.offsets[told["url"]] = told["offset"]
        elif "clip" in told:
            self.receipts[told["clip"]] = told

    def torn(self) -> Iterator[str]:
        """Visible clips are whole and their receipt is with them; what was acknowledged is there."""
        self.heard()
        visible = {path.name: path for path in (self.store / "inbox").glob("*") if not path.name.startswith(PREFIX)}
        for name, folder in visible.items():
            try:
                clip = open_clip(folder)
                clip.verify()
                assert clip.id == name
                assert json.loads((folder / "receipt.json").read_bytes())["digest"] == clip.digest
            except (EdgeError, OSError, ValueError, AssertionError) as error:
                yield f"{folder} is torn: {error!r}"
        yield from (f"acknowledged clip {clip} is not in the store" for clip in self.receipts if clip not in visible)

    def differences(self) -> Iterator[str]:
        yield from self.torn()
        there = {path.name for path in (self.store / "inbox").glob("*")}
        if there != {clip.id for clip in self.cargo.clips}:
            yield f"the inbox holds {sorted(there)}"
        if set(self.receipts) != {clip.id for clip in self.cargo.clips}:
            yield f"receipts for {sorted(self.receipts)}"
        left = [*(self.store / "service/arriving").glob("*"), *(self.store / "quarantine").glob("*")]
        if left:
            yield f"left behind: {left}"


LIMITS = Limits(free_bytes=0, burst=1_000_000)


class _Wire(httpx.BaseTransport):
    """Requests to the application in this very thread; `wrong` are answers that a disk's refusal does not explain."""

    def __init__(self, service: Service, promised: socket.socket) -> None:
        self.inner = httpx.ASGITransport(make_app(service), raise_app_exceptions=False)
        self.loop, self.promised = asyncio.new_event_loop(), promised
        self.wrong: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.loop.run_until_complete(self._answer(request))
        if answer.is_success:
            self._promise(request, answer)
        elif answer.status_code != 404 or request.method != "GET":
            told = answer.json() if request.method != "HEAD" else {"reason": Reason.STORE}
            if answer.status_code not in OURS or told["reason"] not in set(Reason):
                self.wrong.append(f"{request.method} {request.url} is answered {answer.status_code} {told}")
        return answer

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inner.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

    def _promise(self, request: httpx.Request, answer: httpx.Response) -> None:
        if "Upload-Offset" in answer.headers:
            url = answer.headers.get("Location", request.url.path)
            line = json.dumps({"url": url, "offset": int(answer.headers["Upload-Offset"])}).encode()
        else:
            line = answer.content
        self.promised.send(line + b"\n")


async def _at_once(work: Any, *arguments: Any, **_: Any) -> Any:
    """In place of anyio's threads."""
    return work(*arguments)
