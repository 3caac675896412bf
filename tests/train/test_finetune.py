"""From a released policy to one that also knows what is new, without forgetting."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bars import EVAL, TRAIN, Bar, bars_fixture, fitted_fixture, publish_rows, rows_of  # noqa: F401

from curate.dataset import DatasetVersion
from train.checkpoint import load_policy
from train.clips import open_clips
from train.errors import FitError
from train.fit import FitResult, fit
from train.job import Job, draws
from train.samples import collect
from train.settings import Settings
from train.shares import key_frames

NEW = Bar(seconds=6, seed=7)
QUICK = Settings(steps=2, batch=20, rate=5e-4)


@pytest.fixture
def grown(bars: DatasetVersion, tmp_path: Path) -> DatasetVersion:
    """The store a night later: six seconds of another drive stand beside the forty there were."""
    store = tmp_path / "store"
    shutil.copytree(bars.store / "clips", store / "clips")
    shutil.copytree(bars.store / "versions", store / "versions")
    NEW.write(store / "clips" / "n")
    rows = rows_of("a", TRAIN, ["train"] * 40) + rows_of("b", EVAL, ["eval"] * 20)
    return publish_rows(store, rows + rows_of("n", NEW, ["train"] * 6, events=[["new"]] * 6))


def test_half_of_the_draws_are_new_and_half_are_replayed(grown: DatasetVersion, fitted: FitResult) -> None:
    result = fit(grown, QUICK, folder=grown.store / "policies" / "tuned", origin=load_policy(fitted.folder))
    assert result.mix["new"]["data"] < 0.15
    assert result.mix["new"]["requested"] == pytest.approx(0.5)
    about = load_policy(result.folder).about
    assert about["origin"]["name"] == fitted.folder.name
    assert about["dataset"] == grown.digest


def test_it_begins_where_the_released_policy_stood(grown: DatasetVersion, fitted: FitResult) -> None:
    """After two small steps it still reads the bar, which a new policy cannot; its units are the old ones."""
    before = load_policy(fitted.folder)
    result = fit(grown, QUICK, folder=grown.store / "policies" / "tuned", origin=before)
    assert result.points[-1].eval_rmse["steering_wheel_deg"] < 8
    assert load_policy(result.folder).config == before.config


def test_without_its_own_version_nobody_can_tell_what_is_new(grown: DatasetVersion, fitted: FitResult) -> None:
    shutil.rmtree(grown.store / "versions" / str(load_policy(fitted.folder).about["version"]))
    with pytest.raises(FitError, match="does not hold") as caught:
        fit(grown, QUICK, folder=grown.store / "policies" / "tuned", origin=load_policy(fitted.folder))
    assert caught.value.todo


def test_key_frames_can_be_asked_for_more_often(bars: DatasetVersion, tmp_path: Path) -> None:
    settings = Settings(preset="tiny", steps=1, keys=0.4)
    config = settings.config()
    samples = collect(bars, "train", open_clips(bars, config.view)[0], config.window)
    p = draws(Job(bars, settings, tmp_path, config), samples)
    keys = key_frames(samples.controls_now, samples.t_ns, samples.clip)
    assert np.mean(keys) == pytest.approx(0.1, abs=0.01)
    assert p[keys].sum() == pytest.approx(0.4)


def test_what_was_kept_can_be_drawn_alike_whatever_its_chance_was(grown: DatasetVersion, tmp_path: Path) -> None:
    """Seconds kept with a chance of a tenth are drawn ten times as often, unless what was kept is to count alike."""
    settings = Settings(preset="tiny", steps=1, mix=0.0)
    config = settings.config()
    samples = collect(grown, "train", open_clips(grown, config.view)[0], config.window)
    samples = replace(samples, inclusion=np.where(np.arange(samples.inclusion.size) % 2, 0.1, 1.0))
    seldom = samples.inclusion[samples.row] < 1.0

    def share(kept: bool) -> float:
        return float(draws(Job(grown, replace(settings, kept=kept), tmp_path, config), samples)[seldom].sum())

    rows = np.unique(samples.row)
    there = int((samples.inclusion[rows] < 1.0).sum())
    assert share(kept=True) == pytest.approx(there / rows.size)
    assert share(kept=False) == pytest.approx(10 * there / (10 * there + rows.size - there))
