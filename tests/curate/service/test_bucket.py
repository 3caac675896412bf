"""Clips are kept in a bucket as they are in a folder: a real S3 server, SeaweedFS, on this machine's loopback."""

import obstore
import pytest
from makers.s3 import free_ports
from obstore.store import S3Store

from curate.errors import StoreError
from curate.service.service import state_folder
from curate.service.shelf import open_shelf
from edge.errors import PushError
from edge.upload.push import push
from service.conftest import Sender


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


def test_the_versions_of_a_bucket_are_told_too(make_bench, make_clip, bucket):
    bench, clip = make_bench(bucket), make_clip()
    push(clip.folder, bench.car())
    store, ask = S3Store.from_url(bucket), f"/v1/clips/{clip.id}/status"
    head = b'{"inputs":{"%s":"%s"},"parent":null}' % (clip.id.encode(), clip.digest.encode())
    for name, data in (("0002-abcdef01", head), ("0003-abcdef02", b"{}"), ("0004-abcdef03", head)):
        obstore.put(store, f"versions/{name}/version.json", data)
    obstore.put(store, "versions/0005-abcdef04/rows.parquet", b"its head comes last")
    for _ in range(2):
        assert Sender(bench).ask("GET", ask).json()["versions"] == ["0002-abcdef01", "0004-abcdef03"]


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
