"""Changes that wait for the disk together reach it together, and each stands for itself."""

import sqlite3
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from errno import EIO

import pytest

from curate.service.state import State


@pytest.fixture
def state(tmp_path):
    opened = State(tmp_path / "service.db")
    yield opened
    opened.close()


def enter(name):
    return lambda db: db.execute("INSERT INTO device_key VALUES (?, 'car', x'00', 0, NULL)", (name,))


def names(state):
    return [row["id"] for row in state.rows("SELECT id FROM device_key ORDER BY id")]


class Noticed(deque):
    """A queue that says when something was added."""

    def __init__(self):
        super().__init__()
        self.added = threading.Semaphore(0)

    def append(self, item):
        super().append(item)
        self.added.release()


def together(state, works, folder=None):
    """Errors of changes that all wait while another one is under way, in order, and how often the disk was asked."""
    commits, under_way, state._waiting = [], threading.Event(), Noticed()
    state._db.set_trace_callback(lambda line: commits.append(line) if line == "COMMIT" else None)

    def first(_):
        under_way.set()
        for _ in range(1 + len(works)):
            state._waiting.added.acquire()

    def one(work):
        under_way.wait()
        try:
            state.change(work, folder)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(works) + 1) as pool:
        begun = pool.submit(state.change, first)
        errors = list(pool.map(one, works))
        begun.result()
    state._db.set_trace_callback(None)
    return errors, len(commits)


def test_changes_that_wait_share_one_commit(state):
    assert together(state, [enter(f"{n}") for n in range(8)]) == ([None] * 8, 2)
    assert names(state) == [f"{n}" for n in range(8)]


def test_one_that_raises_undoes_itself_alone(state):
    def half(db):
        enter("half")(db)
        raise KeyError("changed its mind")

    errors, commits = together(state, [enter("a"), half, enter("a"), enter("b")])
    assert [type(error) for error in errors].count(type(None)) == 2
    assert {type(error) for error in errors} == {type(None), KeyError, sqlite3.IntegrityError}
    assert commits == 2
    assert names(state) == ["a", "b"]


def test_a_disk_that_refuses_is_said_to_every_one_of_them(state):
    def full(db):
        db.execute("ROLLBACK")  # as SQLite does by itself where a disk is full

    errors, _ = together(state, [enter("a"), full, enter("b")])
    assert [type(error) for error in errors] == [sqlite3.OperationalError] * 3
    assert names(state) == []
    state.change(enter("c"))
    assert names(state) == ["c"]


def test_the_folder_of_changes_that_wait_is_forced_once_and_before_them(state, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("curate.service.state.sync_folder", lambda folder: seen.append((folder, names(state))))
    assert together(state, [enter(f"{n}") for n in range(8)], tmp_path) == ([None] * 8, 2)
    assert seen == [(tmp_path, [])]


def test_nothing_is_changed_where_the_folder_cannot_be_forced(state, tmp_path, monkeypatch):
    def refuse(_):
        raise OSError(EIO, "the disk refuses")

    with monkeypatch.context() as patched:
        patched.setattr("curate.service.state.sync_folder", refuse)
        with pytest.raises(OSError, match="the disk refuses"):
            state.change(enter("a"), tmp_path)
    assert names(state) == []
    state.change(enter("b"), tmp_path)
    assert names(state) == ["b"]
