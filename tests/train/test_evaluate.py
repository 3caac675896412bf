"""The exam: the policy beside its baselines, on the same samples."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from bars import EVAL, HUMAN, SYSTEM, Bar, bars_fixture, fitted_fixture, publish_rows, rows_of  # noqa: F401

from curate.dataset import DatasetVersion
from train.checkpoint import load_policy
from train.errors import EvaluationError
from train.evaluate import Evaluation, Row, evaluate
from train.figures import figures
from train.fit import FitResult
from train.reference import read_reference

GOOD_HEAD = "frame_id,steering_angle\n"


@pytest.fixture(scope="module")
def exam(bars: DatasetVersion, fitted: FitResult) -> Evaluation:
    return evaluate(bars, load_policy(fitted.folder), ablate=True)


def row(exam: Evaluation, who: str, part: str = "all") -> Row:
    return next(r for r in exam.rows if r.who == who and r.slice == part)


def rmse(exam: Evaluation, who: str, part: str = "all") -> float:
    value = row(exam, who, part).figures.rmse
    assert value is not None
    return value


def test_the_policy_beats_both_baselines(exam: Evaluation, fitted: FitResult) -> None:
    policy = rmse(exam, fitted.folder.name)
    assert policy < 0.25 * rmse(exam, "training mean")
    assert policy < 0.25 * rmse(exam, "1 s ago")
    assert (row(exam, fitted.folder.name).figures.r or 0) > 0.97


def test_without_its_pictures_it_is_lost(exam: Evaluation, fitted: FitResult) -> None:
    for blind in ("black frames", "shuffled frames"):
        assert rmse(exam, blind) > 3 * rmse(exam, fitted.folder.name)


def test_persistence_is_the_control_one_second_ago(exam: Evaluation) -> None:
    found = row(exam, "1 s ago")
    truth = EVAL.steering()
    # Frames before 1 s have none; the first frame of the drive has no window.
    assert found.missing == 9
    assert found.figures.n == len(exam.samples) - 9
    assert rmse(exam, "1 s ago") == pytest.approx(np.sqrt(np.mean((truth[10:] - truth[:-10]) ** 2)), rel=1e-4)


def test_the_policy_is_measured_on_the_same_remainder(exam: Evaluation) -> None:
    kept = exam.samples.t_ns >= EVAL.times()[10]
    error = (exam.predicted - exam.samples.controls_now)[kept, 0]
    assert row(exam, "1 s ago").policy.n == int(kept.sum())
    assert row(exam, "1 s ago").policy.rmse == pytest.approx(np.sqrt(np.mean(error**2)))


def test_the_mean_is_that_of_the_training_labels(exam: Evaluation) -> None:
    found = row(exam, "training mean").figures
    assert found.r is None
    mean = exam.saved.config.mean[0]
    assert found.rmse == pytest.approx(np.sqrt(np.mean((exam.samples.controls_now[:, 0] - mean) ** 2)))


def test_rare_is_events_and_the_greatest_rarity(exam: Evaluation, fitted: FitResult) -> None:
    """Seconds 5 and 15 are events, second 19 has the greatest rarity factor."""
    assert (exam.rarity.rare_seconds, exam.rarity.by_event, exam.rarity.by_rarity) == (3, 2, 1)
    parts = {part: row(exam, fitted.folder.name, part).figures.n for part in ("all", "rare", "ordinary")}
    assert parts["rare"] == 30
    assert parts["rare"] + parts["ordinary"] == parts["all"]


def test_equal_probabilities_change_only_the_weight_of_short_seconds(exam: Evaluation, fitted: FitResult) -> None:
    name = fitted.folder.name
    assert rmse(exam, name, "natural") == pytest.approx(rmse(exam, name), rel=0.05)


def test_steering_is_told_in_rad_too(exam: Evaluation, fitted: FitResult) -> None:
    found = row(exam, fitted.folder.name).figures
    assert found.rmse_rad == pytest.approx(np.deg2rad(found.rmse or 0))


def test_the_document_is_json(exam: Evaluation) -> None:
    document = json.loads(json.dumps(exam.to_json()))
    assert document["trained_on_this_dataset"] is True
    assert document["horizon_s"] == 1.0


def test_a_system_driven_past_is_no_persistence(bars: DatasetVersion, fitted: FitResult, tmp_path: Path) -> None:
    bar = Bar(seconds=5, seed=9, sources=((0.0, SYSTEM), (3.0, HUMAN)))
    bar.write(tmp_path / "clips" / "c")
    version = publish_rows(tmp_path, rows_of("c", bar, ["eval"] * 5))
    exam = evaluate(version, load_policy(fitted.folder))
    assert len(exam.samples) == 20
    assert row(exam, "1 s ago").missing == 10
    assert not exam.same_dataset


def test_natural_weighs_by_one_over_the_inclusion_probability(fitted: FitResult, tmp_path: Path) -> None:
    bar = Bar(seconds=4, seed=8)
    bar.write(tmp_path / "clips" / "c")
    rows = rows_of("c", bar, ["eval"] * 4, inclusion_probability=[1.0, 1.0, 0.1, 1.0])
    exam = evaluate(publish_rows(tmp_path, rows), load_policy(fitted.folder))
    error = (exam.predicted - exam.samples.controls_now)[:, 0] ** 2
    seconds = [error[exam.samples.row == r].mean() for r in range(4)]
    wanted = np.sqrt((seconds[0] + seconds[1] + 10 * seconds[2] + seconds[3]) / 13)
    assert rmse(exam, fitted.folder.name, "natural") == pytest.approx(wanted)


def reference_file(path: Path, t_ns: np.ndarray, steering_rad: np.ndarray) -> Path:  # type: ignore[type-arg]
    lines = [f"{t},{a}" for t, a in zip(t_ns, steering_rad, strict=True)]
    path.write_text("\n".join(["frame_id,steering_angle", *lines]) + "\n")
    return path


def test_a_reference_is_measured_where_it_has_an_answer(
    bars: DatasetVersion, fitted: FitResult, tmp_path: Path
) -> None:
    """Every other frame is answered, 4 ms late; the last ten answers are 6 ms late and do not count."""
    t_ns, truth = EVAL.times()[::2], np.deg2rad(EVAL.steering()[::2])
    late = np.where(np.arange(t_ns.size) >= t_ns.size - 10, 6_000_000, 4_000_000)
    path = reference_file(tmp_path / "rival.csv", t_ns + late, truth + 0.1)
    exam = evaluate(bars, load_policy(fitted.folder), [read_reference(path)])
    found = row(exam, "rival")
    assert found.figures.n == found.policy.n == 89
    assert found.figures.rmse_rad == pytest.approx(0.1, rel=1e-3)
    assert found.missing == len(exam.samples) - 89


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", GOOD_HEAD, GOOD_HEAD + "x,1\n", GOOD_HEAD + "1\n"])
def test_references_that_are_none_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(content)
    with pytest.raises(EvaluationError, match=r"r\.csv"):
        read_reference(path)


def test_a_missing_reference_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_reference(tmp_path / "none.csv")


def test_figures_of_nothing_are_none_and_pairs_with_nan_do_not_count() -> None:
    nan = np.nan
    assert figures(np.array([nan, 1.0]), np.array([1.0, nan])).n == 0
    found = figures(np.array([1.0, nan, 3.0]), np.array([0.0, 5.0, 3.0]))
    assert (found.n, found.mae, found.rmse) == (2, 0.5, pytest.approx(np.sqrt(0.5)))
    assert found.rmse_rad is None
    assert figures(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])).r == pytest.approx(1.0)
