"""The flywheel over a folder of recordings that arrive: it takes what is new, once, and doubt keeps the old policy."""

import json

import pytest

from train.checkpoint import load_policy, policy_folder
from train.flywheel.night import STEPS, Night
from train.flywheel.plan import FolderPlan
from train.flywheel.table import remarks
from train.flywheel.turning import turn
from train.world.env import DrivingWorld
from train.world.record import record

SECONDS = 46
TERMS = {"split": "time:0.3", "baseline": 1.0, "steps": 30, "steps_a_night": 3}


def silent(what, share):
    pass


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    """Two drives arrive for the first night and one for the second: six blocks of held-out seconds in all."""
    root, drives = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("drives")
    plan = FolderPlan(drives=str(drives), consent=True, **TERMS)
    nights = []
    for arriving in (("meadow", "desert"), ("night",)):
        for place in arriving:
            record(drives / place, place, DrivingWorld(place, "calm"), None, SECONDS)
        nights = turn(root, plan, 9, silent)
    return root, plan, nights


def test_a_night_takes_what_is_new_and_no_more(turned):
    _, _, nights = turned
    assert [list(facts) for facts in nights] == [list(STEPS)] * 2
    assert [facts["drive"]["recordings"] for facts in nights] == [2, 1]
    hours = [facts["upload"]["hours"] for facts in nights]
    assert hours == pytest.approx([2 * SECONDS / 3600, SECONDS / 3600], abs=0.001)
    for facts in nights:
        assert facts["upload"]["problems"] == []
        assert 0 < facts["upload"]["bytes"] < 2 * facts["upload"]["recorded_bytes"]
    assert nights[1]["curate"]["drives"] == 3


def test_the_first_policy_is_released_and_the_next_is_fine_tuned_from_it_and_compared(turned):
    root, _, nights = turned
    assert nights[0]["release"] == {"policy": "night-0001", "changed": True}
    assert load_policy(policy_folder(root / "store", "night-0002")).about["origin"]["name"] == "night-0001"
    found = nights[1]["examine"]
    assert found["ratio"] < found["at_most"]
    assert "3 drives" in found["over"]
    assert found["notes"] == []
    assert nights[1]["release"]["changed"] == (found["verdict"] == "released")
    assert (root / "flywheel.png").read_bytes().startswith(b"\x89PNG")


def test_where_nothing_is_new_no_night_begins(turned, run):
    root, plan, nights = turned
    terms = ["--split", plan.split, "--baseline", 1, "--steps", 30, "--steps-a-night", 3, "--consent"]
    command = ["train", "flywheel", "--folder", root, "--drives", plan.drives, *terms]
    code, out, _ = run(*command)
    assert code == 0
    assert "nothing new" in out
    assert "to released" in out
    assert json.loads(run(*command, "--json")[1])["nights"] == nights
    assert not (root / "nights/0003").exists()


def test_cut_off_it_goes_on_with_the_step_it_was_in(turned, monkeypatch):
    root, plan, nights = turned
    for step in ("examine", "release"):
        (root / f"nights/0002/{step}.json").unlink()
    for step in ("drive", "upload", "curate", "learn"):
        monkeypatch.setattr(Night, f"_{step}", lambda self: pytest.fail("done twice"))
    assert turn(root, plan, 9, silent) == nights


def test_without_consent_nothing_is_used_and_the_night_says_so(native_drive, tmp_path):
    plan = FolderPlan(drives=str(native_drive(seconds=5, consent=None)), **TERMS)
    (facts,) = turn(tmp_path / "wheel", plan, 9, silent)
    assert facts["release"] == {"policy": None, "changed": False}
    assert any("consent not given" in line for line in remarks([facts]))


def test_options_of_the_other_kind_are_refused(run, tmp_path):
    (tmp_path / "drives").mkdir()
    cases = (
        (["--fleet", 2, "--drives", tmp_path / "drives"], "without --drives"),
        (["--consent"], "with --drives"),
        (["--drives", tmp_path], "would arrive there"),
    )
    for more, wanted in cases:
        code, _, err = run("train", "flywheel", "--folder", tmp_path / "wheel", *more)
        assert code == 2
        assert wanted in err
    assert not (tmp_path / "wheel").exists()
