"""The device that sent a clip can ask what became of it; no other device can."""

import pytest

from curate.admit import admit
from curate.nightly import nightly
from curate.store import open_store
from edge.upload.push import push
from service.conftest import Sender


@pytest.fixture
def clip(bench, make_clip):
    made = make_clip()
    push(made.folder, bench.car())
    return made


def status(bench, clip, device="car-1"):
    return Sender(bench, device).ask("GET", f"/v1/clips/{clip.id}/status", Tus_Resumable=None)


def test_a_clip_is_received_and_then_admitted(bench, clip):
    answer = status(bench, clip)
    assert (answer.status_code, answer.json()) == (200, {"clip": clip.id, "state": "received", "versions": []})
    assert answer.headers["Cache-Control"] == "no-store"
    assert [admission.code for admission in admit(open_store(bench.root))] == [""]
    assert status(bench, clip).json() == {"clip": clip.id, "state": "admitted", "versions": []}


def test_the_versions_that_were_made_of_a_clip_are_told(bench, clip, make_clip):
    first = nightly(open_store(bench.root)).version.name
    assert status(bench, clip).json() == {"clip": clip.id, "state": "admitted", "versions": [first]}
    later = make_clip(seconds=3)
    push(later.folder, bench.car())
    second = nightly(open_store(bench.root)).version.name
    assert status(bench, clip).json()["versions"] == [first, second]
    assert status(bench, later).json()["versions"] == [second]


def test_a_version_that_is_not_whole_holds_nothing(bench, clip):
    (bench.root / "versions/0001-abcdef01").mkdir(parents=True)
    (bench.root / "versions/0002-abcdef02").mkdir()
    (bench.root / "versions/0002-abcdef02/version.json").touch()
    assert status(bench, clip).json()["versions"] == []


def test_a_refused_clip_says_why(bench, clip):
    (bench.root / "inbox" / clip.id / "front.mp4").write_bytes(b"no pictures")
    (admission,) = admit(open_store(bench.root))
    assert admission.code
    wanted = {"clip": clip.id, "state": "quarantined", "versions": [], "reason": admission.code}
    assert status(bench, clip).json() == wanted


@pytest.mark.parametrize("reason", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_a_reason_that_cannot_be_read_is_unknown(bench, clip, reason):
    (bench.root / "quarantine").mkdir(exist_ok=True)
    (bench.root / "inbox" / clip.id).rename(bench.root / "quarantine" / clip.id)
    (bench.root / "quarantine" / clip.id / "reason.json").write_bytes(reason)
    assert status(bench, clip).json()["reason"] == "unknown"


def test_a_clip_that_was_taken_elsewhere_says_so(bench, clip):
    (bench.root / "inbox" / clip.id).rename(bench.root / "elsewhere")
    assert status(bench, clip).json() == {"clip": clip.id, "state": "moved", "versions": []}


def test_another_device_is_told_nothing(bench, clip, make_clip):
    assert status(bench, clip, "car-2").status_code == 404
    assert status(bench, clip, "car-2").json() == status(bench, make_clip(seconds=3), "car-2").json()
    push(clip.folder, bench.car("car-2"))  # the clip is known: the receipt is still the first device's
    assert status(bench, clip, "car-2").status_code == 404


def test_who_asks_must_say_who_it_is_and_for_which_clip(bench, clip, sender):
    assert bench.client.get(f"/v1/clips/{clip.id}/status").status_code == 401
    assert sender.ask("GET", "/v1/clips/none/status").status_code == 400
    assert sender.ask("GET", f"/v1/clips/{'a' * 64}/status").status_code == 404
