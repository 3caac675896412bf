"""The night's choice: bytes kept, the best taken, every probability as it should be."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.night.budget import (
    FLOOR_RATE,
    PATIENCE,
    TAIL_SHARE,
    Candidate,
    Lanes,
    baseline_rate,
    choose,
    permanent_number,
    tail_probabilities,
    wire_bytes,
)
from edge.night.value import value_of
from trigger.event import Event, Evidence

MB = 1_000_000
clips = st.lists(
    st.builds(
        lambda number, size, value, waited: Candidate(f"c{number}", size, value, waited),
        st.integers(0, 10**9),
        st.integers(1, 50 * MB),
        st.floats(0.1, 1000.0),
        st.integers(0, PATIENCE + 1),
    ),
    max_size=40,
    unique_by=lambda c: c.clip_id,
)


def knapsack(candidates, free):
    """The most value that fits, clips divisible."""
    total = 0.0
    for clip in sorted(candidates, key=lambda c: -c.density):
        part = min(clip.bytes, free)
        total += clip.value * part / clip.bytes
        free -= part
    return total


@given(clips, st.integers(0, 400 * MB))
def test_what_is_certain_fits_and_is_nearly_the_best(candidates, free):
    by_id = {c.clip_id: c for c in candidates}
    certain = [by_id[d.clip_id] for d in choose(candidates, free) if d.probability == 1.0 and d.chosen]
    assert sum(c.bytes for c in certain) <= free
    best_single = max((c.value for c in candidates), default=0.0)
    assert sum(c.value for c in certain) >= (1 - TAIL_SHARE) * knapsack(candidates, free) - best_single - 1e-6


@given(clips, st.integers(0, 400 * MB))
def test_each_fate_is_decided_once_and_follows_from_the_number(candidates, free):
    fates = choose(candidates, free)
    assert len({d.clip_id for d in fates}) == len(fates)
    assert all(0.0 < d.probability <= 1.0 for d in fates)
    assert all(d.chosen == (permanent_number(d.clip_id) < d.probability) for d in fates)
    assert choose(candidates, free) == fates


@given(clips, st.integers(1, 400 * MB))
def test_no_clip_moves_its_own_probability(candidates, free):
    """The same clips under other names have other random numbers, and the same probabilities."""
    renamed = [Candidate(f"x{c.clip_id}", c.bytes, c.value, c.waited) for c in candidates]
    told = {f"x{d.clip_id}": d.probability for d in choose(candidates, free)}
    assert {d.clip_id: d.probability for d in choose(renamed, free)} == told


@given(clips.filter(bool), st.floats(0.01, 0.99))
def test_the_tail_spends_what_it_was_given_on_average(candidates, share):
    free = share * sum(c.bytes for c in candidates)
    chances = tail_probabilities(candidates, free)
    assert math.isclose(sum(p * c.bytes for p, c in zip(chances, candidates, strict=True)), free, rel_tol=1e-6)
    for p, c in zip(chances, candidates, strict=True):
        for q, d in zip(chances, candidates, strict=True):
            if p < 1.0 and q < 1.0:
                assert math.isclose(p * d.value / math.sqrt(d.bytes), q * c.value / math.sqrt(c.bytes), rel_tol=1e-6)


def test_a_clip_that_was_passed_over_is_drawn_after_its_patience_and_not_before():
    rich, poor = Candidate("rich", 100 * MB, 100.0), Candidate("poor", 100 * MB, 1.0, PATIENCE)
    young = Candidate("young", 100 * MB, 1.0, PATIENCE - 1)
    fates = {d.clip_id: d.probability for d in choose([young, poor, rich], 110 * MB)}
    assert fates == {"rich": 1.0, "poor": pytest.approx(0.1)}


def test_with_nothing_left_nothing_is_decided():
    assert choose([Candidate("a", MB, 1.0, 9)], 0) == []
    assert choose([Candidate("a", MB, 1.0, 9)], -5) == []


@given(st.floats(0.0, 1.0), st.integers(0, 10**13), st.integers(-(10**10), 10**10))
def test_the_baseline_rate_stays_between_its_floor_and_its_ceiling(ceiling, size, free):
    rate = baseline_rate(ceiling, size, free)
    assert min(ceiling, FLOOR_RATE) <= rate <= ceiling


def test_the_baseline_rate_expects_half_of_what_is_left():
    assert 11 * wire_bytes(10**9) * baseline_rate(1.0, 10**9, 10**9) == pytest.approx(0.5e9)


@given(st.integers(0, 10**12))
def test_lanes_are_all_of_a_night(bytes_a_night):
    lanes = Lanes.of(bytes_a_night)
    assert lanes.baseline + lanes.event == bytes_a_night
    assert lanes.baseline == pytest.approx(0.05 * bytes_a_night, abs=1)


def event(kind, severity, at_s=0.0):
    t_ns = round(at_s * 1e9)
    return Event(kind, t_ns, t_ns + 1, (t_ns, t_ns + 1), severity, Evidence("x", 1.0, 1.0))


def test_value_grows_with_kind_and_severity_but_not_without_end():
    assert (
        value_of([event("disengagement", 1.0)]) > value_of([event("abrupt_brake", 1.0)]) > value_of([event("new", 1.0)])
    )
    assert value_of([event("new", 1.0)]) < value_of([event("new", 3.0)]) < value_of([event("new", 1e9)]) < 100
    assert value_of([event("new", 2.0), event("new", 2.0, at_s=20.0)]) == 2 * value_of([event("new", 2.0)])


def test_what_several_triggers_find_in_one_moment_counts_once_as_the_most_valuable():
    quiet = [event("disengagement", 1.5)]
    hard = [event("abrupt_brake", 2.0, at_s=0.5), *quiet, event("harsh_braking", 2.0, at_s=0.7)]
    assert value_of(hard) == value_of(reversed(hard)) == value_of(quiet)
    assert value_of([*hard, event("abrupt_steering", 1.0, at_s=9.0)]) > value_of(quiet)
