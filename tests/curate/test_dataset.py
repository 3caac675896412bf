"""A version is named by what is in it, and by nothing else."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.versions import row, table

from curate.dataset import SCHEMA, open_version, read_head
from curate.errors import DatasetError
from curate.version import publish as publishing
from curate.version.digest import rows_digest
from curate.version.names import current_name, resolve, roll_back, set_tag, tags, version_names
from curate.version.publish import publish

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
ROWS = st.lists(
    st.builds(
        row,
        clip=TEXT,
        second=st.integers(0, 1 << 30),
        events=st.lists(TEXT, max_size=3),
        weight=st.floats(0, 1e6),
        place=TEXT,
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda r: (r["clip_id"], r["start_ns"]),
)


def put(store, rows, recipe=None, inputs=None):
    return publish(store, table(rows), recipe or {"split": "s"}, {"clips": 1}, inputs or {"a": "0" * 64})


@settings(deadline=None, max_examples=50)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_order_chunks_or_buffers(rows, chance):
    whole = table(rows)
    digest = rows_digest(whole, {}, {})
    chance.shuffle(rows)
    cut = chance.randrange(len(rows) + 1)
    assert rows_digest(pa.concat_tables([table(rows[:cut]), table(rows[cut:])]), {}, {}) == digest
    padded = pa.concat_tables([table([row("zz", 1 << 31)]), whole, table([row("zz", 1 << 32)])]).combine_chunks()
    assert rows_digest(padded.slice(1, len(rows)), {}, {}) == digest


@settings(deadline=None, max_examples=50)
@given(ROWS, ROWS)
def test_other_rows_have_another_digest(one, other):
    def in_order(rows):
        return table(rows).sort_by([("clip_id", "ascending"), ("start_ns", "ascending")]).to_pylist()

    same = in_order(one) == in_order(other)
    assert (rows_digest(table(one), {}, {}) == rows_digest(table(other), {}, {})) == same


def test_text_that_wanders_to_the_next_row_changes_the_digest():
    pairs = [("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc")]
    found = {rows_digest(table([row("a", 0, place=p), row("a", 1, place=q)]), {}, {}) for p, q in pairs}
    lists = [([["x"], []]), ([[], ["x"]]), ([["x", ""], []])]
    found |= {rows_digest(table([row("a", 0, events=p), row("a", 1, events=q)]), {}, {}) for p, q in lists}
    assert len(found) == 7


def test_recipe_and_inputs_are_part_of_the_digest_and_zero_has_no_sign():
    rows = table([row(weight=0.0)])
    assert rows_digest(rows, {}, {}) == rows_digest(table([row(weight=-0.0)]), {}, {})
    assert len({rows_digest(rows, r, i) for r in ({}, {"a": 1}) for i in ({}, {"a": "1"})}) == 4


@pytest.mark.parametrize("wrong", [{"weight": float("nan")}, {"place": None}])
def test_a_value_that_is_none_is_never_published(tmp_path, wrong):
    with pytest.raises(ValueError, match="value"):
        put(tmp_path, [row(**wrong)])
    assert version_names(tmp_path) == []


def test_the_head_names_inputs_code_and_parent(tmp_path, monkeypatch):
    first = put(tmp_path, [row()], inputs={"a": "1" * 64})
    monkeypatch.setattr(publishing, "code_version", lambda: "99")
    assert put(tmp_path, [row()], inputs={"a": "1" * 64}).name == first.name
    second = put(tmp_path, [row(), row(second=1)], inputs={"a": "1" * 64})
    assert (second.head["parent"], second.head["code"], second.inputs) == (first.name, "99", {"a": "1" * 64})
    assert open_version(tmp_path).rows.equals(table([row(), row(second=1)]))


def test_a_changed_input_in_the_head_is_noticed(tmp_path):
    version = put(tmp_path, [row()])
    path = tmp_path / "versions" / version.name / "version.json"
    path.write_text(json.dumps({**version.head, "inputs": {"a": "2" * 64}}))
    with pytest.raises(DatasetError, match="digest"):
        open_version(tmp_path)


@pytest.mark.parametrize("head", ["{", "[]", '{"format": "swerve-dataset/9"}', '{"format": "swerve-dataset/3"}'])
def test_a_head_that_is_none_is_said(tmp_path, head):
    version = put(tmp_path, [row()])
    (tmp_path / "versions" / version.name / "version.json").write_text(head)
    with pytest.raises(DatasetError, match="cannot be read"):
        read_head(tmp_path, version.name)


def test_rows_of_another_schema_are_refused(tmp_path):
    version = put(tmp_path, [row()])
    pq.write_table(version.rows.drop_columns("place"), tmp_path / "versions" / version.name / "rows.parquet")
    with pytest.raises(DatasetError):
        open_version(tmp_path)


def test_the_current_version_is_the_newest_until_it_is_rolled_back(tmp_path):
    names = [put(tmp_path, [row(second=n)]).name for n in range(3)]
    assert current_name(tmp_path) == names[2]
    roll_back(tmp_path, names[0])
    assert open_version(tmp_path).name == open_version(tmp_path, "current").name == names[0]
    assert open_version(tmp_path, "newest").name == names[2]
    assert put(tmp_path, [row(second=2)]).name == names[2]  # the same night again: nothing new
    assert current_name(tmp_path) == names[0]
    new = put(tmp_path, [row(second=9)])
    assert (new.head["parent"], current_name(tmp_path)) == (names[0], new.name)
    assert version_names(tmp_path) == [*names, new.name]


def test_a_roll_back_is_taken_back_and_a_damaged_one_is_void(tmp_path):
    names = [put(tmp_path, [row(second=n)]).name for n in range(2)]
    roll_back(tmp_path, names[0])
    roll_back(tmp_path, "newest")
    assert current_name(tmp_path) == names[1]
    for junk in ("{", "[]", "{}", json.dumps({"from": names[1], "to": "0009-deadbeef"})):
        (tmp_path / "versions/rolled_back.json").write_text(junk)
        assert current_name(tmp_path) == names[1]


def test_a_tag_stays_until_it_is_moved(tmp_path):
    names = [put(tmp_path, [row(second=n)]).name for n in range(2)]
    set_tag(tmp_path, names[0], "good")
    assert resolve(tmp_path, "good") == names[0]
    with pytest.raises(DatasetError, match="--move"):
        set_tag(tmp_path, names[1], "good")
    set_tag(tmp_path, "newest", "good", move=True)
    assert tags(tmp_path) == {"good": names[1]}
    assert open_version(tmp_path, "good").name == names[1]


@pytest.mark.parametrize("tag", ["current", "newest", "../x", "", "0001-deadbeef", "a b", "a/b"])
def test_a_tag_that_could_be_taken_for_something_else_is_refused(tmp_path, tag):
    put(tmp_path, [row()])
    with pytest.raises(DatasetError, match="tag"):
        set_tag(tmp_path, "newest", tag)


def test_a_tag_of_a_version_that_is_gone_says_so(tmp_path):
    first = put(tmp_path, [row()])
    set_tag(tmp_path, first.name, "good")
    put(tmp_path, [row(second=1)])
    shutil.rmtree(tmp_path / "versions" / first.name)
    with pytest.raises(DatasetError, match="gone"):
        open_version(tmp_path, "good")
    with pytest.raises(DatasetError, match="no version nonsense"):
        open_version(tmp_path, "nonsense")


def test_numbers_come_as_they_were_put(tmp_path):
    weights = np.linspace(0, 3, 7)
    version = put(tmp_path, [row(second=n, weight=w) for n, w in enumerate(weights)])
    np.testing.assert_array_equal(version.numbers("weight"), weights)
    assert version.rows.schema.equals(SCHEMA)
