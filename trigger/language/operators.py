"""The operators of the campaign language: numpy arrays in, one array out, all of one clock.

A number that is not known is NaN, and so is what is not finite: a division by zero, an overflow.

A condition is three-valued and graded. It is stored as one number, so ordered that `and` is the minimum and `or` the
maximum, which is Kleene's logic:

    FALSE 0  <  UNKNOWN 0.5  <  true, with a severity of 1 or more  <  TRUE inf, without one

The severity of a comparison is 1 + its distance from the threshold in sizes of the threshold: 1 where it is just
reached, for `x > c` with c > 0 simply x/c, as of the built-in triggers. A flag, a `not` and a threshold of 0 have no
such ratio; they have no say in `and`, and count as 1 in `or` and on their own.
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from trigger.rate import rate as slope
from trigger.telemetry import Values
from trigger.windows import Window

FALSE, UNKNOWN, TRUE = 0.0, 0.5, np.inf
MOST = 1e6
"""Severity beyond which a threshold was too near to zero for the ratio to say anything."""
LEAST_THRESHOLD = float(np.finfo(np.float64).tiny)


def add(left: Values, right: Values) -> Values:
    return _known(left + right)


def subtract(left: Values, right: Values) -> Values:
    return _known(left - right)


def multiply(left: Values, right: Values) -> Values:
    return _known(left * right)


def divide(left: Values, right: Values) -> Values:
    return _known(np.divide(left, right))


def rate(window: Window, values: Values) -> Values:
    """Slope per second of the line through the samples of the last `window.s`; see `trigger.rate`."""
    return _known(slope(window.t_ns, values, window.s))


def maximum(window: Window, values: Values) -> Values:
    return np.where(window.covered, window.greatest(values), np.nan)


def minimum(window: Window, values: Values) -> Values:
    return np.where(window.covered, window.least(values), np.nan)


def mean(window: Window, values: Values) -> Values:
    return _known(np.where(window.covered, window.mean(values), np.nan))


def greater(left: Values, right: Values, strict: bool, threshold: int | None) -> Values:
    """left > right, or >= where not strict; `threshold` says which of the two it is, None where it has no size."""
    excess = np.subtract(left, right)
    holds = excess > 0.0 if strict else excess >= 0.0
    severity: Values | float = TRUE
    if threshold is not None:
        size = np.maximum(np.abs((left, right)[threshold]), LEAST_THRESHOLD)
        severity = np.minimum(1.0 + excess / size, MOST)
    return _condition(np.where(holds, severity, FALSE), np.isnan(excess))


def equal(values: Values, code: Values) -> Values:
    return _condition(np.where(values == code, TRUE, FALSE), np.isnan(values))


def flag(values: Values) -> Values:
    """A flag's samples as a condition."""
    return np.where(values > 0.5, TRUE, FALSE)


def known_or_not(condition: Values) -> Values:
    """A condition that was brought to another clock, where NaN says that it was too old."""
    return _condition(condition, np.isnan(condition))


def both(*conditions: Values) -> Values:
    return reduce(np.minimum, conditions)


def either(*conditions: Values) -> Values:
    return reduce(np.maximum, conditions)


def ungraded(condition: Values) -> Values:
    """With a severity of 1 where it is true."""
    return np.where(condition > UNKNOWN, 1.0, condition)


def negation(condition: Values) -> Values:
    return np.where(condition > UNKNOWN, FALSE, np.where(condition < UNKNOWN, TRUE, UNKNOWN))


def held(window: Window, condition: Values) -> Values:
    """True all through the window: its least severity there."""
    least = window.least(condition)
    return np.where(window.covered, least, np.minimum(least, UNKNOWN))


def happened(window: Window, condition: Values) -> Values:
    """True at some time in the window: its greatest severity there."""
    greatest = window.greatest(condition)
    return np.where(window.covered, greatest, np.maximum(greatest, UNKNOWN))


def severity(condition: Values) -> Values:
    """What a trigger's measure is: 0 where false, NaN where unknown, finite and 1 or more where true."""
    graded = np.where(condition == TRUE, 1.0, condition)
    graded[condition == UNKNOWN] = np.nan
    return graded


def _known(values: Values) -> Values:
    return np.where(np.isfinite(values), values, np.nan)


def _condition(values: Values, unknown: np.ndarray) -> Values:
    values[unknown] = UNKNOWN
    return values
