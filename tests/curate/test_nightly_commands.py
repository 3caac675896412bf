"""The night as it is started by hand or by a timer: what it says, what it leaves alone, how it ends."""

import fcntl
import json
import os
import threading

import pytest
from conftest import T0_NS, drive_telemetry

from curate.errors import StoreBusy
from curate.journal import read_journal
from curate.rehearsal import shadow
from curate.store import open_store
from curate.version.names import version_names
from edge.cut import cut
from edge.drive import open_drive
from edge.scan import scan
from edge.upload.destination import FolderDestination
from edge.upload.push import push

RECORDED = "2023-11-14T22:13:20"
"""T0_NS as a date."""


@pytest.fixture
def store(native_drive, tmp_path):
    drive = open_drive(native_drive("d", drive_telemetry(12.0), 12.0))
    for written in cut(scan(drive, 1.0), tmp_path / "clips"):
        push(written.folder, FolderDestination(tmp_path / "store"))
    return tmp_path / "store"


def held(root):
    """Every file, with what is in it and what it is."""
    return {
        str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file() and p.name != ".lock"
    }


def test_a_dry_run_tells_what_the_night_would_do_and_changes_nothing(store, run):
    before = held(store)
    code, out, _ = run("curate", "nightly", "--store", store, "--dry-run", "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["dry_run"], told["difference"]) == (True, None)
    assert held(store) == before
    did = json.loads(run("curate", "nightly", "--store", store, "--json")[1])
    assert (did["digest"], did["version"], did["admitted"]) == (told["digest"], told["version"], told["admitted"])
    assert version_names(store) == [did["version"]]
    assert (store / "reports" / f"{did['version']}.html").is_file()
    assert [entry.name for entry in read_journal(store)] == did["admitted"]


def test_a_dry_run_shows_the_difference_to_the_version_before(store, run):
    assert run("curate", "nightly", "--store", store)[0] == 0
    before = held(store)
    code, out, _ = run("curate", "nightly", "--store", store, "--dry-run", "--split", "time:0.5")
    assert code == 0
    assert "seconds" in out
    assert "recipe" in out
    assert held(store) == before


def test_a_shadow_can_be_spoilt(store):
    before = held(store)
    with shadow(open_store(store)) as copy:
        (clip,) = copy.folders("inbox")
        for path in clip.iterdir():
            path.unlink()
        clip.rmdir()
    assert held(store) == before


@pytest.mark.parametrize(("since", "code"), [(RECORDED, 0), ("2023-11-15", 2)])
def test_only_clips_recorded_since(store, run, since, code):
    assert T0_NS == 1_700_000_000 * 10**9
    ended, out, err = run("curate", "nightly", "--store", store, "--since", since, "--json")
    assert ended == code
    if code == 0:
        assert json.loads(out)["recipe"]["since_ns"] == T0_NS
    else:
        assert "no clip" in err


def test_another_run_at_work_is_exit_code_75(store, run):
    with open_store(store).locked():
        code, _, err = run("curate", "nightly", "--store", store)
    assert code == 75
    assert "--wait" in err


def test_a_patient_run_begins_when_the_other_has_ended(store):
    descriptor = os.open(store / ".lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(StoreBusy), open_store(store).locked():
        pass
    entered = threading.Event()

    def wait():
        with open_store(store, patient=True).locked():
            entered.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not entered.is_set()
    os.close(descriptor)
    waiting.join(30)
    assert entered.is_set()


def test_a_bucket_needs_a_work_folder(tmp_path, run):
    for where in ("s3://nowhere/x", "ftp://nowhere"):
        code, _, err = run("curate", "nightly", "--store", where)
        assert code == 2
        assert "--work" in err


def test_the_command_runs_over_a_bucket(bucket, store, tmp_path, run):
    import obstore
    from obstore.store import S3Store

    where = f"{bucket}/command"
    objects = S3Store.from_url(where)
    (clip,) = (store / "inbox").iterdir()
    for path in clip.iterdir():
        obstore.put(objects, f"inbox/{clip.name}/{path.name}", path)
    obstore.put(objects, f"inbox/{clip.name}/receipt.json", b'{"device": "car-1"}')

    def keys():
        return {entry["path"] for entry in obstore.list(objects).collect()} - {"nightly.lock"}

    before = keys()
    arguments = ("curate", "nightly", "--store", where, "--work", tmp_path / "work", "--json")
    told = json.loads(run(*arguments, "--dry-run")[1])
    assert keys() == before
    did = json.loads(run(*arguments)[1])
    assert did["digest"] == told["digest"]
    assert {f"versions/{did['version']}/version.json", f"reports/{did['version']}.html", "journal.jsonl"} <= keys()
