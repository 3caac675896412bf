"""The text of an expression: what may stand in it, its syntax tree, and how a place in it is named.

Python's own parser reads it, so operators bind as in Python; nothing of it is ever executed. What the tree may hold is
the business of `trigger.language.check`. Line ends count as spaces, so that an expression can go over several lines.
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings
from dataclasses import dataclass

from trigger.problem import Problem

MAX_CHARACTERS = 2_000
QUOTED = 60
"""Characters of a place that are quoted."""
FOREIGN = re.compile(r"[^A-Za-z0-9_ \t\r\n.,()<>=!+*/'\"-]")


class ExpressionError(Problem):
    """An expression that cannot be a trigger; `got` names the line and the column and quotes the place."""


@dataclass(frozen=True)
class Place:
    """Characters `begin` to `end` of a text."""

    text: str
    begin: int
    end: int

    def refusal(self, what: str, wanted: str, todo: str) -> ExpressionError:
        return ExpressionError(f"{what}, at {self}", wanted, todo)

    @property
    def quoted(self) -> str:
        words = " ".join(self.text[self.begin : max(self.end, self.begin + 1)].split())
        shown = words[:QUOTED].encode("unicode_escape").decode()
        return f"`{shown}{'...' if len(words) > QUOTED else ''}`"

    def __str__(self) -> str:
        line = self.text.count("\n", 0, self.begin) + 1
        column = self.begin - self.text.rfind("\n", 0, self.begin)
        return f"line {line}, column {column}: {self.quoted}"


class Source:
    """An expression's text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._flat = re.sub(r"\s", " ", text)
        self._indent = len(self._flat) - len(self._flat.lstrip())

    def place(self, at: ast.expr) -> Place:
        """Where a part of its tree stands."""
        return Place(self.text, self._indent + at.col_offset, self._indent + (at.end_col_offset or 0))

    def tree(self) -> ast.expr:
        """Its syntax tree. Raises ExpressionError."""
        self._check_characters()
        whole = Place(self.text, 0, len(self.text))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # Python warns of doubtful literals, such as 1if
                return ast.parse(self._flat.strip(), mode="eval").body
        except SyntaxError as error:
            begin = self._indent + (error.offset or len(self._flat.strip())) - 1
            raise Place(self.text, begin, self._indent + (error.end_offset or 0) - 1).refusal(
                error.msg,
                "a condition as Python writes it, such as `speed_mps > kmh(72) and rate(brake_fraction) > 3`",
                "mend the syntax there",
            ) from None
        except (ValueError, MemoryError, RecursionError):
            raise whole.refusal(
                "an expression nested too deeply", "one that can be read", "write fewer brackets and signs"
            ) from None

    def _check_characters(self) -> None:
        if not self.text.strip():
            raise Place(self.text, 0, 0).refusal("nothing", "a condition", "write one")
        if len(self.text) > MAX_CHARACTERS:
            raise Place(self.text, MAX_CHARACTERS, len(self.text)).refusal(
                f"an expression of {len(self.text)} characters",
                f"no more than {MAX_CHARACTERS}",
                "make it two campaigns",
            )
        foreign = FOREIGN.search(self.text)
        if foreign:
            raise Place(self.text, *foreign.span()).refusal(
                f"the character U+{ord(foreign[0]):04X} {unicodedata.name(foreign[0], '')}".rstrip(),
                "plain letters, digits, _ and the signs . , ( ) < > = ! + - * / ' \" alone",
                "type it again; some characters only look like these",
            )
