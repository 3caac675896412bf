"""A service in this process, cars that speak to it, and clips to hand over."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from hashlib import new as new_hash
from hashlib import sha256
from itertools import count
from pathlib import Path

import httpx
import pytest
from makers.picture import gray

from curate.service.app import make_app
from curate.service.limits import Limits
from curate.service.service import Service
from curate.service.tus import OFFSET_STREAM
from edge.clip import Clip, open_clip
from edge.cut import cut
from edge.drive import open_drive
from edge.scan import scan
from edge.upload.device_key import DeviceKey, new_device_key
from edge.upload.http_destination import HttpDestination

NOW_S = 1_790_000_000
TUS = {"Tus-Resumable": "1.0.0"}


class Clock:
    """One clock for service and cars, set by the test."""

    def __init__(self) -> None:
        self.now_s = float(NOW_S)

    def __call__(self) -> float:
        return self.now_s


class InProcess(httpx.BaseTransport):
    """Requests to an application whose loop runs in a thread of its own, so that several cars can ask at once."""

    def __init__(self, app: object) -> None:
        self.inner = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(self._answer(request), self.loop).result()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inner.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


class Bench:
    """A store, its service, and cars."""

    def __init__(self, folder: Path, limits: Limits, where: str = "") -> None:
        self.folder, self.limits, self.clock = folder, limits, Clock()
        self.root = folder / "store"
        self.where = where or f"file://{self.root}"
        self.keys: dict[str, DeviceKey] = {}
        self._numbers = count()
        self.open()

    def open(self) -> None:
        """Start the service; again after `close`, as after a crash."""
        self.service = Service(self.where, self.root / "service", self.limits, self.clock, self.clock)
        self.transport = InProcess(make_app(self.service))
        self.client = httpx.Client(transport=self.transport, base_url="https://service")

    def close(self) -> None:
        self.client.close()
        self.service.close()

    def key(self, device: str = "car-1") -> DeviceKey:
        """A registered device's key."""
        if device not in self.keys:
            self.keys[device] = new_device_key(device, self.folder / f"{device}-{next(self._numbers)}.pem")
            self.service.registry.add(device, self.keys[device].public)
        return self.keys[device]

    def headers(self, device: str = "car-1", **more: str) -> dict[str, str]:
        token = self.key(device).token(self.clock())
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {**TUS, "Authorization": f"Bearer {token}", **named}

    def car(self, device: str = "car-1") -> HttpDestination:
        return HttpDestination(self.client, self.key(device), pause=lambda _: None, draw=lambda: 0.0, now_s=self.clock)

    def folders(self, place: str) -> list[str]:
        return sorted(p.name for p in (self.root / place).glob("*") if p.name[0] != ".")


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(where: str = "", **limits: float) -> Bench:
        made.append(Bench(tmp_path, Limits(**{"free_bytes": 0, **limits}), where))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture
def make_clip(native_drive: Callable[..., Path], tmp_path: Path) -> Callable[..., Clip]:
    number = count()

    def make(**told: object) -> Clip:
        drive = open_drive(native_drive(f"d{next(number)}", seconds=told.pop("seconds", 2), shows=gray, **told))
        return open_clip(next(cut(scan(drive, 1.0), tmp_path / "clips")).folder)

    return make


class Sender:
    """Speaks tus by hand, as any client would, for one device."""

    def __init__(self, bench: Bench, device: str = "car-1") -> None:
        self.bench, self.device = bench, device

    def ask(self, method: str, url: str, data: bytes = b"", **headers: str | None) -> httpx.Response:
        """Header names with _ for -; None leaves one out that is sent otherwise."""
        sent = self.bench.headers(self.device) | {k.replace("_", "-"): v for k, v in headers.items()}
        told = {name: value for name, value in sent.items() if value is not None}
        return self.bench.client.request(method, url, content=data, headers=told)

    def begin(self, data: bytes, clip: str = "a" * 64, name: str = "front.mp4", **more: str) -> httpx.Response:
        told = {"clip": clip, "name": name, "sha256": sha256(data).hexdigest()} | more
        return self.ask("POST", "/v1/uploads", Upload_Length=str(len(data)), Upload_Metadata=metadata(**told))

    def patch(self, url: str, offset: int, data: bytes, **headers: str | None) -> httpx.Response:
        told = {"Upload_Offset": str(offset), "Content_Type": OFFSET_STREAM} | headers
        return self.ask("PATCH", url, data, **told)

    def offset(self, url: str) -> int:
        return int(self.ask("HEAD", url).headers["Upload-Offset"])

    def send(self, clip: Clip, names: Mapping[str, bytes] | None = None) -> None:
        """Upload the files of a clip, or other bytes under these names."""
        for name, data in (names or {n: (clip.folder / n).read_bytes() for n in clip.names}).items():
            url = self.begin(data, clip.id, name).headers["Location"]
            assert self.patch(url, 0, data).status_code == 204

    def commit(self, clip_id: str) -> httpx.Response:
        return self.ask("POST", f"/v1/clips/{clip_id}")


def metadata(**told: str) -> str:
    return ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in told.items())


def checksum(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {b64encode(new_hash(algorithm, data).digest()).decode()}"


@pytest.fixture
def sender(bench: Bench) -> Sender:
    return Sender(bench)
