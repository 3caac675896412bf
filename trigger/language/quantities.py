"""What makes a number of parts: arithmetic, unit functions, and what a number did in the last seconds.

`+`, `-` and comparisons need one unit on both sides; `*` and `/` combine units; `rate` divides by s. A bare number
takes the unit it meets. What reads no signal is computed here and now.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from trigger.language import operators
from trigger.language.formula import Number, Pointwise, Windowed
from trigger.language.meaning import Part, Quantity
from trigger.language.syntax import Place
from trigger.language.units import PURE, SECOND, UNIT_FUNCTIONS, Unit
from trigger.rate import MAX_STRETCH
from trigger.telemetry import MAX_AGE_S, Values

ARITHMETIC: dict[str, Callable[..., Values]] = {
    "+": operators.add,
    "-": operators.subtract,
    "*": operators.multiply,
    "/": operators.divide,
}
STATISTICS: dict[str, Callable[..., Values]] = {
    "maximum": operators.maximum,
    "minimum": operators.minimum,
    "mean": operators.mean,
}


def number(value: float, unit: Unit | None, at: Place) -> Part:
    if not math.isfinite(value):
        raise at.refusal("a number that is not finite", "a finite one", "write a smaller one")
    return Part(Number(value), Quantity(unit), at)


def converted(function: str, part: Part, at: Place) -> Part:
    """A bare number in the unit of a unit function."""
    factor, unit = UNIT_FUNCTIONS[function]
    if part.unit is not None or not isinstance(part.node, Number):
        raise at.refusal(
            f"{function}() of {part.meaning}", f"a bare number: {function}(1) is {factor:g} {unit}", "leave it out"
        )
    return number(part.node.value * factor, unit, at)


def common_unit(left: Part, right: Part, at: Place) -> Unit | None:
    """The unit of two numbers that meet; None where both are bare."""
    if left.unit is not None and right.unit is not None and left.unit != right.unit:
        raise at.refusal(
            f"{left.at.quoted} is {left.meaning} and {right.at.quoted} is {right.meaning}",
            "one unit on both sides",
            "use a unit function of that unit, or a bare number, which takes the unit it meets",
        )
    return right.unit if left.unit is None else left.unit


def arithmetic(sign: str, left: Part, right: Part, at: Place) -> Part:
    if sign in "+-":
        unit = common_unit(left, right, at)
    elif left.unit is None and right.unit is None:
        unit = None
    else:
        one, other = left.unit or PURE, right.unit or PURE
        unit = one * other if sign == "*" else one / other
    return _computed(sign, ARITHMETIC[sign], unit, at, left, right)


def negative(part: Part, at: Place) -> Part:
    return _computed("negative", np.negative, part.unit, at, part)


def absolute(part: Part, at: Place) -> Part:
    return _computed("abs", np.abs, part.unit, at, part)


def rate(part: Part, over_s: float, at: Place) -> Part:
    unit = _changing_unit(part)
    node = Windowed.make("rate", operators.rate, part.node, over_s, MAX_STRETCH * over_s, condition=False)
    return Part(node, Quantity(unit / SECOND), at)


def statistic(name: str, part: Part, s: float, at: Place) -> Part:
    """Maximum, minimum or mean over the last `s` seconds."""
    unit = _changing_unit(part)
    node = Windowed.make(name, STATISTICS[name], part.node, s, s + MAX_AGE_S, condition=False)
    return Part(node, Quantity(unit), at)


def _changing_unit(part: Part) -> Unit:
    unit = part.unit
    if unit is None or not part.node.signals:
        raise part.at.refusal("a number that never changes", "one that is made of signals", "leave it out")
    return unit


def _computed(name: str, operator: Callable[..., Values], unit: Unit | None, at: Place, *parts: Part) -> Part:
    nodes = [part.node for part in parts]
    if any(node.signals for node in nodes):
        return Part(Pointwise.make(name, operator, *nodes), Quantity(unit), at)
    with np.errstate(all="ignore"):
        return number(float(operator(*(node.on({}) for node in nodes))), unit, at)
