"""Campaigns on drives: what they find, what they draw, what a back-test says, and what may be published."""

import hashlib
import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from conftest import T0_NS, drive_telemetry

from edge.clip import open_clip
from edge.cut import cut
from edge.drive import open_drive
from edge.errors import CampaignFileError
from edge.scan import inclusion, scan
from edge.trial.backtest import BackTest, play
from edge.trial.campaigns import RECORD, ever_published, listened_to, publish, read_file
from trigger.campaign import read
from trigger.campaign_file import CampaignError
from trigger.event import TRIGGER_VERSION
from trigger.telemetry import Telemetry

SLOW = 'name = "slow"\nexpression = "speed_mps < kmh(18)"\n'


def slowing(*at_s, to=2.0):
    """15 m/s, and for a second each `to`."""
    return lambda t: 15.0 - (15.0 - to) * sum(np.clip(1.5 - np.abs(t - a) / 1.5, 0, 1) for a in at_s)


def kinds_at(found, kind):
    return [round((e.t_ns - T0_NS) / 1e9) for e in found.events if e.kind == kind]


def test_a_campaigns_events_stand_beside_the_built_in_ones(native_drive):
    drive = open_drive(native_drive(telemetry=drive_telemetry(speed_mps=slowing(20, 40))))
    found = scan(drive, 0.0, [read(SLOW)])
    assert len(kinds_at(found, "slow")) == 2
    assert {"slow", "harsh_braking"} <= {event.kind for event in found.events}
    assert inclusion(found)[[19, 20, 40]].tolist() == [1.0, 1.0, 1.0]


def test_a_campaign_whose_signals_are_not_there_says_so(native_drive):
    found = scan(open_drive(native_drive()), 0.0, [read('name = "near"\nexpression = "lead_distance_m < m(5)"')])
    assert found.absent["near"] == "lead_distance_m"


@pytest.mark.parametrize("name", ["abrupt_brake", "baseline", "disengagement"])
def test_the_names_of_built_in_triggers_are_taken(native_drive, name):
    with pytest.raises(CampaignError, match="taken"):
        scan(open_drive(native_drive()), 0.0, [read(SLOW.replace("slow", name, 1))])


def test_a_region_and_hours_are_asked_where_the_event_is(native_drive):
    there = {"lat_deg": lambda t: np.where(t < 30, 48.0, 52.0), "lon_deg": lambda t: 0 * t + 11.0}
    drive = open_drive(native_drive(telemetry=drive_telemetry(speed_mps=slowing(20, 40), **there)))
    near = read(f"{SLOW}[region]\nlat_deg = 48.0\nlon_deg = 11.0\nradius_m = 1000\n")
    assert kinds_at(scan(drive, 0.0, [near]), "slow") == [19]
    assert kinds_at(scan(drive, 0.0, [read(f'{SLOW}hours = "22:13-22:14"\n')]), "slow") == [19, 39]
    assert kinds_at(scan(drive, 0.0, [read(f'{SLOW}hours = "03:00-04:00"\n')]), "slow") == []
    nowhere = open_drive(native_drive("bare", telemetry=drive_telemetry(speed_mps=slowing(20))))
    assert kinds_at(scan(nowhere, 0.0, [near]), "slow") == []


def test_a_share_of_a_campaigns_events_and_the_probability_of_their_seconds(native_drive, tmp_path):
    drive = open_drive(native_drive(telemetry=drive_telemetry(speed_mps=slowing(20, to=4.9))))
    half = [read(f'name = "slow_{i}"\nexpression = "speed_mps < 5"\nprobability = 0.3\n') for i in range(40)]
    kept = 0
    for campaign in half:
        found = scan(drive, 0.01, [campaign])
        (lot,) = found.lots
        assert [event.kind for event in found.events if event.kind == campaign.name] == [campaign.name] * lot.drawn
        chance = inclusion(scan(drive, 0.01))
        np.testing.assert_allclose(inclusion(found)[20], 1 - (1 - chance[20]) * 0.7)
        kept += lot.drawn
    assert 4 <= kept <= 20  # 12 expected


def test_a_back_test_counts_weighs_and_shows(native_drive, tmp_path):
    drive = open_drive(native_drive(telemetry=drive_telemetry(speed_mps=slowing(20, 40))))
    path = tmp_path / "slow.toml"
    path.write_text(SLOW)
    played = play(read(SLOW), scan(drive, 0.0, [read(SLOW)]))
    assert (played.events, played.drawn, played.seconds) == (2, 2, 60)
    whole = sum(w.bytes for w in cut(scan(drive, 0.0, [read(SLOW)]), tmp_path / "clips"))
    assert played.bytes == pytest.approx(whole, rel=0.3)
    assert played.overlap["harsh_braking"] == 2
    test = BackTest(read_file(path), [played], hours_a_day=2.0)
    assert test.events_an_hour == pytest.approx(120.0)
    assert test.bytes_a_night == pytest.approx(played.bytes * 120)
    assert [example.drive for example in test.examples] == ["drive", "drive"]


def test_only_what_was_back_tested_is_published_and_listened_to(native_drive, tmp_path, run):
    folder = native_drive(telemetry=drive_telemetry(speed_mps=slowing(20)))
    path, record, to = tmp_path / "slow.toml", tmp_path / "record.json", tmp_path / "published"
    path.write_text(SLOW)
    code, out, err = run("trigger", "publish", path, "--backtest", record, "--to", to)
    assert (code, "no record of a back-test" in err) == (2, True)
    code, out, err = run("trigger", "backtest", path, folder, "--out", record, "--json")
    assert code == 0, err
    assert json.loads(out)["events"] == 1
    code, out, err = run("trigger", "publish", path, "--backtest", record, "--to", to)
    assert code == 0, err
    assert [c.name for c in listened_to([to], date(2026, 1, 1))] == ["slow"]
    (to / "slow.toml").write_text(SLOW.replace("18", "19"))
    with pytest.raises(CampaignFileError, match="another digest"):
        listened_to([to], date(2026, 1, 1))
    (to / f"slow{RECORD}").unlink()
    with pytest.raises(CampaignFileError, match="no record"):
        listened_to([to], date(2026, 1, 1))


def test_a_text_that_was_replaced_is_kept_and_the_newest_listened_to(native_drive, tmp_path):
    drive = open_drive(native_drive(telemetry=drive_telemetry(speed_mps=slowing(20))))
    path, record, to = tmp_path / "slow.toml", tmp_path / "record.json", tmp_path / "published"
    for limit in ("18", "19", "19"):
        path.write_text(SLOW.replace("18", limit))
        file = read_file(path)
        record.write_text(
            json.dumps(BackTest(file, [play(file.campaign, scan(drive, 0.0, [file.campaign]))], 1.0).to_json())
        )
        publish(file, record, to)
    first, second = (read(text).revision for text in (SLOW, SLOW.replace("18", "19")))
    assert {campaign.revision for campaign in ever_published(to)} == {first, second}
    assert [campaign.revision for campaign in listened_to([to], date(2026, 1, 1))] == [second]
    assert {path.name for path in (to / "revisions").iterdir()} == {f"slow.{first}.toml", f"slow.{second}.toml"}


def test_an_event_says_which_text_of_its_campaign_found_it(native_drive):
    drive = open_drive(native_drive(telemetry=drive_telemetry(speed_mps=slowing(20))))
    revision = hashlib.sha256(SLOW.encode()).hexdigest()[:12]
    versions = {event.kind: event.version for event in scan(drive, 0.0, [read(SLOW)]).events}
    assert versions.pop("slow") == f"{TRIGGER_VERSION}+{revision}"
    assert set(versions.values()) == {TRIGGER_VERSION}


def test_a_back_test_that_could_not_run_publishes_nothing(native_drive, tmp_path):
    path, record = tmp_path / "near.toml", tmp_path / "record.json"
    path.write_text('name = "near"\nexpression = "lead_distance_m < m(5)"\n')
    file = read_file(path)
    test = BackTest(file, [play(file.campaign, scan(open_drive(native_drive()), 0.0, [file.campaign]))], 1.0)
    record.write_text(json.dumps(test.to_json()))
    assert (test.events_an_hour, test.bytes_a_night) == (None, None)
    with pytest.raises(CampaignFileError, match="played no drive"):
        publish(file, record, tmp_path / "published")


def test_what_has_ended_is_not_listened_to(tmp_path):
    path = tmp_path / "slow.toml"
    path.write_text(f"{SLOW}ends = 2026-03-31\n")
    assert [len(listened_to([path], day)) for day in (date(2026, 3, 31), date(2026, 4, 1))] == [1, 0]


@pytest.mark.parametrize("data", [b"\xff\xfe", b'name = "x"', b"name = [", b"x" * 70_000])
def test_a_file_that_is_no_campaign_is_refused_with_its_name(tmp_path, data):
    path = tmp_path / "bad.toml"
    path.write_bytes(data)
    with pytest.raises(CampaignFileError, match=r"bad\.toml"):
        read_file(path)
    with pytest.raises(CampaignFileError, match="missing"):
        read_file(tmp_path / "missing.toml")


def test_scan_and_cut_listen_for_a_campaign(native_drive, tmp_path, run):
    folder = native_drive(telemetry=drive_telemetry(speed_mps=lambda t: 15.0 - 11.5 * np.clip(t / 30, 0, 1)))
    path = tmp_path / "slow.toml"
    path.write_text(SLOW)
    code, out, err = run("edge", "scan", folder, "--baseline", "0", "--campaign", path, "--json")
    assert code == 0, err
    assert {event["kind"] for event in json.loads(out)[0]["events"]} == {"slow"}
    code, out, err = run(
        "edge", "cut", folder, "--out", tmp_path / "out", "--baseline", "0", "--campaign", path, "--json"
    )
    assert code == 0, err
    assert {event["kind"] for clip in json.loads(out) for event in clip["events"]} == {"slow"}


def test_a_clip_cut_again_under_other_terms_has_its_new_offer(native_drive, tmp_path):
    drive = open_drive(native_drive(telemetry=drive_telemetry(speed_mps=slowing(20))))
    (first,) = cut(scan(drive, 1e-9), tmp_path / "out")
    (again,) = cut(replace(scan(drive, 1e-9), baseline=0.5), tmp_path / "out")
    assert (again.folder, again.new) == (first.folder, False)
    assert open_clip(again.folder).offer.baseline == 0.5


def test_a_back_test_counts_what_was_recorded_and_seen(native_drive):
    t_s = np.concatenate([np.arange(0, 60, 0.02), np.arange(600, 660, 0.02)])
    speed = np.interp(t_s, [620, 622, 624, 626], [15.0, 3.0, 3.0, 15.0])
    telemetry = Telemetry.merge({"speed_mps": (T0_NS + np.round(t_s * 1e9).astype(np.int64), speed)})
    drive = open_drive(native_drive(telemetry=telemetry))
    played = play(read(SLOW), scan(drive, 0.0, [read(SLOW)]))
    assert (played.seconds, played.events, played.clip_s, played.bytes) == (120, 1, 0, 0)


def test_a_folder_without_a_campaign_and_names_that_collide_are_refused(tmp_path):
    with pytest.raises(CampaignFileError, match="holds no campaign"):
        listened_to([tmp_path], date(2026, 1, 1))
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(SLOW)
    with pytest.raises(CampaignFileError, match="taken"):
        listened_to([tmp_path / "a.toml", tmp_path / "b.toml"], date(2026, 1, 1))


def test_a_recording_named_twice_is_played_once(native_drive, run):
    folder = native_drive(telemetry=drive_telemetry(engaged=lambda t: t < 30))
    _, out, _ = run("edge", "scan", folder, folder.parent, "--json")
    assert len(json.loads(out)) == 1
