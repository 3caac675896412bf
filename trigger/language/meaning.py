"""What a part of an expression is: a number with a unit, a condition, or one of a list."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from trigger.language.piece import Node
from trigger.language.syntax import Place
from trigger.language.units import Unit
from trigger.signals import ControlSource, EndReason, Signal


@dataclass(frozen=True)
class Quantity:
    """A number; `unit` is None of a bare one, which takes the unit it meets."""

    unit: Unit | None

    def __str__(self) -> str:
        if self.unit is None:
            return "a bare number"
        return f"a number in {self.unit}" if self.unit.powers else "a number without a unit"


@dataclass(frozen=True)
class Condition:
    """True, false or unknown; `graded` says whether it has a severity where it is true."""

    graded: bool

    def __str__(self) -> str:
        return "a condition"


@dataclass(frozen=True)
class Choice:
    """One of a list, stored as its number."""

    members: type[IntEnum]

    @property
    def codes(self) -> dict[str, int]:
        """Each as it is written in an expression, and its number."""
        return {member.name.lower(): int(member) for member in self.members}

    def __str__(self) -> str:
        return f"one of {', '.join(map(repr, self.codes))}"


@dataclass(frozen=True)
class Part:
    """A checked part: the tree that evaluates it, what it is, and where it stands."""

    node: Node
    meaning: Quantity | Condition | Choice
    at: Place

    @property
    def unit(self) -> Unit | None:
        """Of a number. Raises ExpressionError where it is none."""
        if not isinstance(self.meaning, Quantity):
            raise self.at.refusal(
                f"{self.meaning} where a number belongs", "a number", "take one; a condition stands alone"
            )
        return self.meaning.unit

    def condition(self) -> Condition:
        """Raises ExpressionError where it is none."""
        if not isinstance(self.meaning, Condition):
            raise self.at.refusal(f"{self.meaning} where a condition belongs", "a condition", "compare it, as in x > 3")
        return self.meaning


def meaning_of(signal: Signal) -> Quantity | Condition | Choice:
    match signal.kind:
        case "number":
            return Quantity(Unit.parse(signal.unit))
        case "flag":
            return Condition(graded=False)
        case "source":
            return Choice(ControlSource)
        case "reason":
            return Choice(EndReason)
