"""The queue survives what garages do to it: every crash between a folder and its row, two agents, an older program."""

import shutil
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import replace

import numpy as np
import pytest
from conftest import drive_telemetry
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from night_world import Car

from edge.clip import open_clip
from edge.cut import cut
from edge.drive import open_drive
from edge.errors import SpoolError
from edge.night.queued import Queued, Reason, State
from edge.night.quota import quotas
from edge.night.recovery import recover
from edge.night.spool import QUEUE, Spool, open_spool, read_spool
from edge.scan import scan
from edge.upload.destination import FolderDestination


@pytest.fixture
def clips(native_drive, tmp_path):
    """Two event clips on the disk, not queued."""
    speed = np.interp(np.arange(0, 60, 0.02), [0, 10, 12, 20, 40, 42, 60], [20, 20, 8, 20, 20, 8, 8])
    drive = open_drive(native_drive("d", drive_telemetry(60.0, speed_mps=speed)))
    return [written.folder for written in cut(scan(drive, 0.0), tmp_path / "cut")]


def put(folder, root):
    (root / "clips").mkdir(parents=True, exist_ok=True)
    return shutil.copytree(folder, root / "clips" / folder.name)


def test_a_clip_without_a_row_is_queued_by_the_next_start(clips, tmp_path):
    for folder in clips:
        put(folder, tmp_path / "spool")
    with open_spool(tmp_path / "spool") as spool:
        assert recover(spool).adopted == 2
        assert [c.clip_id for c in spool.clips(State.CUT)] == [open_clip(f).id for f in clips]
        assert recover(spool).adopted == 0


def test_what_is_half_made_is_swept_and_what_is_damaged_set_aside(clips, tmp_path):
    root = tmp_path / "spool"
    (put(clips[0], root) / "front.mp4").write_bytes(b"")
    (root / "clips/.swerve-cut-1").mkdir()
    with open_spool(root) as spool:
        found = recover(spool)
        assert (found.swept, found.adopted, found.lost) == (1, 0, 0)
        assert not spool.clips()
    assert not list((root / "clips").iterdir())
    assert len(list((root / "damaged").iterdir())) == 1


def test_a_copy_that_was_taken_away_is_told_as_missing(clips, tmp_path):
    folder = put(clips[0], tmp_path / "spool")
    with open_spool(tmp_path / "spool") as spool:
        recover(spool)
        shutil.rmtree(folder)
        assert recover(spool).lost == 1
        assert spool.clips()[0].reason is Reason.MISSING


def test_a_dropped_clip_whose_folder_a_crash_left_goes_with_the_next_start(clips, tmp_path):
    folder = put(clips[0], tmp_path / "spool")
    with open_spool(tmp_path / "spool") as spool:
        recover(spool)
        spool.drop(spool.clips(), Reason.DISK)
        assert not folder.exists()
        put(clips[0], tmp_path / "spool")
        recover(spool)
        assert not folder.exists()
        assert spool.clips()[0].reason is Reason.DISK


def test_one_agent_at_a_time_and_anybody_may_look(tmp_path):
    with open_spool(tmp_path), read_spool(tmp_path) as looked:
        assert looked.clips() == []
        with pytest.raises(SpoolError, match="another agent"), open_spool(tmp_path):
            pass
    with open_spool(tmp_path):
        pass


def test_a_queue_of_a_newer_program_is_left_alone(tmp_path):
    with open_spool(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / QUEUE)) as database:
        database.execute("PRAGMA user_version = 99")
    for opened in (open_spool, read_spool):
        with pytest.raises(SpoolError, match="version 99"), opened(tmp_path):
            pass


def test_a_queue_of_an_older_program_is_read_as_it_is_and_brought_up_by_the_agent(clips, tmp_path):
    root = tmp_path / "spool"
    put(clips[0], root)
    with open_spool(root) as spool:
        recover(spool)
        old = [replace(clip, charges={}) for clip in spool.clips()]
    with closing(sqlite3.connect(root / QUEUE)) as database:
        database.executescript(
            "DROP TABLE campaigns; ALTER TABLE clips DROP COLUMN charges; ALTER TABLE drives DROP COLUMN silent;"
            "PRAGMA user_version = 1"
        )
    for _ in range(2):
        with read_spool(root) as looked:
            assert (looked.clips(), looked.drives(), quotas(looked)) == (old, [], [])
    with closing(sqlite3.connect(root / QUEUE)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,), "an older agent may still work on it"
    with open_spool(root) as spool:
        assert (spool.clips(), quotas(spool)) == (old, [])


def test_a_queue_that_is_no_database_is_said(tmp_path):
    (tmp_path / QUEUE).write_bytes(b"not a database, but long enough to have a header of sixteen bytes")
    with pytest.raises(SpoolError, match="database"), open_spool(tmp_path):
        pass


def test_a_step_that_fails_changes_nothing(clips, tmp_path):
    put(clips[0], tmp_path / "spool")
    with open_spool(tmp_path / "spool") as spool:
        recover(spool)

        def fails_half_way():
            with spool.change() as database:
                database.execute("UPDATE clips SET state = 'chosen'")
                database.execute("INSERT INTO boots VALUES ('a', 0, 0), ('a', 0, 0)")

        with pytest.raises(SpoolError, match="UNIQUE"):
            fails_half_way()
        assert [c.state for c in spool.clips()] == [State.CUT]


class Crash(BaseException):
    """The power goes."""


class Fuse:
    """Blows before the n-th thing that would reach a disk or a link."""

    left: int | None = None

    def guard(self, work, *arguments):
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                raise Crash
        return work(*arguments)


class FusedStore(FolderDestination):
    fuse = Fuse()

    def append(self, clip_id, name, offset, data):
        return self.fuse.guard(super().append, clip_id, name, offset, data)

    def commit(self, clip_id):
        return self.fuse.guard(super().commit, clip_id)


class FusedSpool(Spool):
    @contextmanager
    def change(self):
        FusedStore.fuse.guard(lambda: None)
        with super().change() as database:
            yield database

    def remove(self, folders):
        FusedStore.fuse.guard(super().remove, folders)


class Journey(RuleBasedStateMachine):
    """Clips appear, nights pass, the power goes at any step; nothing acknowledged is lost, nothing arrives twice."""

    pool: list = []  # noqa: RUF012  clips on the disk, set by the test

    @initialize()
    def begin(self):
        self.root = self.base / f"{id(self)}"
        self.car = Car(self.root)
        self.car.to = FusedStore(self.car.store)
        self.put = set()
        self.once_acknowledged = set()
        self.root.mkdir()

    def start(self, steps):
        """One start of the agent, which the power may end."""
        FusedStore.fuse.left = steps
        try:
            with open_spool(self.root / "spool") as plain:
                spool = FusedSpool(plain.root, plain.database)
                recover(spool)
                self.car.agent(spool).round()
        except Crash:
            pass
        finally:
            FusedStore.fuse.left = None

    @rule(number=st.integers(0, 1))
    def a_clip_is_cut(self, number):
        if number not in self.put:
            put(self.pool[number], self.root / "spool")
            self.put.add(number)

    @rule(steps=st.none() | st.integers(1, 70))
    def a_round(self, steps):
        self.start(steps)

    @rule(hours=st.sampled_from([1.0, 21.0]))
    def time_passes(self, hours):
        self.car.later(hours)

    @rule(boot=st.sampled_from(["boot 1", "boot 2"]), wall_s=st.sampled_from([0.0, 2.0**31]))
    def it_reboots_with_a_wrong_clock(self, boot, wall_s):
        self.car.moment = replace(self.car.moment, boot=boot, wall_s=wall_s)

    @invariant()
    def what_is_visible_is_whole_and_what_is_acknowledged_is_there(self):
        if not (self.root / "spool" / QUEUE).exists():
            return
        with read_spool(self.root / "spool") as spool:
            queued = spool.clips()
        assert len({c.clip_id for c in queued}) == len(queued)
        self.once_acknowledged |= {c.clip_id for c in queued if c.delivered}
        assert self.once_acknowledged <= self.car.arrived()
        assert {c.clip_id for c in queued if c.delivered} == self.once_acknowledged
        for clip_id in self.car.arrived():
            open_clip(self.car.store / "inbox" / clip_id).verify()

    def teardown(self):
        """With the power back, all of it arrives."""
        for _ in range(2):
            self.start(None)
        assert self.car.arrived() == {open_clip(self.pool[n]).id for n in self.put}
        shutil.rmtree(self.root)


def test_any_order_of_clips_nights_and_crashes(clips, tmp_path):
    Journey.pool, Journey.base = clips, tmp_path / "journeys"
    Journey.base.mkdir()
    Journey.TestCase.settings = settings(
        max_examples=20, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
    )
    Journey.TestCase("runTest").runTest()


def test_a_clip_knows_its_drive_and_seconds(clips):
    queued = [Queued.of(open_clip(folder)) for folder in clips]
    assert [(c.first, c.end) for c in queued] == [(4, 18), (34, 48)]
    assert len({c.drive for c in queued}) == 1
    assert not queued[0].overlaps(queued[1])
    assert queued[0].overlaps(replace(queued[0], first=17, end=20))
