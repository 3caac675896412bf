"""Units of the campaign language: powers of a few bases, and the functions that turn other units into them.

The bases are those of `trigger.signals`: m, s, deg, N. Every quantity of one dimension is kept in one unit, so two
units are the same or do not match, and nothing is converted while telemetry is evaluated. An angle is a base of its
own: `yaw_rate_dps * speed_mps` is no acceleration until it is divided by `rad(1)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """A product of powers of bases; `powers` is sorted by base and holds no zero."""

    powers: tuple[tuple[str, int], ...] = ()

    @staticmethod
    def parse(text: str) -> Unit:
        """From how `trigger.signals` writes it: "m/s^2", "N m", "1/s", "" where there is none."""
        above, _, below = text.partition("/")
        return Unit._of(_factors(above)) / Unit._of(_factors(below))

    def __mul__(self, other: Unit) -> Unit:
        powers = dict(self.powers)
        for base, power in other.powers:
            powers[base] = powers.get(base, 0) + power
        return Unit._of(powers)

    def __truediv__(self, other: Unit) -> Unit:
        return self * Unit(tuple((base, -power) for base, power in other.powers))

    def __str__(self) -> str:
        above = " ".join(_written(base, power) for base, power in self.powers if power > 0)
        below = " ".join(_written(base, -power) for base, power in self.powers if power < 0)
        return (f"{above or '1'}/{below}" if below else above) or "no unit"

    @staticmethod
    def _of(powers: dict[str, int]) -> Unit:
        return Unit(tuple(sorted((base, power) for base, power in powers.items() if power)))


def _factors(text: str) -> dict[str, int]:
    return {base: int(power or 1) for base, power in re.findall(r"([A-Za-z]+)(?:\^(\d+))?", text)}


def _written(base: str, power: int) -> str:
    return base if power == 1 else f"{base}^{power}"


PURE = Unit()
SECOND = Unit.parse("s")

UNIT_FUNCTIONS: dict[str, tuple[float, Unit]] = {
    name: (factor, Unit.parse(unit))
    for name, factor, unit in (
        ("mps", 1.0, "m/s"),
        ("kmh", 1 / 3.6, "m/s"),
        ("mph", 0.44704, "m/s"),  # the international mile: 1609.344 m
        ("mps2", 1.0, "m/s^2"),
        ("g", 9.80665, "m/s^2"),  # standard gravity, CGPM 1901
        ("mps3", 1.0, "m/s^3"),
        ("deg", 1.0, "deg"),
        ("rad", 57.29577951308232, "deg"),
        ("dps", 1.0, "deg/s"),
        ("m", 1.0, "m"),
        ("ft", 0.3048, "m"),  # the international foot, 1959
        ("s", 1.0, "s"),
        ("nm", 1.0, "N m"),
        ("percent", 0.01, ""),
    )
}
"""Name of each function to what one of it is in the unit that follows."""
