"""What makes a condition of parts: comparisons, choices, and, or, not, and what was true in the last seconds.

How true, false, unknown and the severity are stored and computed is in `trigger.language.operators`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from trigger.language import operators
from trigger.language.formula import Number, Pointwise, Windowed
from trigger.language.meaning import Choice, Condition, Part
from trigger.language.quantities import common_unit
from trigger.language.syntax import Place
from trigger.telemetry import MAX_AGE_S


def compared(sign: str, left: Part, right: Part, at: Place) -> Part:
    """`left > right`, or with <, >= or <=. The threshold is the side that is a number, else the right one."""
    common_unit(left, right, at)
    if not left.node.signals and not right.node.signals:
        raise at.refusal("two numbers compared, which never change", "a signal on one side", "leave it out")
    threshold = left.node if isinstance(left.node, Number) else right.node
    graded = threshold != Number(0.0)
    over, under = (left.node, right.node) if sign[0] == ">" else (right.node, left.node)
    side = (0 if threshold is over else 1) if graded else None
    operator = partial(operators.greater, strict=len(sign) == 1, threshold=side)
    node = Pointwise.make(f"{'>' if len(sign) == 1 else '>='}{side}", operator, over, under)
    return Part(node, Condition(graded), at)


def chosen(sign: str, left: Part, word: str, at: Place) -> Part:
    """`left == word`, or with !=."""
    if not isinstance(left.meaning, Choice):
        raise left.at.refusal(
            f"{left.meaning} asked to be equal",
            "one of a list there; what is measured is hardly ever equal to a number",
            "compare a number with < <= > or >=; let a condition stand alone",
        )
    if word not in left.meaning.codes:
        raise at.refusal("no such choice", f"{left.meaning}, in quotes", "write one of these")
    node = Pointwise.make("==", operators.equal, left.node, Number(left.meaning.codes[word]))
    same = Part(node, Condition(graded=False), at)
    return same if sign == "==" else negation(same, at)


def both(parts: Sequence[Part], at: Place) -> Part:
    """All of them."""
    graded = [part.condition().graded for part in parts]
    return Part(Pointwise.make("and", operators.both, *(part.node for part in parts)), Condition(any(graded)), at)


def either(parts: Sequence[Part], at: Place) -> Part:
    """At least one of them."""
    graded = [part.condition().graded for part in parts]
    nodes = [
        part.node if has or not any(graded) else Pointwise.make("ungraded", operators.ungraded, part.node)
        for part, has in zip(parts, graded, strict=True)
    ]
    return Part(Pointwise.make("or", operators.either, *nodes), Condition(any(graded)), at)


def negation(part: Part, at: Place) -> Part:
    part.condition()
    return Part(Pointwise.make("not", operators.negation, part.node), Condition(graded=False), at)


def held(part: Part, s: float, at: Place) -> Part:
    """True all through the last `s` seconds."""
    node = Windowed.make("held", operators.held, part.node, s, s + MAX_AGE_S, condition=True)
    return Part(node, part.condition(), at)


def then(first: Part, second: Part, within_s: float, at: Place) -> Part:
    """`second` is true, and at a time in the last `within_s` seconds `first` was and `second` was not."""
    before = both([first, negation(second, at)], at)
    node = Windowed.make("happened", operators.happened, before.node, within_s, within_s + MAX_AGE_S, condition=True)
    return both([Part(node, before.condition(), at), second], at)
