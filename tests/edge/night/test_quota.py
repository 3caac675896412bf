"""A campaign brings no more bytes than its quota, whatever becomes of its clips, and nothing it finds moves its ear."""

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import drive_telemetry
from hypothesis import given
from hypothesis import strategies as st
from night_world import Car

from edge.clip import open_clip
from edge.night.charges import charges_of
from edge.night.driven import Standing
from edge.night.queued import Reason
from edge.night.quota import Hearing, quotas
from trigger.campaign import read
from trigger.event import Event, Evidence, version_of

S = 1_000_000_000


@pytest.fixture
def car(tmp_path):
    (tmp_path / "watched").mkdir()
    return Car(tmp_path)


@pytest.fixture
def record(native_drive, car):
    """Puts a calm drive of a minute into the watched folder, which dips below 12 m/s at the given seconds."""

    def put(name, *at_s, consent=True):
        def speed(t_s):
            dips = [np.clip(4.0 - np.abs(t_s - s), 0.0, 2.0) for s in at_s]
            return 13.0 - np.sum(dips, axis=0)

        made = native_drive(name, drive_telemetry(60.0, speed_mps=speed), 60.0, consent=consent)
        return made.rename(car.root / "watched" / name)

    return put


def slow(quota=None, limit=12, name="slow", **keys):
    lines = [f'name = "{name}"', f'expression = "speed_mps < {limit}"', *(f"{k} = {v}" for k, v in keys.items())]
    return read("\n".join([*lines, *([f"quota_bytes = {quota}"] if quota else [])]))


def asked_in(car):
    """Recordings of which clips of the campaign arrived."""
    clips = [open_clip(car.store / "inbox" / clip_id) for clip_id in car.arrived()]
    return sorted(clip.cut.parent for clip in clips if any(event.kind == "slow" for event in clip.cut.events))


def used(car, name="slow"):
    return next(quota.used_bytes for quota in car.ask(quotas) if quota.name == name)


def test_a_campaign_whose_quota_is_used_is_silent_from_the_next_recording_on_and_that_is_said_once(car, record):
    for name in "abc":
        record(name, 20.0, 45.0)
    car.campaigns = (slow(quota=1),)
    car.round()
    assert asked_in(car) == ["a", "a"], "both clips of the recording that passes it, and no other's"
    assert car.notes == [f"campaign slow is no longer listened to: {used(car):,} bytes of its 1 are used"]
    assert used(car) == sum(clip.bytes for clip in car.ask(lambda spool: spool.clips())), "also once they are delivered"
    car.round()
    assert not car.notes
    car.campaigns = (slow(quota=10**9, limit=11.9),)
    record("d", 20.0)
    car.round()
    assert car.notes == ["campaign slow is listened to again"]
    assert asked_in(car) == ["a", "a", "d"]
    assert used(car) == sum(clip.bytes for clip in car.ask(lambda spool: spool.clips())), "under both its texts"


def test_clips_that_will_never_arrive_give_their_bytes_back(car, record):
    record("a", 20.0)
    car.campaigns, car.unmetered = (slow(quota=1),), False
    car.round()
    assert used(car) > 0, "while it may still be sent"
    car.ask(lambda spool: spool.drop(spool.clips(), Reason.DISK))
    record("b", 20.0)
    car.unmetered = True
    car.round()
    assert used(car) > 0
    assert asked_in(car) == ["b"]


def test_why_a_campaign_is_no_longer_listened_to_is_said(car):
    car.campaigns = (slow(ends="2026-01-30"), slow(name="other"))
    car.round()
    assert not car.notes
    car.campaigns = ()
    car.round()
    assert sorted(car.notes) == [
        "campaign other is no longer listened to: it was withdrawn",
        "campaign slow is no longer listened to: it ended on 2026-01-30",
    ]
    assert {quota.name: quota.hearing for quota in car.ask(quotas)} == {
        "slow": Hearing.ENDED,
        "other": Hearing.WITHDRAWN,
    }


class Killed(BaseException):
    """The power goes."""


def test_a_start_after_a_crash_listens_as_the_first_did_although_its_clips_are_counted_by_now(car, record):
    """Else what a recording holds would decide whether the campaign is listened to in it."""
    record("a", 20.0, 45.0)
    car.campaigns = (slow(quota=1),)

    def dies_when_cut(job, items):
        found = [job(item) for item in items]
        if job.__name__ == "take_in":
            raise Killed
        yield from found

    with car.spool() as spool, pytest.raises(Killed):
        replace(car.agent(spool), runner=dies_when_cut).round()
    with car.spool() as spool:
        assert [quota.used_bytes > 1 for quota in quotas(spool)] == [True], "the clips were found on the disk"
    car.round()
    (drive,) = car.ask(lambda spool: spool.drives())
    assert (drive.standing, drive.tries, drive.silent) == (Standing.SCANNED, 2, frozenset())
    assert asked_in(car) == ["a", "a"]
    assert used(car) == sum(clip.bytes for clip in car.ask(lambda spool: spool.clips())), "each counts once"


def test_recordings_that_waited_for_consent_are_asked_about_when_they_are_read(car, record):
    for name in "abc":
        record(name, 20.0, consent=None)
    car.campaigns = (slow(quota=1),)
    car.round()
    assert not car.arrived()
    car.terms = replace(car.terms, consent=True)
    car.round()
    assert asked_in(car) == ["a"]


def test_status_shows_what_each_campaign_used_and_whether_it_is_listened_to(car, record, run):
    record("a", 20.0)
    car.campaigns = (slow(quota=1000, ends="2036-01-01"), slow(name="free"))
    car.round()
    code, out, _ = run("edge", "status", "--spool", car.root / "spool", "--json")
    assert code == 0
    told = {row.pop("name"): row for row in json.loads(out)["campaigns"]}
    assert told == {
        "slow": {"quota_bytes": 1000, "ends": "2036-01-01", "hearing": "quota used", "used_bytes": used(car)},
        "free": {"quota_bytes": None, "ends": None, "hearing": "heard", "used_bytes": used(car, "free")},
    }
    _, out, _ = run("edge", "status", "--spool", car.root / "spool")
    assert "quota used" in out
    assert "no quota" in out


def event(first, end, campaign=None):
    version = version_of(campaign) if campaign else "3"
    kind = campaign or "harsh_braking"
    return Event(kind, first * S, first * S, (first * S, end * S), 1.0, Evidence("x", 1.0, 1.0), version=version)


def test_a_campaign_pays_for_what_no_built_in_trigger_would_have_kept():
    span, size = (10, 30), 2000
    assert charges_of([event(10, 30)], 0, span, size) == {}
    assert charges_of([event(10, 30, "a")], 0, span, size) == {"a": 2000}
    assert charges_of([event(10, 20), event(15, 30, "a")], 0, span, size) == {"a": 1000}
    assert charges_of([event(5, 40), event(15, 30, "a")], 0, span, size) == {}
    assert charges_of([event(10, 22, "a"), event(20, 30, "b")], 0, span, size) == {"a": 1200, "b": 1000}


windows = st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda w: (w[0], w[0] + w[1]))


@given(st.lists(st.tuples(windows, st.sampled_from([None, "a", "b"])), min_size=1), st.integers(0, 10**6))
def test_campaigns_and_built_in_triggers_together_pay_for_the_whole_clip(asked, size):
    span = min(w[0] for w, _ in asked), max(w[1] for w, _ in asked)
    events = [event(*window, campaign) for window, campaign in asked]
    charges = charges_of(events, 0, span, size)
    assert all(0 <= cost <= size for cost in charges.values())
    covered = {s for w, _ in asked for s in range(*w)}
    anyway = {s for w, campaign in asked if campaign is None for s in range(*w)}
    assert sum(charges.values()) >= size * len(covered - anyway) / (span[1] - span[0])
