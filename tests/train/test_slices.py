"""Slices of an exam: every sample in one part of each family, and the parts add up to the whole."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from bars import SECOND_NS, T0_NS, Bar, bars_fixture, fitted_fixture, publish_rows, rows_of  # noqa: F401

from curate.dataset import DatasetVersion
from train.checkpoint import load_policy
from train.evaluate import exam_of
from train.evaluation.blocks import blocks_of
from train.evaluation.breakdown import rmse
from train.evaluation.light import DARK_BELOW, brightness
from train.evaluation.rare import find_rare
from train.evaluation.slices import ALL, MOST, NATURAL, UNKNOWN, WHOLE, Slice, find_slices
from train.fit import FitResult
from train.samples import SampleSet

Exam = tuple[DatasetVersion, SampleSet]


@pytest.fixture(scope="module")
def exam(fitted: FitResult, tmp_path_factory: pytest.TempPathFactory) -> Exam:
    """20 s of one drive, some of them rare and one unlikely, and 12 s of another at night with a turn signal on."""
    store = tmp_path_factory.mktemp("slices")
    day, night = Bar(seconds=20, seed=2), Bar(seconds=12, seed=3, dark=True, blinker=True)
    day.write(store / "clips" / "day")
    night.write(store / "clips" / "night")
    kinds = [["abrupt_steering", "harsh_cornering"] if s == 5 else [] for s in range(20)]
    rows = rows_of("day", day, ["eval"] * 20, events=kinds, inclusion_probability=[0.1] + [1.0] * 19)
    rows += rows_of("night", night, ["eval"] * 12)
    version = publish_rows(store, rows)
    return version, exam_of(version, load_policy(fitted.folder))


def found(exam: Exam) -> dict[tuple[str, str], Slice]:
    version, samples = exam
    return {(part.family, part.name): part for part in find_slices(version, samples, find_rare(version, samples)[1])}


def test_every_family_but_events_parts_the_exam(exam: Exam) -> None:
    families: dict[str, list[Slice]] = defaultdict(list)
    for part in found(exam).values():
        families[part.family].append(part)
    assert set(families) == {WHOLE, "event", "bend", "light", "junction", "drive"}
    for family in set(families) - {WHOLE, "event"}:
        np.testing.assert_array_equal(sum(part.weight for part in families[family]), np.ones(len(exam[1])))


def test_errors_of_the_parts_add_up_to_that_of_the_whole(exam: Exam) -> None:
    version, samples = exam
    squared, blocks = np.random.default_rng(0).random(len(samples)), blocks_of(version, samples)
    slices = found(exam)
    whole = rmse(squared, slices[WHOLE, ALL], blocks)
    for family in ("bend", "light", "drive"):
        parts = [rmse(squared, part, blocks) for part in slices.values() if part.family == family]
        assert sum(part.n for part in parts) == whole.n
        together = sum(part.n * (part.value or 0.0) ** 2 for part in parts)
        assert together == pytest.approx(whole.n * (whole.value or 0.0) ** 2)


def test_what_is_natural_weighs_by_one_over_the_inclusion_probability(exam: Exam) -> None:
    weight, t_ns = found(exam)[WHOLE, NATURAL].weight, exam[1].t_ns
    first = (exam[1].clip == 0) & (t_ns < T0_NS + SECOND_NS)
    second = (exam[1].clip == 0) & (t_ns >= T0_NS + SECOND_NS) & (t_ns < T0_NS + 2 * SECOND_NS)
    assert weight[first].sum() == pytest.approx(10 * weight[second].sum())


def test_events_may_overlap_and_quiet_seconds_are_a_kind(exam: Exam) -> None:
    slices = found(exam)
    counts = {name: np.count_nonzero(part.weight) for (family, name), part in slices.items() if family == "event"}
    assert counts["abrupt_steering"] == counts["harsh_cornering"] == 10
    assert set(counts) == {"abrupt_steering", "harsh_cornering", "baseline", "no event"}


def test_night_is_told_by_the_pictures_and_a_junction_by_the_turn_signal(exam: Exam) -> None:
    slices, at_night = found(exam), exam[1].clip == 1
    np.testing.assert_array_equal(brightness(exam[1]) < DARK_BELOW, at_night)
    np.testing.assert_array_equal(slices["light", "dark (night, tunnel)"].weight > 0, at_night)
    np.testing.assert_array_equal(slices["junction", "turn signal on"].weight > 0, at_night)


def test_bends_are_banded_by_the_angle_to_either_side(exam: Exam) -> None:
    sharp = found(exam)["bend", "45 deg and more"].weight > 0
    np.testing.assert_array_equal(sharp, np.abs(exam[1].controls_now[:, 0]) >= 45.0)


def test_places_and_devices_are_slices_where_the_dataset_knows_them(exam: Exam) -> None:
    version, samples = exam
    assert not {family for family, _ in found(exam)} & {"place", "driver"}
    rows, seconds = version.rows, range(version.rows.num_rows)
    told = {"place": [f"cell {s % (MOST + 3)}" for s in seconds], "device": [["", "car-1"][s % 2] for s in seconds]}
    for name, column in told.items():
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(column))
    slices = found((replace(version, rows=rows), samples))
    kept = [part for (family, _), part in slices.items() if family == "place"]
    assert len(kept) == MOST + 1
    assert kept[-1].name == "3 others"
    np.testing.assert_array_equal(sum(part.weight for part in kept), np.ones(len(samples)))
    assert {name for family, name in slices if family == "driver"} == {"car-1", UNKNOWN}
