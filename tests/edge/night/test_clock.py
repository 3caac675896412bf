"""A wrong wall clock changes nothing but whether restricted hours are open."""

import pytest

from edge.errors import EdgeError
from edge.night.clock import EARLIEST_S, Moment, elapsed_s, now
from edge.night.hours import ALL_DAY, Hours, parse_hours

TODAY_S = EARLIEST_S + 100 * 86_400
IN_1970_S, IN_2038_S = 0.0, 2**31 - 1.0
HOUR_S = 3600.0


def at(boot="a", powered_s=0.0, wall_s=TODAY_S, minute=0):
    return Moment(boot, powered_s, wall_s, minute)


@pytest.mark.parametrize("wall_s", [IN_1970_S, IN_2038_S])
def test_within_a_boot_the_wall_clock_does_not_count(wall_s):
    assert elapsed_s(at(powered_s=10), 10, at(powered_s=20, wall_s=wall_s), 20) == 10
    assert elapsed_s(at(powered_s=10, wall_s=wall_s), 10, at(powered_s=20), 20) == 10


@pytest.mark.parametrize("wall_s", [IN_1970_S, IN_2038_S])
def test_across_a_reboot_an_implausible_wall_clock_does_not_count(wall_s):
    assert elapsed_s(at("a", 500), 500, at("b", 10, wall_s), 510) == 10
    assert elapsed_s(at("a", 500, wall_s), 500, at("b", 10), 510) == 10


def test_across_a_reboot_a_plausible_wall_clock_tells_how_long_the_machine_was_off():
    assert elapsed_s(at("a", 500), 500, at("b", 10, TODAY_S + 24 * HOUR_S), 510) == 24 * HOUR_S


def test_a_wall_clock_set_back_takes_no_time_away():
    assert elapsed_s(at("a", 500), 500, at("b", 10, TODAY_S - 24 * HOUR_S), 510) == 10


def test_this_machine_tells_its_boot_and_a_time_that_runs():
    first, second = now(), now()
    assert first.boot == second.boot != ""
    assert second.powered_s >= first.powered_s > 0


@pytest.mark.parametrize(
    ("hours", "open_at", "closed_at"),
    [("22-6", [22 * 60, 1439, 0, 359], [360, 720, 1319]), ("1:30-02:15", [90, 134], [89, 135])],
)
def test_hours_may_cross_midnight(hours, open_at, closed_at):
    parsed = parse_hours(hours)
    assert all(parsed.open_at(at(minute=m)) for m in open_at)
    assert not any(parsed.open_at(at(minute=m)) for m in closed_at)


@pytest.mark.parametrize("wall_s", [IN_1970_S, IN_2038_S])
def test_without_a_plausible_clock_only_the_whole_day_is_open(wall_s):
    assert not Hours(0, 1439).open_at(at(wall_s=wall_s))
    assert ALL_DAY.open_at(at(wall_s=wall_s))


@pytest.mark.parametrize("text", ["", "6", "25-3", "1:60-2", "a-b", "22-6-7"])
def test_hours_that_are_none_are_refused(text):
    with pytest.raises(EdgeError, match="hours"):
        parse_hours(text)
