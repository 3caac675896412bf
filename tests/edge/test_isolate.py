"""A decoder that dies takes one drive with it; a recording that is still being written is left alone."""

import errno
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge.being_written import refuse_while_written
from edge.drive import open_drive
from edge.errors import DriveError
from edge.isolate import Bounds, Words, each
from edge.jobs import ScanJob, Where, inspect_job


def halve(number: int) -> int:
    if number == 13:
        os.kill(os.getpid(), signal.SIGSEGV)
    if number % 2:
        raise DriveError(f"{number} is odd", "an even number", "add one")
    return number // 2


@pytest.mark.parametrize("children", [1, 2])
def test_a_crash_costs_one_item_and_an_error_is_an_answer(children):
    results = list(each(halve, [2, 13, 4, 5, 13, 6], children=children))
    assert [r for r in results if isinstance(r, int)] == [1, 2, 3]
    assert [str(r).split(";")[0] for r in results if isinstance(r, DriveError)] == [
        "a decoder crashed on 13",
        "5 is odd",
        "a decoder crashed on 13",
    ]


def test_a_job_that_reads_nothing_fails_in_its_own_words():
    words = Words("the world", "could not be driven", "a whole drive", "run it again")
    (crashed,) = each(halve, [13], words=words)
    assert str(crashed) == "the world crashed on 13; wanted a whole drive; run it again"


def fill(mebibytes: int) -> int:
    return len(bytearray(mebibytes << 20))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is bounded on Linux alone")
def test_an_item_that_needs_more_memory_than_it_may_costs_itself():
    small, large, after = each(fill, [1, 1 << 10, 2], Bounds(cpu_s=60, wall_s=60.0, memory_bytes=256 << 20))
    assert (small, after) == (1 << 20, 2 << 20)
    assert isinstance(large, DriveError)
    assert "1024 needs more memory than the 256 MiB" in str(large)


def test_jobs_answer_from_the_child_what_they_answer_here(native_drive, tmp_path):
    where = Where("native", native_drive(seconds=12))
    job = ScanJob(0.5)
    assert list(each(job, [where])) == [job(where)]
    (summary,) = each(inspect_job, [where])
    assert summary == inspect_job(where)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells who writes to a file")
def test_a_recording_that_is_still_being_written_is_refused(native_drive):
    folder = native_drive(seconds=2)
    with (folder / "telemetry.parquet").open("ab"):
        with pytest.raises(DriveError, match="still being written"):
            refuse_while_written(folder)
        with pytest.raises(DriveError, match="still being written"):
            Where("native", folder).open()
    with (folder / "telemetry.parquet").open("rb"):
        refuse_while_written(folder)  # reading is no writing
    assert open_drive(folder).seconds == 2


def test_where_it_cannot_be_told_who_writes_a_recording_waits(native_drive, monkeypatch):
    def refused(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    folder = native_drive(seconds=2)
    monkeypatch.setattr(Path, "glob", refused)
    with pytest.raises(DriveError, match="Too many open files"):
        refuse_while_written(folder)


def hold(pipe: str) -> None:
    with Path(pipe).open("wb") as told:
        told.write(b"up")
        told.flush()
        signal.pause()


def test_a_child_ends_with_a_parent_that_is_killed(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    begin = f"import test_isolate as t; list(t.each(t.hold, [{str(pipe)!r}]))"
    parent = subprocess.Popen(
        [sys.executable, "-c", begin], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    with pipe.open("rb", buffering=0) as told:
        assert told.read(2) == b"up"
        parent.kill()
        parent.wait()
        assert select.select([told], [], [], 30.0)[0], "the child goes on"
        assert told.read() == b""
