"""The check of an expression: from Python's syntax tree to a tree of operators, or an error that names the place.

Rules:
- What is not in the white list below is refused, whatever Python would make of it.
- Every window has bounds, all of them together end within `LOOKBACK_S`, and there are at most `MAX_PARTS` parts: so
  the cost has a bound too.

What the parts mean together, their units above all, is in `quantities` and `conditions`.
"""

from __future__ import annotations

import ast
import difflib
import math
from collections.abc import Iterable
from itertools import pairwise

from trigger.language import conditions, quantities
from trigger.language.formula import Signal
from trigger.language.functions import FUNCTIONS
from trigger.language.meaning import Condition, Part, meaning_of
from trigger.language.piece import Node
from trigger.language.syntax import ExpressionError, Place, Source
from trigger.measures import LOOKBACK_S
from trigger.signals import SIGNALS, signal_named
from trigger.telemetry import MAX_AGE_S

MAX_PARTS = 64
SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.USub: "-",
    ast.Not: "not",
}


def check(source: Source) -> Node:
    """The tree of a condition. Raises ExpressionError."""
    whole = _Check(source).part(source.tree())
    whole.condition()
    return whole.node


class _Check:
    def __init__(self, source: Source) -> None:
        self._place = source.place
        self._parts = 0

    def part(self, tree: ast.expr) -> Part:
        at = self._place(tree)
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise at.refusal(f"more than {MAX_PARTS} parts", "a cost that has a bound", "write a shorter expression")
        made = self._made(tree, at)
        if made.node.lookback_s > LOOKBACK_S:
            raise at.refusal(
                f"a look back over {made.node.lookback_s:g} s",
                f"no more than {LOOKBACK_S:g} s in all; each window adds its own length and {MAX_AGE_S:g} s",
                "shorten the windows",
            )
        return made

    def _made(self, tree: ast.expr, at: Place) -> Part:
        match tree:
            case ast.Name(id=name):
                return _signal(name, at)
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return quantities.number(float(value) if abs(value) < 1e300 else math.inf, None, at)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return conditions.negation(self.part(operand), at)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return quantities.negative(self.part(operand), at)
            case ast.BinOp(left, op, right) if type(op) in SIGNS:
                return quantities.arithmetic(SIGNS[type(op)], self.part(left), self.part(right), at)
            case ast.BoolOp(op, values):
                combined = conditions.both if isinstance(op, ast.And) else conditions.either
                return combined([self.part(value) for value in values], at)
            case ast.Compare(left, [ast.Eq() | ast.NotEq() as op], [ast.Constant(str() as word)]):
                return conditions.chosen(SIGNS[type(op)], self.part(left), word, at)
            case ast.Compare(left, ops, comparators) if all(type(op) in SIGNS for op in ops):
                return self._compared([left, *comparators], [SIGNS[type(op)] for op in ops], at)
            case ast.Call(func=ast.Name(id=name)):
                return self._called(name, tree, at)
        raise at.refusal(
            f"{type(tree).__name__} is not of the language of campaigns",
            "signals, numbers, + - * /, < <= > >=, and, or, not, and the functions in docs/campaigns.md",
            "write the condition with these",
        )

    def _compared(self, trees: list[ast.expr], signs: list[str], at: Place) -> Part:
        """A chain: a < b < c."""
        parts = [self.part(tree) for tree in trees]
        if {"==", "!="} & set(signs):
            raise at.refusal(
                "== or != between what is no choice",
                "< <= > or >= for numbers, which are hardly ever equal; a word in quotes for a choice",
                "compare it so; a condition stands alone",
            )
        pairs = [conditions.compared(sign, *pair, at) for sign, pair in zip(signs, pairwise(parts), strict=True)]
        return conditions.both(pairs, at) if len(pairs) > 1 else pairs[0]

    def _called(self, name: str, call: ast.Call, at: Place) -> Part:
        if name not in FUNCTIONS:
            raise _unknown("function", name, FUNCTIONS, at)
        return FUNCTIONS[name].called(name, [self.part(argument) for argument in call.args], call.keywords, at)


def _signal(name: str, at: Place) -> Part:
    signal = signal_named(name)
    if signal is None:
        raise _unknown("signal", name, SIGNALS, at)
    meaning = meaning_of(signal)
    return Part(Signal(name, isinstance(meaning, Condition)), meaning, at)


def _unknown(what: str, name: str, known: Iterable[str], at: Place) -> ExpressionError:
    near = difflib.get_close_matches(name, known, n=1)
    todo = f"did you mean {near[0]}?" if near else "look it up there"
    return at.refusal(f"no {what} is called {name}", f"a {what} of the table in docs/campaigns.md", todo)
