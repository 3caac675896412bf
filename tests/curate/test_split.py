"""Training and exam are kept apart in time, place and by what they show; what was once decided stays."""

import math
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.seconds import second

from curate.across import most_alike, nearest_in_space
from curate.split import BUFFER_M, GAP_S, SplitError, assign, parse_split

METRE = 1 / 111_195


def parts(split, seconds, group=None, unseen=()):
    return list(assign(parse_split(split), seconds, group, unseen).parts)


def road(count, drive="d", north_m=0.0, step_m=15.0, start_m=0.0, **told):
    """A straight drive to the east near the equator, 10 s a clip."""
    return [
        second(n, drive, f"{drive}-{n // 10}", lat_deg=north_m * METRE, lon_deg=(start_m + n * step_m) * METRE, **told)
        for n in range(count)
    ]


def test_time_split_has_a_gap_and_loses_no_training_second():
    seconds = [second(n, of=200) for n in range(200)]
    assert parts("time:0.75", seconds) == ["train"] * 150 + ["excluded"] * GAP_S + ["eval"] * 40


@given(st.floats(0.05, 0.95), st.integers(30, 300))
def test_no_exam_second_within_the_gap_of_a_training_second(share, of):
    assigned = parts(f"time:{share}", [second(n, of=of) for n in range(of)])
    train = [n for n, p in enumerate(assigned) if p == "train"]
    exam = [n for n, p in enumerate(assigned) if p == "eval"]
    if train and exam:
        assert min(exam) - (max(train) + 1) >= GAP_S


@given(st.text(max_size=8))
def test_blocks_keep_their_distance_and_never_move(drive):
    assigned = parts("block:0.3", [second(n, drive) for n in range(150)])
    for n in range(len(assigned)):
        assert not {"train", "eval"} <= set(assigned[max(0, n - GAP_S + 1) : n + GAP_S])
    longer = [second(n, drive, of=10**6) for n in range(150)]
    assert parts("block:0.3", longer) == assigned  # a longer drive re-assigns nothing


@pytest.mark.parametrize("split", ["block:0.2", "place:0.2"])
def test_about_the_asked_share_is_on_the_exams_side(split):
    seconds = [second(30, f"drive {i}", lat_deg=0.3 * (i // 60), lon_deg=0.3 * (i % 60)) for i in range(3000)]
    counts = Counter(parse_split(split).side(s).part for s in seconds)
    assert counts["eval"] / 3000 == pytest.approx(0.2, abs=0.025)


@pytest.mark.parametrize("text", ["", "time", "time:1.5", "time:x", "block:0", "place:1", "cell:0.2", "time:nan"])
def test_unknown_splits_are_refused(text):
    with pytest.raises(SplitError):
        parse_split(text)


def test_the_same_road_is_on_one_side_whoever_drives_it():
    first, again = road(400, "first"), road(400, "again", north_m=5.0, start_m=3.0)
    decided = dict(zip([s.lon_deg // (15 * METRE) for s in first], parts("place:0.4", [*first, *again]), strict=False))
    both = {(a, b) for a, b in zip(parts("place:0.4", first), parts("place:0.4", again), strict=True)}
    assert set(decided.values()) == {"train", "eval", "excluded"}
    assert not {("train", "eval"), ("eval", "train")} & both


def test_no_training_second_is_driven_within_the_buffer_of_an_exam_second():
    """A town of parallel and crossing roads."""
    seconds = [s for lane in range(0, 4000, 130) for s in road(200, f"d{lane}", north_m=lane, step_m=20.0)]
    assigned = assign(parse_split("place:0.3"), seconds)
    assert {"train", "eval"} <= set(assigned.parts)
    assert nearest_in_space(seconds, assigned.parts).value >= BUFFER_M
    assert assigned.excluded["buffer"] > 0
    assert sum(assigned.excluded.values()) == assigned.parts.count("excluded")


def test_a_short_clip_that_crosses_a_border_is_excluded_whole():
    """At 30 m/s the buffer alone would take three seconds of it on either side."""
    seconds = road(300, step_m=30.0)
    split = parse_split("place:0.3")
    assigned, sides = assign(split, seconds), [split.side(s).part for s in seconds]
    crossing = {clip for clip, own in clips(seconds, sides).items() if len(own) == 2}
    assert crossing
    assert all(clips(seconds, assigned.parts)[clip] == {"excluded"} for clip in crossing)
    assert assigned.excluded["border"] > 0


def test_without_a_position_place_is_block():
    seconds = [second(n, f"d{d}") for d, n in product(range(5), range(300))]
    assert parts("place:0.2", seconds) == parts("block:0.2", seconds)


def test_a_group_on_both_sides_is_excluded_and_one_on_one_side_is_not():
    seconds = road(400)
    plain = parts("place:0.4", seconds)
    whole = {part: [clip for clip, own in clips(seconds, plain).items() if own == {part}] for part in ("train", "eval")}
    (one, other), exam = whole["train"][:2], whole["eval"][0]
    assert parts("place:0.4", seconds, {one: "g", other: "g"}) == plain
    crossing = assign(parse_split("place:0.4"), seconds, {one: "g", exam: "g"})
    after = clips(seconds, crossing.parts)
    assert after[one] == after[exam] == {"excluded"}
    assert after[other] == {"train"}
    assert crossing.excluded["duplicate"] == 20


def clips(seconds, assigned):
    sides = {}
    for s, part in zip(seconds, assigned, strict=True):
        sides.setdefault(s.clip_id, set()).add(part)
    return sides


DRIVES = st.lists(
    st.builds(
        lambda n, drive, east, north, known: second(
            n,
            f"d{drive}",
            f"d{drive}-{n // 10}",
            lat_deg=north * METRE if known else math.nan,
            lon_deg=(east + 15 * n) * METRE if known else math.nan,
        ),
        st.integers(0, 200),
        st.integers(0, 5),
        st.sampled_from([0, 700, 5000]),
        st.sampled_from([0, 450, 3000]),
        st.booleans(),
    ),
    max_size=40,
    unique_by=lambda s: (s.drive_id, s.number),
)


@pytest.mark.parametrize("split", ["place:0.4", "block:0.4"])
@given(
    seconds=DRIVES,
    more=DRIVES,
    doubles=st.dictionaries(st.sampled_from(["d0-1", "d1-2", "d2-0", "d3-3"]), st.just("g")),
    unseen=st.sets(st.sampled_from(["d0-0", "d1-2", "d2-1"])),
)
def test_as_data_grows_a_second_keeps_its_part_or_becomes_excluded(split, seconds, more, doubles, unseen):
    known = {(s.drive_id, s.number) for s in seconds}
    grown = [*seconds, *(s for s in more if (s.drive_id, s.number) not in known)]
    before, after = parts(split, seconds), parts(split, grown, doubles, unseen)
    assert all(new in (old, "excluded") for old, new in zip(before, after, strict=False))


def test_the_most_alike_pair_across_is_reported():
    seconds = [second(clip=c) for c in ("a", "b", "x", "y")]
    vectors = {"a": [1, 0], "b": [0, 1], "x": [0.6, 0.8], "y": [-1, 0]}
    vectors = {clip: np.array(v, np.float32) for clip, v in vectors.items()}
    pair = most_alike(seconds, ["train", "train", "eval", "eval"], vectors)
    assert (pair.train, pair.eval) == ("b", "x")
    assert pair.value == pytest.approx(0.8)


def test_where_there_is_no_pair_none_is_reported():
    assert nearest_in_space([second()], ["train"]) is None
    assert most_alike([second(clip="a"), second(clip="b")], ["train", "eval"], {"a": np.ones(1, np.float32)}) is None


def test_a_second_that_two_clips_tell_is_kept_apart_for_both():
    """Clip b is shown again by c of another drive; half of its seconds count for clip a, which tells them too."""
    side = parse_split("block:0.5").side
    drives = [f"d{i}" for i in range(50)]
    train = next(d for d in drives if {side(second(n, d)).part for n in range(40)} == {"train"})
    exam = next(d for d in drives if {side(second(n, d)).part for n in range(40)} == {"eval"})
    first = [second(n, train, "a", also=("b",) if n >= 20 else ()) for n in range(40)]
    again = [second(n, exam, "c") for n in range(20, 40)]
    parts = assign(parse_split("block:0.5"), [*first, *again], {"b": "b", "c": "b"}).parts
    assert list(parts) == ["train"] * 20 + ["excluded"] * 40


@pytest.mark.parametrize("split", ["block:0.4", "time:0.5", "place:0.4"])
def test_no_synthetic_second_is_an_exams(split):
    seconds = [replace(s, synthetic=s.number % 3 == 0) for s in road(1500, step_m=60.0, of=1500)]
    assigned = assign(parse_split(split), seconds)
    held = [part for s, part in zip(seconds, assigned.parts, strict=True) if s.synthetic]
    assert "eval" not in held
    assert "train" in held
    assert assigned.excluded.get("synthetic", 0) > 0
