"""Training learns, repeats itself, masks what is no label, and fails in the open."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from bars import SYSTEM, Bar, bars_fixture, fitted_fixture, publish_rows, rows_of  # noqa: F401

from curate.dataset import DatasetVersion
from train.augment import Augmentation
from train.checkpoint import load_policy
from train.errors import FitError, PolicyError, SampleError
from train.evaluate import evaluate
from train.fit import FitResult, fit
from train.horizon import Horizon
from train.loop import Progress, Training
from train.policies import presets
from train.settings import Settings

QUICK = Settings(preset="tiny", steps=3, batch=8)


def test_the_bar_is_learned(fitted: FitResult) -> None:
    first, last = fitted.points[0], fitted.points[-1]
    assert fitted.stopped == "steps"
    assert first.eval_rmse["steering_wheel_deg"] > 25
    assert last.eval_rmse["steering_wheel_deg"] < 6


def test_curves_and_facts_are_saved_beside_the_weights(fitted: FitResult) -> None:
    curves = json.loads((fitted.folder / "curves.json").read_text())
    assert len(curves["points"]) == len(fitted.points) > 15
    assert "curve only" in curves["note"]
    assert (fitted.folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    about = load_policy(fitted.folder).about
    assert about["dataset"] == fitted.dataset
    assert about["settings"]["seed"] == 0
    assert about["result"]["mix"]["abrupt_steering"]["requested"] == pytest.approx(0.245, abs=0.01)


def test_the_realised_mix_is_the_requested_one(fitted: FitResult) -> None:
    for share in fitted.mix.values():
        assert share["realised"] == pytest.approx(share["requested"], abs=0.02)
    assert 0 < fitted.effective_samples < fitted.train_samples


def test_the_same_seed_gives_the_same_weights(bars: DatasetVersion, tmp_path: Path) -> None:
    weights = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        torch.manual_seed(len(weights))
        settings = replace(QUICK, seed=seed, augmentation=Augmentation(mirror=True))
        fit(bars, settings, folder=tmp_path / name)
        weights.append((tmp_path / name / "weights.safetensors").read_bytes())
    assert weights[0] == weights[1] != weights[2]


def test_training_leaves_the_callers_chance_and_threads_alone(bars: DatasetVersion, tmp_path: Path) -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3).tolist()
    torch.manual_seed(5)
    fit(bars, replace(QUICK, threads=2), folder=tmp_path / "p")
    assert torch.rand(3).tolist() == wanted
    assert torch.get_num_threads() == 1


def test_clips_with_and_without_pedals_train_together(tmp_path: Path) -> None:
    both, steering = Bar(seconds=4, seed=3, pedals=True), Bar(seconds=4, seed=4)
    both.write(tmp_path / "clips" / "a")
    steering.write(tmp_path / "clips" / "b")
    rows = rows_of("a", both, ["train"] * 4) + rows_of("b", steering, ["train"] * 4)
    result = fit(publish_rows(tmp_path, rows), QUICK)
    assert result.controls == ("steering_wheel_deg", "gas_fraction", "brake_fraction")
    assert result.eval_samples == 0
    assert result.points[-1].eval_loss is None


def test_a_clip_without_any_label_is_counted_and_the_others_train(tmp_path: Path) -> None:
    human, nobody = Bar(seconds=4, seed=3), Bar(seconds=4, seed=4, sources=((0.0, SYSTEM),))
    human.write(tmp_path / "clips" / "a")
    nobody.write(tmp_path / "clips" / "b")
    result = fit(
        publish_rows(tmp_path, rows_of("a", human, ["train"] * 4) + rows_of("b", nobody, ["train"] * 4)), QUICK
    )
    assert result.train_samples == 39
    assert result.dropped["no human control"] == 39


def test_a_policy_learns_several_steps_ahead_and_how_sure_it_is(
    bars: DatasetVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = replace(presets.tiny(), horizon=Horizon(3, 0.2))
    monkeypatch.setitem(presets.PRESETS, "tiny", lambda: ahead)  # type: ignore[arg-type]
    result = fit(bars, replace(QUICK, steps=60), folder=tmp_path / "p")
    exam = evaluate(bars, load_policy(result.folder))
    assert exam.answers.mean.shape == exam.answers.std.shape == (len(exam.samples), 3, 1)
    error = np.sqrt(np.nanmean((exam.answers.mean - exam.samples.controls) ** 2, axis=0))[:, 0]
    assert (error < 0.75 * np.nanstd(exam.samples.controls)).all()
    # It knows that it is better than the mean, of which it was as unsure as the labels are spread.
    assert np.median(exam.answers.std) < 0.9 * load_policy(result.folder).config.std[0]


def test_a_loss_that_is_not_finite_ends_training_and_keeps_the_last_good_weights(
    bars: DatasetVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = Training._learn

    def breaks(self: Training, *what: object) -> float:
        if self.step == 2:
            with torch.no_grad():
                next(self.policy.parameters()).fill_(float("nan"))
        return learn(self, *what)  # type: ignore[arg-type]

    monkeypatch.setattr(Training, "_learn", breaks)
    with pytest.raises(FitError) as caught:
        fit(bars, replace(QUICK, steps=9), folder=tmp_path / "p")
    assert "step 3" in caught.value.got
    saved = load_policy(tmp_path / "p")
    assert all(torch.isfinite(p).all() for p in saved.policy.parameters())
    assert saved.about["result"]["stopped"] == "loss not finite"


def test_an_interrupted_training_saves_what_there_is(bars: DatasetVersion, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.step == 2:
            raise KeyboardInterrupt

    result = fit(bars, replace(QUICK, steps=50), stop, tmp_path / "p")
    assert result.stopped == "interrupted"
    assert load_policy(tmp_path / "p").about["result"]["steps"] == 2


def test_minutes_are_a_limit_too(bars: DatasetVersion, tmp_path: Path) -> None:
    result = fit(bars, replace(QUICK, steps=100_000, minutes=0.01), folder=tmp_path / "p")
    assert result.stopped == "minutes"
    assert 0 < result.steps < 100_000


def test_progress_runs_from_nothing_to_all(bars: DatasetVersion, tmp_path: Path) -> None:
    seen: list[Progress] = []
    fit(bars, QUICK, seen.append, tmp_path / "p")
    assert [p.step for p in seen] == [1, 2, 3]
    assert seen[-1].share == 1.0
    assert seen[-1].left_s == 0.0
    assert seen[0].samples_per_s > 0


def test_a_policy_of_that_name_is_refused_before_training(bars: DatasetVersion, fitted: FitResult) -> None:
    with pytest.raises(PolicyError, match="exists"):
        fit(bars, Settings(preset="tiny", steps=10**9), lambda _: pytest.fail("trained"), fitted.folder)


@pytest.mark.parametrize(
    "wrong", [{"steps": None}, {"steps": 0}, {"minutes": 0.0}, {"batch": 0}, {"rate": 0.0}, {"preset": "x"}]
)
def test_settings_that_cannot_work_are_refused(bars: DatasetVersion, tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(FitError):
        fit(bars, replace(QUICK, **wrong), folder=tmp_path / "p")  # type: ignore[arg-type]


def test_a_dataset_without_a_train_split_is_refused(tmp_path: Path) -> None:
    bar = Bar(seconds=2)
    bar.write(tmp_path / "clips" / "a")
    with pytest.raises(SampleError):
        fit(publish_rows(tmp_path, rows_of("a", bar, ["eval"] * 2)), QUICK)
