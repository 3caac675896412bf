"""The experiment's arms get what they are promised, and its ratios say what seeds and places allow."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from curate.dataset import open_version
from edge.clip import open_clip
from train.errors import FlywheelError
from train.experiment import ordinary
from train.experiment.choice import drawn, offered
from train.experiment.fleet_size import MILES_A_DAY, SIZES, met
from train.experiment.picture import picture
from train.experiment.plan import ABLATIONS, ARMS, SCALING, SYNTHETIC, Arm, Plan
from train.experiment.pools import clips_in
from train.experiment.table import fleet_table, pooled, ratio, table
from train.experiment.trial import Experiment
from trigger.disengagement import KIND as DISENGAGEMENT
from trigger.disengagement import PARTIAL


def trial(rate, miles=4.0, places=("a", "b", "c"), seed=0):
    """`rate`: takeovers a mile, of all places or of each."""
    chance = np.random.default_rng(seed)
    rates = dict(zip(places, np.broadcast_to(rate, len(places)), strict=True))
    by_place = {p: {"disengagements": int(chance.poisson(own * miles)), "miles": miles} for p, own in rates.items()}
    return {
        "by_place": by_place,
        "disengagements": sum(own["disengagements"] for own in by_place.values()),
        "miles": miles * len(places),
        "by_reason": {},
    }


@pytest.mark.parametrize(("new_seeds", "least"), [(6, 110), (1, 110)])
def test_a_ratios_interval_holds_the_truth_about_as_often_as_it_says(new_seeds, least):
    """Places differ in how hard they are, and trainings in how well they came out; also where there is one training."""
    inside = 0
    for number in range(120):
        chance = np.random.default_rng(number)
        hard = chance.lognormal(0.0, 0.5, 3)
        rates = [1.0 * hard] * new_seeds + [3.0 * hard] * 6
        trials = [trial(own * chance.lognormal(0.0, 0.08), seed=100 * number + s) for s, own in enumerate(rates)]
        _, low, high = ratio(trials[:new_seeds], trials[new_seeds:], seed=number)
        inside += low <= 3.0 <= high
    assert inside >= least


def test_alike_is_one_and_an_arm_without_a_disengagement_has_a_ratio():
    trials = [trial(2.0, seed=s) for s in range(3)]
    middle, low, high = ratio(trials, trials)
    assert middle == 1.0
    assert low < 1.0 < high
    assert ratio([trial(0.0)], trials).ratio > 5
    assert ratio([trial(0.0)], trials).high is None
    assert pooled(trials).miles == pytest.approx(36)


def test_a_place_counts_alike_however_few_miles_were_driven_there():
    """Who is taken over all the time where it is hard drives few miles there, and must not gain by it."""

    def exam(hard_miles):
        by_place = {"easy": {"disengagements": 10, "miles": 10.0}, "hard": {"disengagements": 40, "miles": hard_miles}}
        return {"by_place": by_place, "disengagements": 50, "miles": 10.0 + hard_miles, "by_reason": {}}

    assert ratio([exam(2.0)], [exam(8.0)]).ratio == pytest.approx((1 + 5) / (1 + 20), rel=0.02)
    assert ratio([trial(1.0, places=("a",))], [trial(1.0, places=("b",))]) is None


def test_terms_that_cannot_work_are_refused():
    with pytest.raises(FlywheelError, match="seeds"):
        Plan(seeds=0).check()
    assert list(Plan(ablations=True).arms) == [*ARMS, *ABLATIONS]
    assert list(Plan(scaling=True, synthetic=True).arms) == [*ARMS, *SCALING, *SYNTHETIC]
    assert set(ABLATIONS["curated, no disengagements"].left_out) == {DISENGAGEMENT, PARTIAL}


def test_random_and_curated_add_as_many_labelled_seconds(tmp_path, monkeypatch):
    """A very small one, through every step; started again it does nothing twice."""
    plan = Plan(seeds=1, cars=2, minutes=1.5, base_s=20, budget_s=8, steps=60, exam_miles=0.05)
    arms = Experiment(tmp_path, plan, lambda what, share: None).run()
    met_there = Experiment(tmp_path, plan, lambda what, share: None).met()
    told = {name: trials[0]["labelled_s"] for name, trials in arms.items()}
    assert 8 <= told["random"] < 40
    assert 8 <= told["curated"] < 100  # takeovers in a row make one long clip
    assert told["all"] > told["random"]
    assert all(trials[0]["miles"] >= 0.05 for trials in arms.values())
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    assert Experiment(tmp_path, plan, lambda what, share: None).run() == arms
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == written
    with pytest.raises(FlywheelError, match="another cars, steps"):
        Experiment(tmp_path, replace(plan, steps=61, cars=3, seeds=2), lambda what, share: None).run()
    final = Experiment(tmp_path, replace(plan, role="final"), lambda what, share: None).run()
    assert not set(final["random"][0]["by_place"]) & set(arms["random"][0]["by_place"])
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert table(arms).row_count == table(arms, "all").row_count == len(arms)
    torn = {"all": [arms["all"][0] | {"lost": ["the world died"]}]}
    assert Experiment(tmp_path, plan, lambda what, share: None).lost(torn) == ["a stint, all 0: the world died"]
    what_an_offer_says(tmp_path)
    assert fleet_table(met_there).row_count == len(met_there["met"]) > 0
    assert picture(arms, met_there, plan.base_s).startswith(b"\x89PNG")
    monkeypatch.setattr("train.experiment.plan.SCALING", {"more than there is": Arm("events", 0.5, share=1e6)})
    assert Experiment(tmp_path, replace(plan, scaling=True), lambda what, share: None).run() == arms
    staged = Experiment(tmp_path, replace(plan, synthetic=True), lambda what, share: None).run()[
        "curated and synthetic"
    ]
    assert staged[0]["labelled_s"] > told["curated"]
    version = open_version(tmp_path / "stores/curated-and-synthetic", "current")
    assert 0 < version.head["counts"]["synthetic_seconds"] < version.rows.num_rows


def test_a_folder_of_other_rules_without_its_terms_or_with_half_a_trial_is_refused(tmp_path):
    done = Experiment(tmp_path, Plan(seeds=1), lambda what, share: pytest.fail("worked"))
    (tmp_path / "plan.json").write_text(json.dumps(asdict(Plan(seeds=1))))
    with pytest.raises(FlywheelError, match="another format"):
        done.run()
    (tmp_path / "plan.json").unlink()
    (tmp_path / "base.json").write_text('{"clips": 1}')
    with pytest.raises(FlywheelError, match=r"no plan\.json"):
        done.run()
    (tmp_path / "trials").mkdir()
    (tmp_path / "trials/random-0.json").write_text('{"arm": "random", "seed": 0}')
    with pytest.raises(FlywheelError, match="lacks by_place"):
        list(done._tried("random"))


def what_an_offer_says(root):
    """Of some clips one is taken: its seconds came this far with that part of the chance that they were cut with."""
    (taken,) = drawn(root, "base", 1.0).taken
    assert taken.chance == 1 / len(clips_in(root, "base")) < 1.0
    before = open_clip(taken.clip)
    with offered(taken) as folder:
        open_clip(folder).verify()
        assert open_clip(folder).id == before.id
        said = open_clip(folder).offer.inclusion
    assert said == tuple((first, count, chance * taken.chance) for first, count, chance in before.offer.inclusion)
    assert open_clip(taken.clip).offer == before.offer
    assert not folder.exists()


def test_an_error_on_ordinary_driving_is_compared_over_trainings_and_drives():
    chance = np.random.default_rng(0)

    def trials(worse):
        drives = {f"d{n}": (worse * 100 * chance.uniform(0.8, 1.2), 100) for n in range(12)}
        return [{"ordinary": {d: (total * chance.uniform(0.95, 1.05), n) for d, (total, n) in drives.items()}}] * 4

    same, double = trials(1.0), trials(4.0)
    middle, above = ordinary.ratio(double, same)
    assert 1.7 < middle < above < 2.5
    assert ordinary.ratio(same, same)[0] == 1.0


def test_fleets_meet_what_their_rate_says():
    told = met(seen=400, miles=1000.0)
    cars = 0.4 * MILES_A_DAY * SIZES
    large = cars > 1000
    np.testing.assert_allclose(told.middle[large], cars[large], rtol=0.03)
    assert (told.low <= told.middle).all()
    assert (told.middle <= told.high).all()
    assert 1 <= told.cars[10] < told.cars[100] < 20
    seldom = met(seen=1, miles=1e7)
    assert seldom.cars[100] is None
    with pytest.raises(ValueError, match="miles"):
        met(1, 0.0)
