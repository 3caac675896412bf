"""A night over a bucket: what is in it afterwards does not depend on where a run was killed, or on the work folder."""

import json
import threading

import obstore
import pytest
from conftest import drive_telemetry
from makers.versions import row, table
from obstore.store import S3Store

from curate import lease as leases
from curate.bucket import bucket_store
from curate.errors import StoreError
from curate.journal import note_arrivals, read_journal
from curate.lease import Lease, held
from curate.nightly import nightly
from curate.store import open_store
from curate.version.names import resolve, version_names
from curate.version.publish import publish
from edge.clip import open_clip
from edge.cut import cut
from edge.drive import open_drive
from edge.durable import write_bytes
from edge.scan import scan

GOOD, BAD = ("a" * 64, "b" * 64), "c" * 64


@pytest.fixture
def where(bucket, request):
    """A prefix of its own for each test."""
    return f"{bucket}/{abs(hash(request.node.name))}"


@pytest.fixture
def objects(where):
    return S3Store.from_url(where)


def put_clip(objects, clip_id, receipt=True, **files):
    for name, data in {"drive.json": b"{}", "front.mp4": clip_id.encode() * 99, **files}.items():
        obstore.put(objects, f"inbox/{clip_id}/{name}", data)
    if receipt:
        obstore.put(objects, f"inbox/{clip_id}/receipt.json", json.dumps({"device": "car-1"}).encode())


def keys(objects):
    return {e["path"]: e["size"] for e in obstore.list(objects).collect() if e["path"] != leases.KEY}


def night(store):
    """The steps of a night, each as the real one, but with clips that no decoder needs to look at."""
    for folder in store.folders("inbox"):
        bad = folder.name == BAD
        write_bytes(folder / ("reason.json" if bad else "admission.json"), b'{"reason": "bad", "refuted": []}')
        target = store.root / ("quarantine" if bad else "clips") / folder.name
        target.parent.mkdir(exist_ok=True)
        folder.rename(target)
    note_arrivals(store, 7)
    names = [folder.name for folder in store.folders("clips")]
    write_bytes(store.root / "reports/tonight.html", b"<p>")
    return publish(store.root, table([row(name) for name in names]), {}, {}, dict.fromkeys(names, "0" * 64))


def test_clips_move_within_the_bucket_and_versions_appear(objects, where, tmp_path):
    for clip_id in (*GOOD, BAD):
        put_clip(objects, clip_id)
    with bucket_store(where, tmp_path / "work") as store:
        version = night(store)
    found = keys(objects)
    assert {name for name in found if name.startswith("inbox/")} == set()
    files = {"drive.json", "front.mp4", "receipt.json", "admission.json"}
    assert {name for name in found if name.startswith("clips/")} == {f"clips/{c}/{f}" for c in GOOD for f in files}
    refused = {name.split("/", 2)[2] for name in found if name.startswith(f"quarantine/{BAD}.")}
    assert refused == {"drive.json", "front.mp4", "receipt.json", "reason.json"}
    assert {f"versions/{version.name}/rows.parquet", f"versions/{version.name}/version.json"} <= set(found)
    assert {"journal.jsonl", "reports/tonight.html"} <= set(found)


def test_what_is_still_arriving_is_left_alone(objects, where, tmp_path):
    put_clip(objects, GOOD[0])
    put_clip(objects, GOOD[1], receipt=False)
    before = {k: v for k, v in keys(objects).items() if GOOD[1] in k}
    with bucket_store(where, tmp_path / "work") as store:
        assert [f.name for f in store.folders("inbox")] == [GOOD[0]]
        night(store)
    assert {k: v for k, v in keys(objects).items() if GOOD[1] in k} == before


def test_clips_are_fetched_once_and_a_strange_work_folder_is_refused(objects, where, tmp_path, monkeypatch):
    put_clip(objects, GOOD[0])
    with bucket_store(where, tmp_path / "work") as store:
        first = night(store)
    fetched = []
    get = obstore.get
    monkeypatch.setattr(obstore, "get", lambda bucket, key, **more: fetched.append(key) or get(bucket, key, **more))
    put_clip(objects, GOOD[1])
    with bucket_store(where, tmp_path / "work") as store:
        second = night(store)
    assert not any(GOOD[0] in key or first.name in key for key in fetched)
    assert second.head["parent"] == first.name
    assert len(read_journal(tmp_path / "work")) == 2
    with pytest.raises(StoreError, match="not a copy"), bucket_store(f"{where}-2", tmp_path / "work"):
        pass


class Killed(BaseException):
    pass


def killed_at(monkeypatch, number):
    """The object store's calls that change something; the given one is not made, nor any after it."""
    count, lock = [0], threading.Lock()

    def guarded(call):
        def wrapped(bucket, key, *rest, **more):
            with lock:
                count[0] += key != leases.KEY
                over = count[0] >= number
            if over:
                raise Killed
            return call(bucket, key, *rest, **more)

        return wrapped

    for name in ("put", "copy", "delete"):
        monkeypatch.setattr(obstore, name, guarded(getattr(obstore, name)))


def ended_in(where, work, monkeypatch, number=None):
    """What the bucket holds after a night, killed at a write or not; None where it was killed."""
    with monkeypatch.context() as patched:
        if number:
            killed_at(patched, number)
        try:
            with bucket_store(where, work) as store:
                night(store)
        except Killed:
            return None
    return keys(S3Store.from_url(where))


def test_killed_at_any_write_the_next_run_ends_in_the_same_bucket(where, tmp_path, monkeypatch):
    """With the same work folder, and with a fresh one."""
    monkeypatch.setattr("curate.bucket.CLIPS_AT_ONCE", 1)
    monkeypatch.setattr(leases, "LASTS_S", -1.0)  # so that the next run need not wait for the killed one's lease
    put_both(f"{where}/whole")
    wanted = ended_in(f"{where}/whole", tmp_path / "whole", monkeypatch)
    kills = 0
    while True:
        here, work = f"{where}/{kills}", tmp_path / f"work-{kills}"
        put_both(here)
        if ended_in(here, work, monkeypatch, kills + 1) is not None:
            break
        kills += 1
        assert ended_in(here, work if kills % 2 else tmp_path / f"fresh-{kills}", monkeypatch) == wanted
    assert kills > 10


def put_both(where):
    for clip_id in (GOOD[0], BAD):
        put_clip(S3Store.from_url(where), clip_id)


def test_a_night_that_ends_with_an_error_still_takes_the_refused_out(objects, where, tmp_path):
    put_clip(objects, BAD)

    def broken():
        with bucket_store(where, tmp_path / "work") as store:
            night(store)
            raise IndexError

    with pytest.raises(IndexError):
        broken()
    assert not any(name.startswith("inbox/") for name in keys(objects))


def test_two_runs_at_once_one_is_told_so(objects, where, tmp_path):
    put_clip(objects, GOOD[0])
    with bucket_store(where, tmp_path / "one") as store:
        with pytest.raises(StoreError, match="another run"), bucket_store(where, tmp_path / "two"):
            pass
        night(store)
    with bucket_store(where, tmp_path / "two") as store:
        assert version_names(store.root) == [resolve(store.root)]


def test_a_run_that_was_taken_over_writes_nothing_more(objects, where, tmp_path):
    put_clip(objects, GOOD[0])
    before = keys(objects)

    def slow():
        with bucket_store(where, tmp_path / "slow") as store:
            night(store)
            Lease(objects, now_s=lambda: 1e12).take()

    with pytest.raises(StoreError, match="another run"):
        slow()
    assert keys(objects) == before


def test_a_lease_ends_by_itself_and_is_kept_by_renewal(objects):
    now = [0.0]
    one, two = (Lease(objects, now_s=lambda: now[0]) for _ in range(2))
    one.take()
    now[0] = 500.0
    one.renew()
    now[0] = 1000.0
    with pytest.raises(StoreError, match="for 100 s"):
        two.take()
    now[0] = 1101.0
    two.take()
    with pytest.raises(StoreError, match="quicker"):
        one.renew()
    one.release()
    with pytest.raises(StoreError):
        one.take()
    two.release()
    one.take()


def test_waiting_for_the_lease(objects):
    first, asked = Lease(objects), []
    first.take()

    def wait():
        asked.append(1)
        if len(asked) == 3:
            first.release()
        return True

    with held(Lease(objects), wait):
        assert len(asked) == 3


def test_a_lost_answer_is_not_taken_for_a_lost_lease(objects, monkeypatch):
    lease, put = Lease(objects), obstore.put

    def twice(*arguments, **more):
        put(*arguments, **more)
        return put(*arguments, **more)

    lease.take()
    monkeypatch.setattr(obstore, "put", twice)
    lease.renew()
    lease.renew()


def test_a_damaged_lease_holds_nobody_back(objects):
    obstore.put(objects, leases.KEY, b"junk")
    Lease(objects).take()


def test_the_real_night_gives_the_same_version_as_over_a_folder(objects, where, native_drive, tmp_path):
    drive = open_drive(native_drive("d", drive_telemetry(12.0), 12.0))
    for written in cut(scan(drive, 1.0), tmp_path / "clips"):
        clip = open_clip(written.folder)
        for name in clip.names:
            obstore.put(objects, f"inbox/{clip.id}/{name}", clip.folder / name)
        obstore.put(objects, f"inbox/{clip.id}/receipt.json", b"{}")
        (tmp_path / "local/inbox").mkdir(parents=True, exist_ok=True)
        clip.folder.rename(tmp_path / "local/inbox" / clip.id)
    with bucket_store(where, tmp_path / "work") as store:
        digest = nightly(store).version.digest
    assert nightly(open_store(tmp_path / "local")).version.digest == digest
