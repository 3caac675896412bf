"""Cells of the earth: as large everywhere, and every neighbour within a buffer is found."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.place import CELL_M, cell_of, cells_near, metres_between, on_the_sphere
from trigger.region import EARTH_M

LAT = st.integers(-7_500_000, 7_500_000).map(lambda n: n / 1e5)
LON = st.integers(-18_000_000, 18_000_000).map(lambda n: n / 1e5)


def apart_m(*points):
    lat, lon = np.array(points).T
    return metres_between(*on_the_sphere(lat, lon))


def moved(lat, lon, north_m, east_m):
    up = math.degrees(north_m / EARTH_M)
    return lat + up, (lon + math.degrees(east_m / EARTH_M) / math.cos(math.radians(lat + up)) + 180) % 360 - 180


@given(LAT, LON)
def test_a_cell_is_about_a_kilometre_wide_and_high_anywhere(lat, lon):
    here = cell_of(lat, lon)
    assert cell_of(*moved(lat, lon, 1.01 * CELL_M, 0)).row - here.row in (1, 2)
    assert cell_of(*moved(lat, lon, 0, 1.05 * CELL_M)) != here
    assert apart_m((lat, lon), moved(lat, lon, 0, 1000)) == pytest.approx(1000, rel=1e-3)


@given(LAT, LON, st.floats(0, 100), st.floats(0, 2 * math.pi))
def test_every_cell_within_the_buffer_is_found(lat, lon, distance_m, bearing):
    there = moved(lat, lon, distance_m * math.cos(bearing), distance_m * math.sin(bearing))
    assert cell_of(*there) in cells_near(lat, lon, 100.5)


@pytest.mark.parametrize("position", [(math.nan, 0), (0, math.nan), (91, 0), (0, 181), (math.inf, 0)])
def test_what_is_no_position_lies_in_no_cell(position):
    assert cell_of(*position) is None


@pytest.mark.parametrize("position", [(90, 0), (-90, 180), (89.99, 179.999), (0, 180), (0, -180)])
def test_the_ends_of_the_earth_are_cells_like_others(position):
    assert cell_of(*position) in cells_near(*position, 100.0)


def test_the_grid_closes_at_the_180th_meridian():
    assert cell_of(50.0, 180.0) == cell_of(50.0, -180.0)
    assert cell_of(50.0, -179.9999) in cells_near(50.0, 179.9999, 100.0)


def test_near_points_are_told_apart_to_the_metre():
    assert apart_m((48.0, 11.0), (48.0 + math.degrees(1 / EARTH_M), 11.0)) == pytest.approx(1.0, rel=1e-6)
