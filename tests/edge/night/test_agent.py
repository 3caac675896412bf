"""The agent: what is recorded in the garage is in the store by morning, whatever the garage does."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import drive_telemetry
from night_world import Car

from edge.clip import open_clip
from edge.errors import PushError
from edge.night.budget import wire_bytes
from edge.night.driven import Standing
from edge.night.hours import parse_hours
from edge.night.inclusion import probabilities
from edge.night.ledger import Fate
from edge.night.queued import Lane, Reason, State
from edge.night.terms import Terms
from edge.upload.destination import FolderDestination

ROOT = str(Path(__file__).parents[3])


def brakes_at(*seconds):
    def speed(t_s):
        dips = [12.0 * np.clip((t_s - s) / 2.0, 0.0, 1.0) * (t_s < s + 6.0) for s in seconds]
        return 15.0 - np.sum(dips, axis=0)

    return drive_telemetry(60.0, speed_mps=speed)


@pytest.fixture
def car(tmp_path):
    (tmp_path / "watched").mkdir()
    return Car(tmp_path)


@pytest.fixture
def record(native_drive, car):
    """Puts a drive of a minute with a hard brake at 30 s into the watched folder."""

    def put(name="drive", telemetry=None, **head):
        made = native_drive(name, telemetry or brakes_at(30.0), 60.0, **head)
        return made.rename(car.root / "watched" / name)

    return put


def test_what_was_recorded_is_in_the_store_and_every_second_accounted_for(car, record):
    record()
    car.terms = Terms(baseline=0.05)
    car.round()
    assert not car.told
    (account,) = car.ledger()
    assert account.seconds == 60
    assert account.total(Fate.KEPT) + account.total(Fate.NO_EVENT) == 60
    clips = car.ask(lambda spool: spool.clips())
    assert {c.lane for c in clips} == set(Lane)
    assert {c.reason for c in clips} == {Reason.DELIVERED}
    assert car.arrived() == {c.clip_id for c in clips}
    assert not list((car.root / "spool/clips").iterdir())
    for clip in clips:
        there = open_clip(car.store / "inbox" / clip.clip_id)
        there.verify()
        wanted = probabilities(60, there.offer.baseline, clips)
        told = [there.offer.probability(s) for s in range(clip.first, clip.end)]
        assert told == pytest.approx(wanted[clip.first : clip.end].tolist())
        assert (min(told) == 1.0) == (clip.lane is Lane.EVENT)


@pytest.mark.parametrize("share", ["", "probability = 0.5\n"])
def test_campaigns_are_listened_to_unless_they_draw_by_themselves(car, record, run, share):
    record()
    file = car.root / "slow.toml"
    file.write_text(f'name = "slow"\nexpression = "speed_mps < 12"\nbefore_s = 20\nquota_bytes = 1\n{share}')
    told = ("--to", car.store, "--spool", car.root / "spool", "--once", "--baseline", "0", "--campaign", file)
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        code, _, err = run("edge", "run", car.root / "watched", *told)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    kinds = {event.kind for i in car.arrived() for event in open_clip(car.store / "inbox" / i).cut.events}
    assert (code, "keeps a share" in err) == ((2, True) if share else (0, False))
    assert ("campaign slow is no longer listened to" in err) == (not share)
    assert kinds >= {"slow", "harsh_braking"} if not share else kinds == set()  # it waits for campaigns it can follow


def test_a_second_round_does_nothing_again(car, record):
    record()
    car.round()
    before = car.arrived()
    car.round()
    assert car.arrived() == before
    assert len(car.ask(lambda spool: spool.drives())) == 1


def test_the_same_recording_in_another_place_is_known(car, record):
    folder = record()
    car.round()
    shutil.copytree(folder, folder.with_name("copy"))
    car.round()
    assert [d.standing for d in car.ask(lambda spool: spool.drives())] == [Standing.SCANNED, Standing.KNOWN]
    assert len(car.ledger()) == 1


def test_without_consent_nothing_is_cut_until_the_owner_gives_it(car, record):
    record("open", consent=None)
    record("never", drive_telemetry(60.0, steering_wheel_deg=lambda t: t), consent=False)
    car.round()
    assert not car.arrived()
    assert [a.total(Fate.NO_CONSENT) for a in car.ledger()] == [60, 60]
    car.terms = replace(car.terms, consent=True)
    car.round()
    assert len(car.arrived()) == 1
    assert sorted(a.total(Fate.NO_CONSENT) for a in car.ledger()) == [0, 60]


def test_a_recording_that_is_being_written_is_left_alone(car, record):
    folder = record()
    with (folder / "front.mp4").open("ab"):
        car.round()
        assert not car.ask(lambda spool: spool.drives())
    car.round()
    assert len(car.arrived()) == 1


def test_a_damaged_recording_is_told_once_and_holds_up_nobody(car, record):
    (record("a") / "drive.json").write_text("{")
    record("b")
    car.round()
    assert len(car.told) == 1
    assert len(car.arrived()) == 1
    car.round()
    assert not car.told


def test_a_recording_that_ends_the_agent_again_and_again_is_given_up(car, record):
    class Killed(BaseException):
        pass

    def dies(job, items):
        if job.__name__ == "take_in":
            raise Killed
        yield from map(job, items)

    record()
    for _ in range(5):
        with car.spool() as spool, pytest.raises(Killed):
            replace(car.agent(spool), runner=dies).round()
    car.round()
    (drive,) = car.ask(lambda spool: spool.drives())
    assert drive.standing is Standing.UNREADABLE
    assert not car.arrived()


class CountingStore(FolderDestination):
    """Keeps the wire bytes of every call."""

    calls = []  # noqa: RUF012  a frozen dataclass; emptied by the fixture

    def receipt(self, clip_id):
        self.calls.append(wire_bytes(0))
        return super().receipt(clip_id)

    def held(self, clip_id, name, entry):
        self.calls.append(wire_bytes(0))
        return super().held(clip_id, name, entry)

    def append(self, clip_id, name, offset, data):
        self.calls.append(wire_bytes(len(data)))
        return super().append(clip_id, name, offset, data)

    def commit(self, clip_id):
        self.calls.append(wire_bytes(0))
        return super().commit(clip_id)


@pytest.fixture
def small_chunks(monkeypatch):
    """Clips of tests are small, so chunks must be, for a night to end inside a file."""
    for module in ("night.budget", "upload.push", "night.sending"):
        monkeypatch.setattr(f"edge.{module}.CHUNK_BYTES", 1000)


class Unreachable(FolderDestination):
    def receipt(self, clip_id):
        raise PushError("no answer", "an answer", "push again later")


@pytest.mark.parametrize("bytes_a_night", [190_000, 300_000, 10_000_000])
def test_a_night_never_sends_more_than_its_bytes_and_the_next_goes_on(car, record, small_chunks, bytes_a_night):
    """Three clips that were chosen and do not fit in one night; switching off and on makes no byte free again."""
    record("a", brakes_at(10.0, 45.0))
    record("b")
    car.to = Unreachable(car.store)
    car.round()
    car.to, car.terms = CountingStore(car.store), replace(car.terms, bytes_a_night=bytes_a_night)
    nights = 0
    while len(car.arrived()) < 3:
        car.later(21.0)
        CountingStore.calls.clear()
        for _ in range(3):
            car.round()
        assert 0 < sum(CountingStore.calls) <= bytes_a_night
        nights += 1
        assert nights < 50
    assert not car.told
    assert (nights == 1) == (bytes_a_night == 10_000_000)


def test_a_store_that_refuses_keeps_nothing_and_loses_nothing(car, record):
    class Refuses(FolderDestination):
        def commit(self, clip_id):
            raise PushError("403", "a clip that is taken", "ask")

    record()
    car.to = Refuses(car.store)
    car.round()
    (clip,) = car.ask(lambda spool: spool.clips())
    assert clip.state is State.CHOSEN
    assert [type(problem) for problem in car.told] == [PushError]
    car.to = None
    car.round()
    assert car.arrived() == {clip.clip_id}


def test_a_copy_stays_until_its_receipt_can_be_read_back(car, record):
    class Forgets(FolderDestination):
        def receipt(self, clip_id):
            return None

    record()
    car.to = Forgets(car.store)
    car.round()
    (clip,) = car.ask(lambda spool: spool.clips())
    assert clip.state is State.SENT
    assert (car.root / "spool/clips" / clip.folder).is_dir()
    car.to = None
    car.round()
    assert car.ask(lambda spool: spool.clips())[0].reason is Reason.DELIVERED


def test_a_clip_that_rots_on_the_disk_is_set_aside_and_never_sent(car, record):
    record()
    car.unmetered = False
    car.round()
    (clip,) = car.ask(lambda spool: spool.clips())
    video = car.root / "spool/clips" / clip.folder / "front.mp4"
    video.write_bytes(video.read_bytes()[:-1] + b"?")
    car.unmetered = True
    car.round()
    assert not car.arrived()
    assert car.ledger()[0].total(Fate.DAMAGED) == clip.end - clip.first
    assert len(list((car.root / "spool/damaged").iterdir())) == 1


def test_nothing_is_sent_over_a_metered_link_or_outside_the_hours(car, record):
    record()
    car.unmetered = False
    car.round()
    car.unmetered, car.terms = True, replace(car.terms, hours=parse_hours("1-5"))
    car.round()
    assert not car.arrived()
    car.moment = replace(car.moment, minute=70)
    car.round()
    assert len(car.arrived()) == 1


@pytest.mark.parametrize("wall_s", [0.0, 2**31 - 1.0])
def test_a_clock_that_jumps_changes_nothing(car, record, small_chunks, wall_s):
    """To 1970 or 2038, over two reboots: the night does not begin again, and the order stays."""
    record("a", brakes_at(10.0, 45.0))
    car.to = Unreachable(car.store)
    car.round()
    car.later(21.0)
    car.to, car.terms = CountingStore(car.store), replace(car.terms, bytes_a_night=300_000)
    CountingStore.calls.clear()
    for boot in ("boot 1", "boot 2", "boot 3"):
        car.round()
        car.moment = replace(car.moment, boot=boot, wall_s=wall_s, powered_s=car.moment.powered_s + 60)
    assert sum(CountingStore.calls) <= 300_000
    assert len(car.arrived()) < 2
    assert [c.sequence for c in car.ask(lambda spool: spool.clips())] == [1, 2]
    for _ in range(10):
        car.later(21.0)  # by the time the machine was on
        car.round()
    assert len(car.arrived()) == 2


def test_when_the_disk_is_short_ordinary_clips_go_first_and_recording_has_its_reserve(car, record):
    record()
    car.unmetered, car.terms = False, Terms(baseline=0.05, reserve=1000)
    car.round()
    sizes = {c.lane: c.bytes for c in car.ask(lambda spool: spool.clips())}
    assert set(sizes) == set(Lane)
    car.free_bytes = 999
    car.round()
    kept = {c.lane: c.state for c in car.ask(lambda spool: spool.clips()) if c.state is not State.DROPPED}
    assert kept == {Lane.EVENT: State.CUT} or sizes[Lane.BASELINE] == 0
    record("next")
    car.round()
    assert len(car.ask(lambda spool: spool.drives())) == 1, "nothing is cut into the reserve"


def test_where_nothing_lies_a_round_needs_no_child_and_nothing_heavy(tmp_path):
    (tmp_path / "watched").mkdir()
    command = ["edge", "run", "watched", "--to", "store", "--spool", "spool", "--once"]
    heavy = "{'av', 'multiprocessing.forkserver', 'numpy', 'pyarrow', 'rich'}"
    program = f"import sys, swerve; swerve.swerve.main({command}, standalone_mode=False); "
    program += f"assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=os.environ | {"PYTHONPATH": ROOT}, check=True)


def test_run_stops_on_sigterm_without_a_word(car, record, run, monkeypatch):
    record()
    monkeypatch.setattr("time.sleep", lambda seconds: os.kill(os.getpid(), signal.SIGTERM))
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        code, _, err = run("edge", "run", car.root / "watched", "--to", car.store, "--spool", car.root / "spool")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert (code, err) == (0, "")
    assert car.arrived()
    assert not multiprocessing.active_children()


def test_the_commands_tell_what_was_done(car, record, run):
    record()
    queue = car.root / "spool"
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        code, _, err = run("edge", "run", car.root / "watched", "--to", car.store, "--spool", queue, "--once")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert (code, err) == (0, "")
    _, status, _ = run("edge", "status", "--spool", queue)
    assert "delivered" in status
    assert "1 scanned" in status
    _, ledger, _ = run("edge", "ledger", "--spool", queue)
    assert "kept" in ledger
    code, _, err = run("edge", "status", "--spool", car.root / "nowhere")
    assert code == 2
    assert "no queue" in err
