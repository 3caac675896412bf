"""The night: what arrives whole is weighed and published, what does not is kept apart with its reason."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import T0_NS, drive_telemetry
from makers.picture import gray

from curate.claims import Doubts, doubts
from curate.dataset import SCHEMA_BEFORE, open_version
from curate.errors import DatasetError, StoreError
from curate.nightly import nightly
from curate.split import SplitError
from curate.store import open_store
from curate.version.digest import rows_digest_before
from curate.version.names import version_names
from edge.clip import open_clip
from edge.cut import cut
from edge.drive import open_drive
from edge.errors import CampaignFileError
from edge.scan import scan
from edge.trial.backtest import BackTest, play
from edge.trial.campaigns import publish, read_file
from edge.upload.destination import FolderDestination
from edge.upload.push import push
from trigger.campaign import read
from trigger.signals import ControlSource


def brake_at(*at_s):
    return lambda t: 15.0 - sum(5 * (np.clip(t - a, 0, 1) - np.clip((t - a - 5) / 5, 0, 1)) for a in at_s)


@pytest.fixture
def store(native_drive, tmp_path):
    """Pushes clips of made drives to one store."""

    def fill(name="drive", baseline=0.0, seconds=60.0, **signals):
        drive = open_drive(native_drive(name, drive_telemetry(seconds, **signals), seconds))
        to = FolderDestination(tmp_path / "store")
        for written in cut(scan(drive, baseline), tmp_path / f"clips-{name}-{baseline}"):
            push(written.folder, to)
        return open_store(tmp_path / "store")

    return fill


def column(night, name):
    return night.version.rows.column(name).to_pylist()


def test_every_second_is_a_row_and_says_why_it_weighs_what_it_weighs(store):
    night = nightly(store("hard", baseline=1.0, speed_mps=brake_at(30)), split="time:0.75")
    assert night.version.rows.num_rows == 60
    events, weight = column(night, "events"), np.array(column(night, "weight"))
    braking = np.array(["harsh_braking" in kinds for kinds in events])
    assert np.flatnonzero(braking).tolist() == [28, 29, 30, 31, 32, 33]
    kind, rarity, label = (np.array(column(night, f"{name}_factor")) for name in ("kind", "rarity", "label"))
    product = np.minimum(kind * rarity, 5.0) * label
    train = np.array(column(night, "split")) == "train"
    np.testing.assert_allclose(weight[train], product[train] / product[train].mean())
    assert weight[braking].min() > np.median(weight[train & ~braking])
    assert set(column(night, "inclusion_probability")) == {1.0}


def test_run_again_and_built_from_scratch_the_digest_is_the_same(store, tmp_path):
    first = nightly(store("a", speed_mps=brake_at(20)))
    again = nightly(open_store(tmp_path / "store"))
    assert again.version.name == first.version.name
    assert version_names(tmp_path / "store") == [first.version.name]
    shutil.move(tmp_path / "store/clips", tmp_path / "other/inbox")
    assert nightly(open_store(tmp_path / "other")).version.digest == first.version.digest


def test_more_clips_are_a_new_version_with_its_parent(store):
    first = nightly(store("a", speed_mps=brake_at(20)))
    second = nightly(store("b", speed_mps=brake_at(30)))
    assert second.version.head["parent"] == first.version.name
    assert second.version.head["counts"]["clips"] == 2
    assert open_version(second.version.store, first.version.name).digest == first.version.digest


def test_a_second_told_by_two_clips_counts_once(store, tmp_path):
    opened = store("a", speed_mps=brake_at(30))
    drive = open_drive(tmp_path / "a")
    for written in cut(scan(drive, 1.0), tmp_path / "whole"):
        push(written.folder, FolderDestination(tmp_path / "store"))
    night = nightly(opened)
    assert night.version.head["counts"] | {"seconds": 60, "seconds_told_twice": 13} == night.version.head["counts"]
    assert len(set(column(night, "start_ns"))) == 60


@pytest.mark.parametrize("damage", ["hash", "frames", "offer", "name", "gone"])
def test_a_bad_clip_is_quarantined_with_its_reason(store, tmp_path, damage):
    opened = store("good", speed_mps=brake_at(20))
    store("bad", speed_mps=brake_at(30))
    bad = next(f for f in opened.folders("inbox") if open_clip(f).cut.parent == "bad")
    if damage == "hash":
        (bad / "front.mp4").write_bytes((bad / "front.mp4").read_bytes()[:-1])
    elif damage == "frames":
        (bad / "front.mp4").write_bytes(b"\0" * 1000)
    elif damage == "offer":
        (bad / "offer.json").write_text("{}")
    elif damage == "name":
        bad = bad.rename(bad.parent / ("0" * 64))
    else:
        (bad / "telemetry.parquet").unlink()
    night = nightly(opened)
    assert [a.clip_id for a in night.admissions if a.reason] == [bad.name]
    assert night.version.head["counts"]["drives"] == 1
    reason = json.loads((tmp_path / "store/quarantine" / bad.name / "reason.json").read_text())
    assert reason["got"]
    assert reason["todo"]


def test_an_offer_that_leaves_seconds_out_is_refused(store, tmp_path):
    opened = store("a", speed_mps=brake_at(30))
    (folder,) = opened.folders("inbox")
    offer = json.loads((folder / "offer.json").read_text())
    offer["inclusion"] = [[offer["inclusion"][0][0], 3, 1.0]]
    (folder / "offer.json").write_text(json.dumps(offer))
    with pytest.raises(DatasetError, match="says nothing of second"):
        nightly(opened)


def test_what_no_human_drove_weighs_nothing(store):
    def system(t):
        return np.where(t < 30, float(ControlSource.SYSTEM), float(ControlSource.HUMAN))

    night = nightly(store("a", baseline=1.0, control_source_steering=system, control_source_speed=system))
    weight = np.array(column(night, "weight"))
    assert (weight[:30] == 0).all()
    assert (weight[31:] > 0).all()


def test_a_damaged_version_is_refused(store, tmp_path):
    version = nightly(store("a", speed_mps=brake_at(20))).version
    path = tmp_path / "store/versions" / version.name / "rows.parquet"
    rows = pq.read_table(path)
    pq.write_table(rows.set_column(11, "weight", [[9.0] * rows.num_rows]), path)
    with pytest.raises(DatasetError, match="do not match their digest"):
        open_version(tmp_path / "store")
    path.write_bytes(b"junk")
    with pytest.raises(DatasetError, match="cannot be read"):
        open_version(tmp_path / "store")


def test_empty_and_absent_stores_are_said(tmp_path):
    with pytest.raises(StoreError, match="not a store"):
        open_store(tmp_path)
    (tmp_path / "inbox").mkdir()
    with pytest.raises(DatasetError, match="no clip"):
        nightly(open_store(tmp_path))
    with pytest.raises(DatasetError, match="no dataset version"):
        open_version(tmp_path)
    with pytest.raises(SplitError, match="random"):
        nightly(open_store(tmp_path), split="random:0.5")


def test_two_nights_at_once_one_says_so(store):
    opened = store("a", speed_mps=brake_at(20))
    with opened.locked(), pytest.raises(StoreError, match="another run"):
        nightly(opened)
    assert nightly(opened).version.rows.num_rows == 13


def push_again(tmp_path, drive_id, baseline):
    for written in cut(scan(open_drive(tmp_path / drive_id), baseline), tmp_path / f"again-{baseline}"):
        push(written.folder, FolderDestination(tmp_path / "store"))


def test_a_drive_cut_with_two_baselines_was_drawn_with_the_greater(store, tmp_path):
    opened = store("a", baseline=0.02, seconds=120.0)
    push_again(tmp_path, "a", 0.3)
    told = dict(zip(column(night := nightly(opened), "start_ns"), column(night, "inclusion_probability"), strict=True))
    assert len(told) == night.version.rows.num_rows
    assert min(told.values()) >= 1 - 0.7**6 - 1e-12


def test_two_recordings_that_share_an_id_are_both_kept(store, tmp_path):
    store("a", speed_mps=brake_at(30))
    (tmp_path / "a").rename(tmp_path / "first")
    opened = store("a", speed_mps=lambda t: brake_at(30)(t) + 0.25)
    night = nightly(opened)
    assert night.version.head["counts"]["drives"] == 2
    assert night.version.head["counts"]["seconds_told_twice"] == 0


def test_a_clip_damaged_after_it_was_admitted_costs_itself(store, tmp_path):
    opened = store("a", speed_mps=brake_at(20))
    store("b", speed_mps=brake_at(30))
    nightly(opened)
    damaged = opened.folders("clips")[0]
    (damaged / "drive.json").write_text("{")
    night = nightly(opened)
    assert list(night.unreadable) == [damaged.name]
    assert night.version.head["counts"]["clips"] == 1


def test_a_clip_nothing_can_be_made_of_is_on_no_side_as_nobody_knows_what_it_repeats(store, tmp_path):
    opened = store("a", speed_mps=brake_at(20))
    store("b", speed_mps=brake_at(30))
    nightly(opened)
    damaged = opened.folders("clips")[0]
    shutil.rmtree(opened.root / "made" / damaged.name)
    video = bytearray((damaged / "front.mp4").read_bytes())
    video[len(video) // 2 : len(video) // 2 + 400] = bytes(400)
    (damaged / "front.mp4").write_bytes(video)
    night = nightly(opened)
    assert list(night.unseen) == [damaged.name]
    parts = zip(column(night, "clip_id"), column(night, "split"), strict=True)
    assert {clip for clip, part in parts if part == "excluded"} == {damaged.name}
    assert set(night.version.head["counts"]["excluded"]) == {"unseen"}


def test_a_refused_clip_can_be_sent_again_whole(store, tmp_path):
    opened = store("a", speed_mps=brake_at(30))
    (folder,) = opened.folders("inbox")
    (folder / "front.mp4").write_bytes(b"junk")
    with pytest.raises(DatasetError, match="were refused"):
        nightly(opened)
    push_again(tmp_path, "a", 0.0)
    assert nightly(opened).version.head["counts"]["clips"] == 1


def test_the_same_clip_in_the_inbox_and_admitted_is_one_clip(store):
    opened = store("a", speed_mps=brake_at(30))
    first = nightly(opened)
    (clip,) = opened.folders("clips")
    shutil.copytree(clip, opened.root / "inbox" / clip.name)
    assert nightly(opened).version.digest == first.version.digest
    assert opened.folders("inbox") == []


def test_stray_files_damage_and_deletions_do_not_stop_the_next_version(store, tmp_path):
    first = nightly(store("a", speed_mps=brake_at(20))).version
    second = nightly(store("b", speed_mps=brake_at(30))).version
    versions = tmp_path / "store/versions"
    (versions / "notes.txt").write_text("mine")
    shutil.rmtree(versions / first.name)
    (versions / second.name / "rows.parquet").write_bytes(b"junk")
    third = nightly(store("c", speed_mps=brake_at(40))).version
    assert third.name.startswith("0003-")
    assert open_version(tmp_path / "store").digest == third.digest


def test_a_drive_that_grew_keeps_its_exam(store, tmp_path):
    """The border of `time:` follows the longest that is known of a drive, for all its clips alike."""
    opened = store("a", baseline=1.0, seconds=60.0)
    (tmp_path / "a").rename(tmp_path / "short")
    store("a", baseline=1.0, seconds=120.0)
    night = nightly(opened, split="time:0.5")
    parts = column(night, "split")
    assert night.version.rows.num_rows == 120
    assert parts == ["train"] * 60 + ["excluded"] * 10 + ["eval"] * 50


def test_a_version_of_the_format_before_is_read(store, tmp_path):
    version = nightly(store("a", speed_mps=brake_at(20))).version
    rows = version.rows.select(SCHEMA_BEFORE.names)
    head = {k: v for k, v in version.head.items() if k not in ("inputs", "code")}
    head |= {"format": "swerve-dataset/2", "digest": rows_digest_before(rows, head["recipe"])}
    folder = tmp_path / "store/versions" / version.name
    pq.write_table(rows, folder / "rows.parquet")
    (folder / "version.json").write_text(json.dumps(head))
    read = open_version(tmp_path / "store")
    assert read.rows.equals(version.rows)
    assert read.inputs == dict.fromkeys(version.inputs, "")
    (folder / "version.json").write_text(json.dumps(head | {"format": "swerve-dataset/3"}))
    with pytest.raises(DatasetError):
        open_version(tmp_path / "store")


@pytest.mark.parametrize("known", [True, False])
def test_a_campaigns_claim_is_found_again_where_the_campaign_is_known(native_drive, tmp_path, known):
    text = 'name = "slow"\nexpression = "speed_mps < 9"\n'
    drive = open_drive(
        native_drive("a", drive_telemetry(60.0, speed_mps=lambda t: 15.0 - 0.2 * np.clip(t, 0, 40)), 60.0)
    )
    to = FolderDestination(tmp_path / "store")
    for written in cut(scan(drive, 0.0, [read(text)]), tmp_path / "clips"):
        push(written.folder, to)
    if known:
        (tmp_path / "store/campaigns").mkdir()
        (tmp_path / "store/campaigns/slow.toml").write_text(text)
    night = nightly(open_store(tmp_path / "store"))
    assert [(admission.refuted, admission.unchecked > 0) for admission in night.admissions] == [(0, not known)]
    assert any("slow" in kinds for kinds in column(night, "events")) == known


def test_a_campaign_that_was_revised_is_asked_as_the_car_had_it(native_drive, tmp_path):
    """Two cars, two texts under one name, and a liar whose claim only the other text would bear out."""
    slower = drive_telemetry(60.0, speed_mps=lambda t: 15.0 - 0.2 * np.clip(t, 0, 40))
    folder = native_drive("a", slower, 60.0, shows=gray)
    store, record, texts = tmp_path / "store", tmp_path / "record.json", []
    for limit in (9, 12):
        texts.append(f'name = "slow"\nexpression = "speed_mps < {limit}"\n')
        (tmp_path / "slow.toml").write_text(texts[-1])
        file = read_file(tmp_path / "slow.toml")
        played = play(file.campaign, scan(open_drive(folder), 0.0, [file.campaign]))
        record.write_text(json.dumps(BackTest(file, [played], 1.0).to_json()))
        publish(file, record, store / "campaigns")
    for number, text in enumerate(texts):
        for written in cut(scan(open_drive(folder), 0.0, [read(text)]), tmp_path / f"clips-{number}"):
            push(written.folder, FolderDestination(store))
    night = nightly(open_store(store))
    assert len(night.admissions) == 2
    assert {(a.reason, a.refuted, a.unchecked) for a in night.admissions} == {("", 0, 0)}
    (clip,) = (c for c in map(open_clip, open_store(store).folders("clips")) if c.cut.events[0].t_ns < T0_NS + 20e9)
    lie = replace(clip.cut.events[0], version=read(texts[0]).version)
    lying = replace(clip, cut=replace(clip.cut, events=(lie,)))
    assert doubts(lying, open_drive(clip.folder), open_store(store).campaigns()) == Doubts(refuted=(lie,))


def test_a_campaign_that_cannot_be_followed_stops_the_night_before_anything_moves(store, tmp_path):
    opened = store("a", speed_mps=brake_at(20))
    (tmp_path / "store/campaigns").mkdir()
    (tmp_path / "store/campaigns/bad.toml").write_text("name = 1\n")
    with pytest.raises(CampaignFileError, match=r"bad\.toml"):
        nightly(opened)
    assert len(opened.folders("inbox")) == 1
