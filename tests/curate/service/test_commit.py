"""A clip is committed whole, once, and its receipt holds for ever; what is refused says why and is kept."""

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from curate.service.shelf import FolderShelf
from edge.manifest import canonical_json
from edge.upload.destination import FolderDestination
from edge.upload.push import push
from service.conftest import Sender


@pytest.fixture
def clip(make_clip):
    return make_clip()


def files_of(clip):
    return {name: (clip.folder / name).read_bytes() for name in clip.names}


def test_the_receipt_is_the_same_however_often_it_is_asked_for(bench, sender, clip):
    sender.send(clip)
    first = sender.commit(clip.id)
    assert first.status_code == 200
    told = {"clip": clip.id, "device": "car-1", "digest": clip.digest, "bytes": clip.bytes, "time": int(bench.clock())}
    assert first.json() == told
    bench.clock.now_s += 10 * 365 * 86_400
    bench.close()
    bench.open()
    assert sender.commit(clip.id).json() == told
    assert sender.ask("GET", f"/v1/clips/{clip.id}").json() == told
    shutil.rmtree(bench.root / "inbox")
    assert sender.ask("GET", f"/v1/clips/{clip.id}").json() == told


def test_the_digest_can_be_made_by_hand(clip):
    lines = [f"{sha256((clip.folder / n).read_bytes()).hexdigest()}  {n}\n" for n in sorted(clip.names)]
    by_hand = sha256("".join(line for line in lines if "offer.json" not in line).encode()).hexdigest()
    assert clip.digest == by_hand


def test_what_was_not_committed_has_no_receipt(sender, clip):
    sender.send(clip)
    assert sender.ask("GET", f"/v1/clips/{clip.id}").status_code == 404
    assert sender.ask("GET", "/v1/clips/..%2f").status_code in (400, 404)
    assert sender.ask("POST", f"/v1/clips/{clip.id.upper()}").status_code == 400


def test_a_committed_clip_is_neither_deleted_nor_changed(bench, sender, clip):
    sender.send(clip)
    url = sender.begin((clip.folder / "drive.json").read_bytes(), clip.id, "drive.json").headers["Location"]
    sender.commit(clip.id)
    assert sender.ask("DELETE", url).status_code == 403
    assert sender.begin(b"{}", clip.id, "offer.json").status_code == 403
    assert sender.patch(url, 0, b"{}").status_code == 409
    again = sender.begin((clip.folder / "drive.json").read_bytes(), clip.id, "drive.json")
    assert again.headers["Upload-Offset"] == str((clip.folder / "drive.json").stat().st_size)
    bench.clock.now_s += 365 * 86_400
    bench.service.uploads.sweep()
    assert sender.ask("HEAD", url).status_code == 200
    assert files_of(clip) == {n: (bench.root / "inbox" / clip.id / n).read_bytes() for n in clip.names}


@pytest.mark.parametrize("missing", ["drive.json", "offer.json", "telemetry.parquet", "front.mp4"])
def test_a_clip_with_a_file_missing_or_short_is_incomplete(bench, sender, clip, missing):
    files = files_of(clip)
    sender.send(clip, {n: data for n, data in files.items() if n != missing})
    answer = sender.commit(clip.id)
    assert (answer.status_code, answer.json()["reason"]) == (409, "incomplete")
    assert missing in answer.json()["got"]
    url = sender.begin(files[missing], clip.id, missing).headers["Location"]
    sender.patch(url, 0, files[missing][:-1])
    assert sender.commit(clip.id).status_code == 409
    sender.patch(url, len(files[missing]) - 1, files[missing][-1:])
    assert sender.commit(clip.id).status_code == 200


def duplicate_key(data):
    return data.replace(b'"id":', b'"id":"other","id":', 1)


def whole_drive(data):
    return canonical_json({k: v for k, v in json.loads(data).items() if k != "cut"})


def endless(data):
    return data.replace(b'"t0_ns":', b'"t0_ns":1e999,"t0_ns_":', 1)


@pytest.mark.parametrize(
    ("name", "damage", "reason"),
    [
        ("drive.json", lambda data: data[:-1], "bad_manifest"),
        ("drive.json", lambda data: b"[" * 100_000, "bad_manifest"),
        ("drive.json", duplicate_key, "bad_manifest"),
        ("drive.json", endless, "bad_manifest"),
        ("drive.json", whole_drive, "bad_manifest"),
        ("drive.json", lambda data: data.replace(b'"native"', b'"nativf"', 1), "wrong_clip"),
        ("offer.json", lambda data: b"{}", "bad_offer"),
        ("offer.json", lambda data: data.replace(b'"baseline":', b'"baseline":0.5,"baseline":', 1), "bad_offer"),
        ("offer.json", lambda data: data.replace(json.loads(data)["clip_id"].encode(), b"0" * 64), "bad_offer"),
        ("front.mp4", lambda data: data + b"\0", "wrong_file"),
        ("telemetry.parquet", lambda data: bytes(len(data)), "wrong_file"),
    ],
)
def test_what_is_not_that_clip_is_set_aside_with_its_reason(bench, sender, clip, name, damage, reason):
    files = files_of(clip)
    sender.send(clip, files | {name: damage(files[name])})
    answer = sender.commit(clip.id)
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)
    assert bench.folders("inbox") == []
    (aside,) = bench.folders("quarantine")
    why = json.loads((bench.root / "quarantine" / aside / "reason.json").read_text())
    assert (why["reason"], why["device"]) == (reason, "car-1")
    assert (bench.root / "quarantine" / aside / name).read_bytes() == damage(files[name])
    sender.send(clip)  # and the whole clip can still be sent
    assert sender.commit(clip.id).status_code == 200


@pytest.mark.parametrize("name", ["drive.json", "offer.json"])
def test_a_disk_that_cannot_be_read_now_says_nothing_against_the_clip(bench, sender, clip, monkeypatch, name):
    sender.send(clip)
    opened = Path.read_bytes

    def fails(path):
        if fails.left and path.parent.name == "arriving" and opened(path) == files_of(clip)[name]:
            fails.left -= 1
            raise OSError(5, "Input/output error")
        return opened(path)

    fails.left = 1
    monkeypatch.setattr(Path, "read_bytes", fails)
    assert sender.commit(clip.id).status_code == 500
    assert bench.folders("quarantine") == []
    assert sender.commit(clip.id).status_code == 200


def test_files_of_two_clips_mixed_up_are_neither(bench, sender, make_clip):
    one, two = make_clip(), make_clip(seconds=3)
    sender.send(one, files_of(one) | {"front.mp4": (two.folder / "front.mp4").read_bytes()})
    assert sender.commit(one.id).json()["reason"] == "wrong_file"
    sender.send(one, files_of(one) | {"rear.mp4": (two.folder / "front.mp4").read_bytes()})
    assert sender.commit(one.id).json()["reason"] == "wrong_file"
    assert bench.folders("inbox") == []


def test_the_files_of_another_device_do_not_count(bench, sender, clip):
    sender.send(clip)
    assert Sender(bench, "car-2").commit(clip.id).status_code == 409
    sender.commit(clip.id)
    assert Sender(bench, "car-2").commit(clip.id).json()["device"] == "car-1"


def test_a_replay_changes_nothing(bench, sender, clip):
    sender.send(clip)
    sender.commit(clip.id)
    before = {p: p.stat().st_mtime_ns for p in bench.root.rglob("*") if p.is_file() and "service" not in p.parts}
    for name, data in files_of(clip).items():
        url = sender.begin(data, clip.id, name).headers["Location"]
        assert sender.patch(url, 0, data).status_code == 409
    assert sender.commit(clip.id).status_code == 200
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert bench.folders("inbox") == [clip.id]


class Crash(BaseException):
    pass


@pytest.mark.parametrize("step", ["keep", "kept", "_remember", "remembered"])
def test_a_crash_between_any_two_steps_is_mended_by_asking_again(bench, sender, clip, monkeypatch, step):
    sender.send(clip)
    commits = bench.service.commits
    where, name = (FolderShelf, "keep") if step in ("keep", "kept") else (type(commits), "_remember")
    original = getattr(where, name)

    def crash(*arguments):
        if step in ("kept", "remembered"):
            original(*arguments)
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(where, name, crash)
        with pytest.raises(Crash):
            commits.commit("car-1", clip.id)
    bench.close()
    bench.open()
    assert sender.commit(clip.id).json()["digest"] == clip.digest
    assert bench.folders("inbox") == [clip.id]
    assert push(clip.folder, bench.car()).known


def test_a_clip_that_came_by_folder_is_committed_once_more_and_stays_one(bench, sender, clip):
    push(clip.folder, FolderDestination(bench.root))
    assert push(clip.folder, bench.car()).digest == clip.digest
    assert bench.folders("inbox") == [clip.id]
    assert push(clip.folder, bench.car()).known
