"""A policy's errors: read from a table, turned to weights, and used to judge the rarity."""

import math
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from makers.seconds import second

from curate.rarity import clip_rarity
from curate.surprise import ScoresError, error_ratio, newest_scores, read_errors, surprise_factors
from curate.weights.facts import Facts
from curate.weights.recipes import weigh


def table(**columns):
    return pa.table({"clip_id": ["a", "a", "b"], "start_ns": [0, 1, 0], "error": [1.0, 3.0, 0.5]} | columns)


def test_a_clips_error_is_the_mean_of_its_rows(tmp_path):
    pq.write_table(table(), tmp_path / "p.parquet")
    assert read_errors(tmp_path / "p.parquet") == {"a": 2.0, "b": 0.5}


@pytest.mark.parametrize(
    "bad",
    [
        table().drop_columns("error"),
        table(error=[1.0, math.nan, 1.0]),
        table(error=[1.0, None, 1.0]),
        table(error=[1.0, -1.0, 1.0]),
        table(error=["1", "2", "3"]),
        table(clip_id=["a", None, "b"]),
        None,
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_in_three_parts(tmp_path, bad):
    path = tmp_path / "p.parquet"
    if bad is None:
        path.write_bytes(b"PAR1 junk")
    else:
        pq.write_table(bad, path)
    with pytest.raises(ScoresError) as refused:
        read_errors(path)
    assert str(path) in refused.value.got
    assert refused.value.wanted
    assert refused.value.todo


def test_the_table_of_the_newest_version_counts_whenever_its_file_was_copied(tmp_path):
    (tmp_path / "scores").mkdir()
    assert newest_scores(tmp_path) is None
    for name, of, copied_s in (("b", "0009-01234567", 3), ("a", "0012-89abcdef", 1), ("own", None, 9), ("z", "odd", 8)):
        table = pa.table({"clip_id": ["c"], "start_ns": [0], "error": [1.0]})
        path = tmp_path / "scores" / f"{name}.parquet"
        pq.write_table(table.replace_schema_metadata({"swerve.version": of} if of else None), path)
        os.utime(path, (copied_s, copied_s))
    (tmp_path / "scores" / "damaged.parquet").write_bytes(b"PAR1")
    assert newest_scores(tmp_path) == tmp_path / "scores" / "a.parquet"


def test_what_surprised_weighs_more_and_what_was_not_scored_is_ordinary():
    clips, errors = ["a", "b", "c", "d", "e"], {"a": 1.0, "b": 4.0, "c": 0.01, "d": 2.25}
    factors = surprise_factors(clips, errors, [True, False, False, False, True], 2.0)
    assert factors.tolist() == pytest.approx([1.0, 2.0, 0.5, 1.5, 1.0])
    assert surprise_factors(clips, {}, [True] * 5, 2.0).tolist() == [1.0] * 5


def test_the_rarest_clips_are_what_a_policy_gets_wrong():
    """A policy that learned the usual controls errs by how far from them it is, with noise of its own."""
    rng = np.random.default_rng(1)
    steering = rng.standard_t(2, 1000) * 5
    errors = {f"c{n}": float(0.5 + abs(s) / 5 * rng.uniform(0.5, 1.5)) for n, s in enumerate(steering)}
    seconds = [second(clip=f"c{n}", drive=f"d{n // 10}", steering=s) for n, s in enumerate(steering)]
    rarity = clip_rarity(list(errors), weigh(seconds))
    assert error_ratio(rarity, errors) >= 1.5
    shuffled = dict(zip(errors, rng.permutation(list(errors.values())).tolist(), strict=True))
    assert error_ratio(rarity, shuffled) < 1.5


def test_the_check_itself_does_not_ask_the_policy():
    seconds = [second(clip="a", steering=1.0), second(clip="b", steering=2.0)]
    told = Facts(error={"a": 1.0, "b": 9.0})
    assert clip_rarity(["a", "b"], weigh(seconds)) == clip_rarity(["a", "b"], weigh(seconds, facts=told))


def test_of_no_clip_nothing_can_be_said():
    assert math.isnan(error_ratio({"a": 1.0}, {"b": 1.0}))
    assert error_ratio({"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 3.0}) == 1.5
