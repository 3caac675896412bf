"""Two policies on one exam."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from bars import Bar, bars_fixture, fitted_fixture, publish_rows, rows_of  # noqa: F401

from curate.dataset import DatasetVersion
from train.checkpoint import SavedPolicy, load_policy, save_policy
from train.compare import BETTER, SAME, TOO_FEW, WORSE, compare
from train.comparison import Comparison, common, compare_policies, in_words
from train.errors import EvaluationError
from train.evaluate import evaluate, exam_of
from train.evaluation.answers import BLACK, SHUFFLED, predict
from train.evaluation.blocks import blocks_of
from train.fit import FitResult


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> DatasetVersion:
    """An exam of 80 s: eight blocks."""
    store, bar = tmp_path_factory.mktemp("exam"), Bar(seconds=80, seed=5)
    bar.write(store / "clips" / "c")
    return publish_rows(store, rows_of("c", bar, ["eval"] * 80))


@pytest.fixture(scope="module")
def good(fitted: FitResult) -> SavedPolicy:
    return load_policy(fitted.folder)


@pytest.fixture(scope="module")
def spoiled(fitted: FitResult, tmp_path_factory: pytest.TempPathFactory) -> SavedPolicy:
    """The same policy, its answers doubled."""
    saved = load_policy(fitted.folder)
    with torch.no_grad():
        saved.policy.answer.weight.mul_(2.0)
    folder = tmp_path_factory.mktemp("policies") / "spoiled"
    save_policy(folder, saved.policy, saved.about)
    return load_policy(folder)


@pytest.fixture(scope="module")
def found(version: DatasetVersion, good: SavedPolicy, spoiled: SavedPolicy) -> Comparison:
    return compare_policies(version, good, spoiled)


def test_the_better_one_is_told(found: Comparison) -> None:
    overall = found.lines[0]
    assert (overall.family, overall.slice, overall.verdict) == ("whole", "all", BETTER)
    assert (overall.ratio.high or 9) < 1.0
    assert "errs less than spoiled" in in_words(found)[0]
    assert found.blocks.startswith("8 blocks of at least 10 s of 1 drive")


def test_a_policy_that_answers_with_no_number_is_not_compared(version: DatasetVersion, good: SavedPolicy) -> None:
    broken = load_policy(good.folder)
    with torch.no_grad():
        broken.policy.answer.weight.mul_(float("nan"))
    for pair in ((broken, good), (good, broken)):
        with pytest.raises(EvaluationError, match="no number"):
            compare_policies(version, *pair)


def test_the_other_way_round_it_is_the_worse_one(
    version: DatasetVersion, good: SavedPolicy, spoiled: SavedPolicy
) -> None:
    turned = compare_policies(version, spoiled, good)
    assert turned.lines[0].verdict == WORSE
    assert "errs more than" in in_words(turned)[0]


def test_errors_are_those_of_the_exam(version: DatasetVersion, good: SavedPolicy, found: Comparison) -> None:
    row = evaluate(version, good).rows[0]
    assert (found.lines[0].ratio.candidate or 0) ** 0.5 == pytest.approx(row.figures.rmse)


def test_p_values_of_slices_are_corrected_and_never_smaller(found: Comparison) -> None:
    for line in found.lines[1:]:
        assert (line.p is None) == (line.ratio.p is None)
        assert (line.p or 0) >= (line.ratio.p or 0)
    assert any((line.p or 0) > (line.ratio.p or 0) for line in found.lines[1:])


def test_a_policy_is_the_same_as_itself(bars: DatasetVersion, good: SavedPolicy) -> None:
    same = compare_policies(bars, good, good)
    assert {line.verdict for line in same.lines} == {SAME}
    assert "err the same" in in_words(same)[0]


def test_a_short_exam_tells_nothing(bars: DatasetVersion, good: SavedPolicy, spoiled: SavedPolicy) -> None:
    short = compare_policies(bars, good, spoiled)
    assert {line.verdict for line in short.lines} == {TOO_FEW}
    assert "too few blocks" in in_words(short)[0]


def test_blindfolds_raise_the_error_beyond_chance(version: DatasetVersion, good: SavedPolicy) -> None:
    exam = exam_of(version, good)
    seeing, label = predict(good.policy, exam).now, exam.controls_now.astype(np.float64)
    for how in (BLACK, SHUFFLED):
        (ratio,) = compare(predict(good.policy, exam, how).now, seeing, label, blocks_of(version, exam).of)
        assert (ratio.low or 0) > 4.0
        assert (ratio.p or 1) < 0.05


def test_samples_in_common_are_of_the_same_clip_and_time(version: DatasetVersion, good: SavedPolicy) -> None:
    exam = exam_of(version, good)
    other = exam_of(version, good)
    object.__setattr__(other, "t_ns", other.t_ns + 100_000_000)
    first, second = common(exam, other)
    assert first.size == len(exam) - 1
    np.testing.assert_array_equal(exam.t_ns[first], other.t_ns[second])


def test_policies_of_other_controls_are_not_compared(
    version: DatasetVersion, good: SavedPolicy, tmp_path: Path
) -> None:
    head = json.loads((good.folder / "policy.json").read_bytes())
    saved = load_policy(good.folder)
    assert head["config"]["controls"] == ["steering_wheel_deg"]
    object.__setattr__(saved.policy.config, "controls", ("gas_fraction",))
    with pytest.raises(EvaluationError, match="a control that both answer"):
        compare_policies(version, good, saved)


def test_who_was_trained_on_the_exam_is_said(bars: DatasetVersion, good: SavedPolicy, found: Comparison) -> None:
    """Its own exam is new to it; of another store's nothing is known; its training seconds are told."""
    assert compare_policies(bars, good, good).notes == ()
    assert any("is not known" in note for note in found.notes)
    swapped = [{"train": "eval", "eval": "train"}[split] for split in bars.rows.column("split").to_pylist()]
    rows = bars.rows.set_column(bars.rows.column_names.index("split"), "split", pa.array(swapped))
    turned = compare_policies(replace(bars, rows=rows), good, good)
    assert any(note.endswith("was trained on 40 of the 40 seconds compared") for note in turned.notes)


def test_the_document_is_json(found: Comparison) -> None:
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert document["lines"][0]["ratio"]["at_most"] < 1.0
