"""The table of errors that the nightly job reads."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from bars import SECOND_NS, T0_NS, Bar, bars_fixture, fitted_fixture, publish_rows, rows_of  # noqa: F401

from curate.dataset import DatasetVersion
from curate.surprise import read_errors
from train.checkpoint import SavedPolicy, load_policy
from train.errors import SampleError
from train.evaluate import evaluate
from train.fit import FitResult
from train.score import SCHEMA, Scores, score, scores_path, write_scores
from train.seen import seen_by


@pytest.fixture(scope="module")
def saved(fitted: FitResult) -> SavedPolicy:
    return load_policy(fitted.folder)


@pytest.fixture(scope="module")
def scores(bars: DatasetVersion, saved: SavedPolicy) -> Scores:
    return score(bars, saved)


def test_every_second_with_a_sample_has_a_row(scores: Scores) -> None:
    clips, starts = scores.table.column("clip_id").to_pylist(), scores.table.column("start_ns").to_pylist()
    assert list(zip(clips, starts, strict=True)) == [
        (clip, T0_NS + second * SECOND_NS) for clip, count in (("a", 40), ("b", 20)) for second in range(count)
    ]
    assert scores.unscored == 0
    assert scores.table.column("samples").to_pylist()[:2] == [9, 10]


def test_the_error_is_the_standardised_square(bars: DatasetVersion, saved: SavedPolicy, scores: Scores) -> None:
    exam = evaluate(bars, saved)
    off = (exam.predicted - exam.samples.controls_now) / np.array(saved.config.std)
    second = (exam.samples.t_ns - T0_NS) // SECOND_NS
    errors = scores.table.column("error").to_numpy()[40:]
    assert errors == pytest.approx([np.mean(off[second == number] ** 2) for number in range(20)])


def test_what_was_trained_on_is_said(scores: Scores) -> None:
    assert scores.table.column("trained_on").to_pylist() == [True] * 40 + [False] * 20
    assert scores.mean_error(True) == pytest.approx(scores.table.column("error").to_numpy()[:40].mean())
    assert scores.mean_error(False) is not None


def test_the_file_is_whole_small_and_replaced_at_once(scores: Scores, tmp_path: Path) -> None:
    path = scores_path(tmp_path, "p")
    write_scores(path, scores)
    write_scores(path, scores)
    assert [each.name for each in path.parent.iterdir()] == ["p.parquet"]
    table = pq.read_table(path)
    assert table.schema.equals(SCHEMA)
    assert table.equals(scores.table)
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"
    assert table.schema.metadata[b"swerve.policy"]


def test_the_night_reads_it(scores: Scores, tmp_path: Path) -> None:
    path = scores_path(tmp_path, "p")
    write_scores(path, scores)
    errors = scores.table.column("error").to_numpy()
    assert read_errors(path) == pytest.approx({"a": errors[:40].mean(), "b": errors[40:].mean()})


def test_seconds_nobody_drove_have_no_row_and_are_counted(saved: SavedPolicy, tmp_path: Path) -> None:
    bar = Bar(seconds=6, seed=4, sources=((0.0, 2.0), (3.0, 1.0)))
    bar.write(tmp_path / "clips" / "c")
    found = score(publish_rows(tmp_path, rows_of("c", bar, ["excluded"] * 6)), saved)
    assert found.table.num_rows + found.unscored == 6
    assert found.unscored >= 2


def test_a_damaged_clip_is_left_out_and_named(bars: DatasetVersion, saved: SavedPolicy, tmp_path: Path) -> None:
    shutil.copytree(bars.store, tmp_path / "store", ignore=shutil.ignore_patterns("policies", "cache"))
    (tmp_path / "store" / "clips" / "a" / "drive.json").write_text("{")
    found = score(dataclasses.replace(bars, store=tmp_path / "store"), saved)
    assert set(found.skipped) == {"a"}
    assert set(found.table.column("clip_id").to_pylist()) == {"b"}
    assert found.unscored == 40


def test_a_version_without_a_sample_is_refused(bars: DatasetVersion, saved: SavedPolicy, tmp_path: Path) -> None:
    with pytest.raises(SampleError):
        score(dataclasses.replace(bars, store=tmp_path), saved)


def origin_of(saved: SavedPolicy) -> Mapping[str, Any]:
    return {"name": saved.name, "version": saved.about["version"], "dataset": saved.about["dataset"]}


def test_a_fine_tuned_policy_has_seen_what_its_origin_saw(saved: SavedPolicy, tmp_path: Path) -> None:
    """The origin's version gave 40 s to training; a version of the same store gives other seconds."""
    store = tmp_path / "store"
    shutil.copytree(saved.folder.parents[1], store, ignore=shutil.ignore_patterns("cache", "clips"))
    bar = Bar(seconds=5, seed=6)
    later = publish_rows(store, rows_of("n", bar, ["train"] * 4 + ["eval"]))
    about = {"version": later.name, "dataset": later.digest, "origin": origin_of(saved)}
    seen = seen_by(store, about)
    assert seen.complete
    assert len(seen.seconds) == 44
    assert seen.say([("bar-6", T0_NS), ("bar-1", T0_NS), ("bar-2", T0_NS)]) == [True, True, False]
    shutil.rmtree(store / "policies" / saved.name)
    unsure = seen_by(store, about)
    assert unsure.say([("bar-6", T0_NS), ("bar-1", T0_NS), ("bar-2", T0_NS)]) == [True, True, None]


def test_what_a_version_that_is_gone_held_is_not_known(bars: DatasetVersion, saved: SavedPolicy) -> None:
    for about in ({}, {"version": "0009-00000000"}, {**saved.about, "dataset": "another"}):
        assert seen_by(bars.store, about).say([("bar-1", T0_NS)]) == [None]
