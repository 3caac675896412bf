"""The flywheel through the real rooms: it turns, it goes on where it was cut off, and it says no to other terms."""

import json
from dataclasses import replace

import pytest

from curate.dataset import open_version
from train.checkpoint import load_policy, policy_folder
from train.errors import EvaluationError, FlywheelError
from train.exam import Exam
from train.flywheel.fleet import trips
from train.flywheel.night import STEPS, Night, read_facts
from train.flywheel.plan import Plan, keep
from train.flywheel.road_exam import RoadExam
from train.flywheel.table import rows
from train.flywheel.turning import strategies, turn
from train.world.place import PLACES
from train.world.record import Ridden

PLAN = Plan(
    fleet=2,
    minutes=0.75,
    human=0.5,
    rates="stress",
    baseline=1.0,
    steps=60,
    steps_a_night=3,
    exam_miles=0.05,
    exam_cap=0.1,
)


def silent(what, share):
    pass


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    root = tmp_path_factory.mktemp("flywheel")
    return root, turn(root, PLAN, 2, silent)


def test_each_night_goes_through_every_room(turned):
    root, nights = turned
    assert [list(facts) for facts in nights] == [list(STEPS)] * 2
    for facts in nights:
        assert facts["drive"]["hours"] == pytest.approx(2 * 0.75 / 60, abs=0.001)
        assert facts["upload"]["clips"] >= 1
        assert facts["upload"]["problems"] == []
        assert facts["upload"]["bytes"] > 0
        assert facts["curate"]["refused"] == []
    # Whose clips these are, the service knows.
    assert nights[1]["curate"]["devices"] == 2
    assert 2 <= nights[1]["curate"]["clips"] <= sum(facts["upload"]["clips"] for facts in nights)
    policy = load_policy(policy_folder(root / "store", "night-0002"))
    assert policy.about["dataset"] == open_version(root / "store").digest
    assert policy.about["origin"]["name"] == "night-0001"


def test_the_first_policy_is_released_for_want_of_another_and_drives_the_next_night(turned):
    root, nights = turned
    assert nights[0]["release"] == {"policy": "night-0001", "changed": True}
    assert nights[0]["drive"]["by_policy"]["miles"] == 0
    assert nights[1]["drive"]["by_policy"]["miles"] > 0
    assert nights[1]["examine"]["verdict"] in ("released", "refused", "undecided")
    assert (nights[1]["release"]["policy"] == "night-0002") == (nights[1]["examine"]["verdict"] == "released")
    assert len(rows(nights, *strategies(PLAN))) == 2
    assert (root / "flywheel.png").read_bytes().startswith(b"\x89PNG")


def test_started_again_it_finds_everything_done(turned, monkeypatch):
    root, nights = turned
    for step in STEPS:
        monkeypatch.setattr(Night, f"_{step}", lambda self: pytest.fail("done twice"))
    assert turn(root, PLAN, 2, silent) == nights


def test_a_step_that_was_cut_off_is_done_again(turned, monkeypatch):
    root, nights = turned
    path = root / "nights/0002/release.json"
    path.unlink()
    monkeypatch.setattr(Night, "_examine", lambda self: pytest.fail("done twice"))
    assert turn(root, PLAN, 2, silent) == nights
    assert read_facts(path) == nights[1]["release"]


def test_other_terms_or_a_damaged_step_are_refused_in_words(turned, tmp_path):
    root, _ = turned
    with pytest.raises(FlywheelError, match="another fleet"):
        turn(root, Plan(**{**vars(PLAN), "fleet": 3}), 2, silent)
    with pytest.raises(FlywheelError, match="fleet 0"):
        keep(tmp_path, Plan(fleet=0))
    (tmp_path / "flywheel.json").write_text("{")
    with pytest.raises(FlywheelError, match=r"flywheel\.json cannot be read"):
        keep(tmp_path, PLAN)


def test_the_fleet_drives_its_own_places_and_the_same_night_is_the_same(tmp_path):
    plan = Plan(fleet=40, human=0.25)
    night = trips(plan, 3, tmp_path, tmp_path / "policy")
    assert night == trips(plan, 3, tmp_path, tmp_path / "policy")
    assert night != trips(plan, 4, tmp_path, tmp_path / "policy")
    assert {PLACES[trip.place].role for trip in night} == {"fleet"}
    assert sum(trip.policy is None for trip in night) == 10
    assert all(trip.policy is None for trip in trips(plan, 1, tmp_path, None))


class Raising:
    """A judge that cannot tell."""

    def examine(self, night):
        raise EvaluationError("a policy that answers with no number", "controls", "train it again")


@pytest.mark.parametrize(("taught", "why"), [("night-0002", "no number"), (None, "nothing to learn from")])
def test_what_cannot_be_judged_is_refused_and_the_old_one_stays(tmp_path, taught, why):
    night = Night(tmp_path, PLAN, None, Raising(), 2, "night-0001", silent)
    night.folder.mkdir(parents=True)
    done = {
        "drive": {"lost": []},
        "upload": {"clips": 0},
        "curate": {"version": None},
        "learn": {"policy": taught, "why": "nothing to learn from"},
    }
    for step, facts in done.items():
        (night.folder / f"{step}.json").write_text(json.dumps(facts))
    facts = night.turn()
    assert facts["examine"]["verdict"] == "refused"
    assert why in facts["examine"]["why"]
    assert facts["release"] == {"policy": "night-0001", "changed": False}


@pytest.mark.parametrize("left", ["", "{", "null", "3", "[1]", "[]", "{}"])
def test_what_no_step_left_is_said_to_be_no_facts(tmp_path, left):
    path = tmp_path / "drive.json"
    assert read_facts(path) is None
    path.write_text(left)
    with pytest.raises(FlywheelError, match=r"drive\.json cannot be read"):
        read_facts(path)


def test_an_exam_whose_file_is_damaged_is_no_verdict(tmp_path):
    night = Night(tmp_path, PLAN, None, RoadExam(PLAN), 2, "night-0001", silent)
    (night.folder).mkdir(parents=True)
    for step in ("drive", "upload", "curate"):
        (night.folder / f"{step}.json").write_text('{"done": true}')
    (night.folder / "learn.json").write_text('{"policy": "night-0002"}')
    (tmp_path / "exams").mkdir()
    (tmp_path / f"exams/night-0002-{PLAN.exam_miles:g}.json").write_text("{")
    with pytest.raises(FlywheelError, match="cannot be read"):
        night.turn()
    assert not (night.folder / "examine.json").exists()


def test_an_exam_that_lost_a_stint_counts_for_its_own_night_alone(tmp_path, monkeypatch):
    """Or the released policy, once unlucky, could never be replaced: nothing is released beside a torn exam."""
    sat = []

    def unlucky_once(planned, miles, advance):
        sat.append(next(iter(planned)).policy.name)
        lost = ("the world died",) if len(sat) < 3 else ()
        return Exam((Ridden("vale", 60.0, miles * 1609.344, [(1.0, "off lane")]),), lost)

    monkeypatch.setattr("train.flywheel.road_exam.sit", unlucky_once)
    judge = RoadExam(replace(PLAN, exam_cap=PLAN.exam_miles))
    facts = [judge.examine(Night(tmp_path, PLAN, None, judge, number, "night-0001", silent)) for number in (2, 2, 3)]
    assert sat == ["night-0002", "night-0001", "night-0003", "night-0001"]
    assert [told["new"]["lost"] for told in facts] == [["the world died"]] * 2 + [[]]


def test_the_command_prints_the_table(turned, run):
    root, _ = turned
    told = ["--fleet", "2", "--minutes", "0.75", "--rates", "stress", "--baseline", "1.0", "--steps", "60"]
    told += ["--steps-a-night", "3", "--exam-miles", "0.05", "--exam-cap", "0.1"]
    code, out, _ = run("train", "flywheel", "--folder", root, "--nights", "2", *told, "--json")
    assert code == 0
    assert len(json.loads(out)["nights"]) == 2
    code, out, _ = run("train", "flywheel", "--folder", root, "--nights", "2", *told)
    assert "exam MBD" in out
