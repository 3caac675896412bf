"""The functions of the language: how each is called, and what makes a part of it.

Every window must be given, or has a default, and has bounds: what looks back without bounds costs without bounds.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from trigger.language import conditions, quantities
from trigger.language.meaning import Part
from trigger.language.syntax import Place
from trigger.language.units import UNIT_FUNCTIONS
from trigger.measures import LOOKBACK_S
from trigger.telemetry import MAX_AGE_S


@dataclass(frozen=True)
class Span:
    """A window: the keyword it is given with, and its bounds in s."""

    keyword: str
    shortest_s: float = 0.01
    longest_s: float = LOOKBACK_S - MAX_AGE_S
    default_s: float | None = None

    def seconds(self, name: str, keywords: Sequence[ast.keyword], at: Place) -> float:
        """As given in a call, in whole milliseconds. Raises ExpressionError."""
        if not keywords and self.default_s is not None:
            return self.default_s
        match keywords:
            case [ast.keyword(arg=self.keyword, value=ast.Constant(value=int() | float() as s))]:
                if not isinstance(s, bool) and self.shortest_s <= s <= self.longest_s:
                    return round(float(s), 3)
        raise at.refusal(
            f"{name} {_written(keywords)}",
            f"{self.keyword}= and {self.shortest_s:g} to {self.longest_s:g} s: without such bounds its cost has none",
            "give its window so",
        )


@dataclass(frozen=True)
class Function:
    """`make` takes the arguments, the seconds of the window if there is one, and the place."""

    make: Callable[..., Part]
    arguments: int = 1
    span: Span | None = None

    def called(self, name: str, parts: Sequence[Part], keywords: Sequence[ast.keyword], at: Place) -> Part:
        """Raises ExpressionError."""
        window = [self.span.seconds(name, keywords, at)] if self.span else []
        if keywords and not self.span:
            raise at.refusal(f"{name} with a window", "none", "leave it out")
        if len(parts) != self.arguments:
            raise at.refusal(f"{name} of {len(parts)} arguments", f"{self.arguments}", "mend the call")
        return self.make(*parts, *window, at)


def _written(keywords: Sequence[ast.keyword]) -> str:
    return "with " + (", ".join(map(ast.unparse, keywords)) or "no window")


FUNCTIONS = {
    **{name: Function(partial(quantities.converted, name)) for name in UNIT_FUNCTIONS},
    **{name: Function(partial(quantities.statistic, name), 1, Span("s")) for name in quantities.STATISTICS},
    "abs": Function(quantities.absolute),
    # A line over less is the noise of receive times; one over more costs too much.
    "rate": Function(quantities.rate, 1, Span("over_s", shortest_s=0.1, longest_s=1.0, default_s=0.3)),
    "held": Function(conditions.held, 1, Span("s")),
    "then": Function(conditions.then, 2, Span("within_s")),
}
