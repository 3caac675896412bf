import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger.excursion import Excursions, Limits, excursions

LIMITS = Limits(on=1.0, source="test", off=0.8, hold_s=0.1, refractory_s=1.0, max_gap_s=0.5, longest_s=1.5)


def at_100_hz(*parts: tuple[float, float]):
    """(value, seconds) parts in a row."""
    values = np.concatenate([np.full(round(s * 100), v) for v, s in parts])
    return np.arange(values.size) * 10_000_000, values.astype(float)


def test_onset_peak_and_end():
    t_ns, values = at_100_hz((0, 1), (1.2, 0.2), (2, 0.1), (0, 1))
    (found,) = excursions(t_ns, values, LIMITS)
    assert (found.start_ns, found.end_ns, found.peak) == (1_000_000_000, 1_290_000_000, 2.0)


def test_shorter_than_the_hold_time_is_nothing():
    t_ns, values = at_100_hz((0, 1), (5, 0.09), (0, 1))
    assert excursions(t_ns, values, LIMITS) == []


def test_hysteresis_holds_between_the_thresholds_but_does_not_start_there():
    t_ns, values = at_100_hz((0.9, 1), (1.1, 0.05), (0.9, 0.2), (0.7, 1))
    (found,) = excursions(t_ns, values, LIMITS)
    assert (found.start_ns, found.end_ns) == (1_000_000_000, 1_240_000_000)


def test_two_within_the_refractory_time_are_one():
    t_ns, values = at_100_hz((2, 0.2), (0, 0.5), (3, 0.2), (0, 1.5), (2, 0.2))
    found = excursions(t_ns, values, LIMITS)
    assert [round(s.start_ns / 1e9, 2) for s in found] == [0.0, 2.4]
    assert found[0].peak == 3.0


@pytest.mark.parametrize("hole", ["gap", "nan"])
def test_a_gap_or_a_nan_ends_the_hold(hole):
    t_ns, values = at_100_hz((0, 1), (2, 0.16), (0, 1))
    if hole == "gap":
        t_ns = np.where(np.arange(t_ns.size) >= 108, t_ns + 600_000_000, t_ns)
    else:
        values[108] = np.nan
    assert excursions(t_ns, values, LIMITS) == []


def reference(t_ns, values, limits):
    """The definition, sample by sample; stretches as [start, end, peak]."""
    found, run, counts, last = [], None, False, None
    for t, v in zip(t_ns.tolist(), values.tolist(), strict=True):
        gap = last is not None and t - last > limits.max_gap_s * 1e9
        last = t
        if gap or not v >= limits.on * limits.off:
            run = None
        if run is None and v >= limits.on:
            run, counts = [t, t, v], False
        elif run is None:
            continue
        if counts and t - found[-1][0] > limits.longest_s * 1e9:
            run, counts = [t, t, v], False
        run = [run[0], t, max(run[2], v)]
        if not counts and t - run[0] >= limits.hold_s * 1e9:
            counts = True
            soon = bool(found) and run[0] - found[-1][1] < limits.refractory_s * 1e9
            if not (soon and t - found[-1][0] <= limits.longest_s * 1e9):
                found.append(list(run))
        if counts:
            found[-1] = [found[-1][0], t, max(found[-1][2], run[2])]
    return [tuple(stretch) for stretch in found]


def recording(seed, n):
    rng = np.random.default_rng(seed)
    t_ns = np.cumsum(rng.choice([5_000_000, 10_000_000, 30_000_000, 600_000_000], n, p=[0.3, 0.4, 0.28, 0.02]))
    values = np.repeat(rng.uniform(0, 1.6, n // 5 + 1), 5)[:n] + rng.normal(0, 0.05, n)
    values[rng.random(n) < 0.01] = np.nan
    return t_ns, values


@given(st.integers(0, 10**6), st.integers(0, 300))
def test_same_as_the_definition(seed, n):
    t_ns, values = recording(seed, n)
    got = [(s.start_ns, s.end_ns, s.peak) for s in excursions(t_ns, values, LIMITS)]
    assert got == reference(t_ns, values, LIMITS)


@given(st.integers(0, 10**6), st.lists(st.integers(0, 300), max_size=12))
def test_chopping_changes_nothing(seed, cuts):
    t_ns, values = recording(seed, 300)
    found, ended = Excursions(LIMITS), []
    for t, v in zip(np.split(t_ns, sorted(cuts)), np.split(values, sorted(cuts)), strict=True):
        ended += found.push(t, v)
    assert ended + found.finish() == excursions(t_ns, values, LIMITS)


@given(st.integers(0, 10**6))
def test_each_speaks_as_soon_as_it_has_held(seed):
    t_ns, values = recording(seed, 300)
    found, spoken = Excursions(LIMITS), {}
    for i in range(t_ns.size):
        found.push(t_ns[i : i + 1], values[i : i + 1])
        if found.present:
            spoken.setdefault(found.present.start_ns, int(t_ns[i]))
    assert list(spoken) == [stretch.start_ns for stretch in excursions(t_ns, values, LIMITS)]
    assert all(at - start <= 0.1e9 + LIMITS.max_gap_s * 1e9 for start, at in spoken.items())


def test_what_does_not_end_is_cut_at_the_longest():
    t_ns, values = at_100_hz((2, 4.0))
    assert [round((s.end_ns - s.start_ns) / 1e9, 2) for s in excursions(t_ns, values, LIMITS)] == [1.5, 1.5, 0.97]
