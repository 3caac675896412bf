from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.seconds import Second
from curate.split import BLOCK_S, GAP_S, SplitError, parse_split


def second(number: int, of: int = 1000, drive: str = "d") -> Second:
    return Second("c", drive, number, of, number * 10**9, (), 0.0, 1.0, 1.0, 0.0, 0.0)


def test_time_split_has_a_gap_and_loses_no_training_second():
    part = parse_split("time:0.75")
    parts = [part(second(n, 200)) for n in range(200)]
    assert parts == ["train"] * 150 + ["excluded"] * GAP_S + ["eval"] * 40


@given(st.floats(0.05, 0.95), st.integers(30, 5000))
def test_no_exam_second_within_the_gap_of_a_training_second(share, seconds):
    part = parse_split(f"time:{share}")
    parts = [part(second(n, seconds)) for n in range(seconds)]
    train = [n for n, p in enumerate(parts) if p == "train"]
    exam = [n for n, p in enumerate(parts) if p == "eval"]
    if train and exam:
        assert min(exam) - (max(train) + 1) >= GAP_S


@given(st.text(max_size=8))
def test_blocks_keep_their_distance_and_never_move(drive):
    part = parse_split("block:0.3")
    parts = [part(second(n, drive=drive)) for n in range(20 * BLOCK_S)]
    for n, here in enumerate(parts):
        near = set(parts[max(0, n - GAP_S + 1) : n + GAP_S])
        assert not {"train", "eval"} <= near
        assert here == part(second(n, of=10**6, drive=drive))  # a longer drive re-assigns nothing


def test_about_the_asked_share_is_the_exam():
    part = parse_split("block:0.2")
    counts = Counter(part(second(30, drive=f"drive {i}")) for i in range(4000))
    assert counts["eval"] / 4000 == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize("text", ["", "time", "time:1.5", "time:x", "block:0", "place:0.2", "time:nan"])
def test_unknown_splits_are_refused(text):
    with pytest.raises(SplitError):
        parse_split(text)
