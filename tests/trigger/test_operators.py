"""Three-valued logic, severity, and what numbers become where they are not known."""

import numpy as np
import pytest

from trigger.language import operators
from trigger.language.operators import FALSE, MOST, TRUE, UNKNOWN
from trigger.windows import Window

STATES = {"false": FALSE, "unknown": UNKNOWN, "twice": 2.0, "true": TRUE}


def state(value):
    return {FALSE: False, UNKNOWN: None}.get(float(value), True)


@pytest.mark.parametrize("left", STATES.values(), ids=STATES)
@pytest.mark.parametrize("right", STATES.values(), ids=STATES)
def test_and_or_not_are_kleenes(left, right):
    a, b = np.array([left]), np.array([right])
    known = {state(left), state(right)}
    assert state(operators.both(a, b)[0]) is (False if False in known else None if None in known else True)
    assert state(operators.either(a, b)[0]) is (True if True in known else None if None in known else False)
    assert state(operators.negation(a)[0]) is {False: True, True: False, None: None}[state(left)]


def graded(left, right, threshold=1, strict=True):
    return float(operators.severity(operators.greater(np.array([left]), np.array([right]), strict, threshold))[0])


@pytest.mark.parametrize(
    ("x", "c", "severity"),
    [(3.0, 2.0, 1.5), (20.0, 2.0, 10.0), (2.0, 2.0, 0.0), (1.0, 2.0, 0.0), (-1.0, -2.0, 1.5), (1.0, -2.0, 2.5)],
)
def test_the_severity_of_being_above_is_x_over_c(x, c, severity):
    assert graded(x, c) == severity


@pytest.mark.parametrize(
    ("x", "c", "severity"),
    [(-6.0, -3.0, 2.0), (5.0, 10.0, 1.5), (0.0, 10.0, 2.0), (-5.0, 10.0, 2.5), (11.0, 10.0, 0.0)],
)
def test_the_severity_of_being_below(x, c, severity):
    assert graded(c, x, threshold=0) == severity


def test_a_threshold_that_is_just_reached():
    assert graded(2.0, 2.0, strict=False) == 1.0
    assert graded(0.0, 0.0, strict=False) == 1.0  # of no size at all


def test_severity_is_finite_and_at_least_one_where_true():
    assert graded(1.0, 0.0) == MOST
    assert graded(1.0, 0.0, threshold=None) == 1.0
    assert np.isnan(graded(np.nan, 1.0))


def test_what_has_no_severity_has_no_say_in_and_but_counts_as_one_in_or():
    twice, flag = np.array([2.0]), np.array([TRUE])
    assert operators.severity(operators.both(twice, flag)) == 2.0
    assert operators.severity(operators.either(twice, operators.ungraded(flag))) == 2.0
    assert operators.severity(flag) == 1.0


def test_what_is_not_finite_is_not_known():
    with np.errstate(all="ignore"):
        for made in (
            operators.divide(np.array([1.0, 0.0]), np.array([0.0, 0.0])),
            operators.multiply(np.array([1e200]), np.array([1e200])),
            operators.add(np.array([1e308]), np.array([1e308])),
        ):
            assert np.isnan(made).all()


def test_held_and_happened_at_the_edge_of_what_is_known():
    """One false is enough to know that it was not held, one true that it happened; else it takes the whole window."""
    young = Window(np.array([0, 100_000_000]), 5.0)
    assert operators.held(young, np.array([FALSE, TRUE])).tolist() == [FALSE, FALSE]
    assert operators.held(young, np.array([TRUE, TRUE])).tolist() == [UNKNOWN, UNKNOWN]
    assert operators.happened(young, np.array([2.0, FALSE])).tolist() == [2.0, 2.0]
    assert operators.happened(young, np.array([FALSE, FALSE])).tolist() == [UNKNOWN, UNKNOWN]
    assert np.isnan(operators.maximum(young, np.array([1.0, 2.0]))).all()
