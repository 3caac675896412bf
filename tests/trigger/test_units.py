import pytest

from trigger.language.units import PURE, SECOND, UNIT_FUNCTIONS, Unit
from trigger.signals import SIGNALS


@pytest.mark.parametrize("signal", SIGNALS.values(), ids=lambda signal: signal.name)
def test_the_units_of_the_signals_are_read_as_they_are_written(signal):
    assert str(Unit.parse(signal.unit)) == (signal.unit or "no unit")


def test_units_multiply_and_divide():
    speed, acceleration = Unit.parse("m/s"), Unit.parse("m/s^2")
    assert speed / SECOND == acceleration
    assert speed * speed / Unit.parse("m") == acceleration
    assert speed / speed == PURE
    assert str(PURE / SECOND) == "1/s"
    assert str(acceleration / SECOND) == "m/s^3"


@pytest.mark.parametrize(
    ("function", "number", "expected"),
    [("kmh", 72, 20.0), ("mph", 60, 26.8224), ("g", 0.3, 2.941995), ("ft", 100, 30.48), ("percent", 40, 0.4)],
)
def test_unit_functions_convert_to_the_unit_of_the_signals(function, number, expected):
    assert number * UNIT_FUNCTIONS[function][0] == pytest.approx(expected, rel=1e-12)


def test_half_a_turn_in_radians():
    factor, unit = UNIT_FUNCTIONS["rad"]
    assert (3.141592653589793 * factor, unit) == (pytest.approx(180.0), Unit.parse("deg"))
