"""Campaign files: what they say, and that what cannot be followed is refused with its line."""

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigger.campaign import read
from trigger.campaign_file import MAX_BYTES, CampaignError
from trigger.language.functions import FUNCTIONS
from trigger.region import Circle
from trigger.signals import SIGNALS

GUIDE = Path(__file__).parents[2] / "docs" / "campaigns.md"
SHORTEST = 'name = "a"\nexpression = "engaged"\n'
DAY_NS = 24 * 3600 * 10**9


def test_the_example_of_the_guide():
    campaign = read(re.search(r"```toml\n(.*?)```", GUIDE.read_text(), re.DOTALL)[1])
    assert campaign.name == "braking_at_speed"
    assert campaign.expression.signals == {"speed_mps", "brake_fraction", "accel_long_mps2"}
    assert (campaign.before_s, campaign.after_s) == (5.0, 5.0)
    assert campaign.region == Circle(37.77, -122.42, 20_000.0)
    assert campaign.quota_bytes == 200_000_000
    assert campaign.ends == date(2027, 3, 31)
    assert campaign.probability == 1.0
    assert campaign.in_hours(23 * 3600 * 10**9)


def test_the_guide_tells_every_function_and_signal():
    told = set(re.findall(r"`([a-z_0-9]+)[`(]", GUIDE.read_text()))
    assert {*FUNCTIONS, *SIGNALS} <= told


def test_two_lines_are_enough():
    campaign = read(SHORTEST)
    assert (campaign.hold_s, campaign.refractory_s, campaign.before_s, campaign.after_s) == (0.1, 2.0, 5.0, 5.0)
    assert campaign.quota_bytes is campaign.ends is None
    assert campaign.in_region(np.nan, np.nan)
    assert campaign.in_hours(0)
    assert campaign.keeps("drive", 0, 0)


def test_the_limits_are_those_of_a_severity():
    limits = read(SHORTEST + "hold_s = 0.5\nrefractory_s = 7").limits
    assert (limits.on, limits.off, limits.hold_s, limits.refractory_s) == (1.0, 1.0, 0.5, 7.0)


@pytest.mark.parametrize(
    ("given_", "quota"), [("1", 1), ("2e9", 2 * 10**9), ('"1.5 GB"', 1_500_000_000), ('"64kB"', 64_000), ('"9 B"', 9)]
)
def test_quotas_can_be_read(given_, quota):
    assert read(SHORTEST + f"quota_bytes = {given_}").quota_bytes == quota


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("quota_bytes = 0", "200 MB"),
        ("quota_bytes = -5", "200 MB"),
        ("quota_bytes = inf", "200 MB"),
        ("quota_bytes = nan", "200 MB"),
        ("quota_bytes = true", "200 MB"),
        ("quota_bytes = 1e16", "200 MB"),
        ("quota_bytes = 0x" + "f" * 5000, "200 MB"),
        ('quota_bytes = "0 MB"', "200 MB"),
        ('quota_bytes = "200 XB"', "200 MB"),
        ('quota_bytes = "9999999 TB"', "200 MB"),
        ('quota_bytes = "\u0662 MB"', "200 MB"),
        ("hold_s = nan", "0 to 10"),
        ("hold_s = true", "0 to 10"),
        ('hold_s = "1"', "0 to 10"),
        ("refractory_s = 21", "0 to 20"),
        ("before_s = 20.5", "0 to 20"),
        ("after_s = -1", "0 to 30"),
        ("probability = 0", "above 0"),
        ("probability = 1.5", "above 0"),
        ("probability = nan", "above 0"),
        ('ends = "2027-03-31"', "without quotes"),
        ("ends = 2027-03-31T10:00:00Z", "without quotes"),
        ("ends = 2027-02-30", "TOML"),
        ('hours = "22:00-24:00"', "22:00-05:30"),
        ('hours = "22:00-22:00"', "22:00-05:30"),
        ("hours = 22:00:00", "22:00-05:30"),
        ("probabilty = 0.5", "did you mean probability"),
        ("[engine]", "no other keys"),
        ('name = "b"', "TOML"),
        ('"na\u043ce" = "b"', "no other keys"),
        ("region = 3", "a table"),
        ("region = { lat_deg = 91, lon_deg = 0, radius_m = 5 }", "-90 to 90"),
        ("region = { lat_deg = 9, lon_deg = nan, radius_m = 5 }", "-180 to 180"),
        ("region = { lat_deg = 9, lon_deg = 0, radius_m = 0 }", "1 to"),
        ("region = { lat_deg = 9, lon_deg = 0, radius_m = 5, east_deg = 3 }", "no other keys in region"),
        ("region = { south_deg = 9, west_deg = 0, east_deg = 5 }", "-90 to 90"),
        ("region = { south_deg = 9, north_deg = 8, west_deg = 0, east_deg = 5 }", "south_deg below north_deg"),
        ("deep = " + "[" * 5000, "short values"),
        ("deep = " + "{ a = " * 5000, "short values"),
        ("long = " + "1" * 5000, "short values"),
        ("after_s = 3\x00", "TOML"),
        ("after_s = ", "TOML"),
    ],
)
def test_a_bad_line_is_named(line, why):
    with pytest.raises(CampaignError) as refused:
        read(f"{SHORTEST}# a comment\n\n{line}\n")
    assert re.search(r"\bline 5\b", refused.value.got), refused.value.got
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('name = "p\u0430ss"\nexpression = "engaged"', 1),
        ('name = "Fast"\nexpression = "engaged"', 1),
        ('name = "__"\nexpression = "engaged"', 1),
        ("name = 3\nexpression = 'engaged'", 1),
        ('name = "a"\n\nexpression = true', 3),
        ('name = "a"\n\nexpression = "speed_mps > kmh(gas_fraction)"', 3),
        ('name = "a"\n\nexpression = "eng\u0430ged"', 3),
        ('name = "a"\nname = "b"', 2),
        ("\n" * (MAX_BYTES + 1), MAX_BYTES + 1),
        ("name = \ud800", 1),
    ],
)
def test_a_bad_name_or_expression_is_named(text, line):
    with pytest.raises(CampaignError, match=rf"\bline {line}\b"):
        read(text)


@pytest.mark.parametrize("missing", ["name", "expression"])
def test_what_is_missing_is_named(missing):
    text = "\n".join(line for line in SHORTEST.splitlines() if not line.startswith(missing))
    with pytest.raises(CampaignError, match=f"without {missing}"):
        read(text)


def test_a_key_of_a_table_is_found_in_its_own_table():
    """The same word stands earlier, in the expression."""
    expression = 'expression = "maximum(speed_mps, s=5) > 3"'
    text = f'name = "a"\n{expression}\n[region]\nlat_deg = 1\nlon_deg = 2\nradius_m = 3\ns = 4'
    with pytest.raises(CampaignError, match="`s = 4` at line 7"):
        read(text)


def test_a_line_is_counted_through_texts_of_several_lines():
    text = 'name = "a"\nexpression = """\nengaged\n  and bookmark"""\ndeep = ' + "[" * 5000
    with pytest.raises(CampaignError, match="too deeply at line 5"):
        read(text)


KEYS = ["name", "expression", "hold_s", "quota_bytes", "ends", "region", "hours", "probability", "x.y", '"\\u006eame"']
VALUES = ["1", "inf", "true", '"a"', '"engaged"', "[[", "[]", "{lat_deg=1}", "2027-01-01", "{", '"""\n', "07", "''"]


@given(
    st.one_of(
        st.text(max_size=80),
        st.binary(max_size=80).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
        st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES)), max_size=8).map(
            lambda pairs: "\n".join(f"{key} = {value}" for key, value in pairs)
        ),
    )
)
@settings(deadline=None)
def test_no_file_does_anything_but_be_read_or_be_refused(text):
    try:
        read(text)
    except CampaignError as error:
        assert "line" in error.got  # noqa: PT017


def test_the_share_that_is_kept_is_drawn_once_and_for_all():
    campaign = read(SHORTEST + "probability = 0.25")
    kept = [campaign.keeps("drive-1", 10**18, 10**18 + second * 10**9) for second in range(4000)]
    assert abs(np.mean(kept) - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 4000)
    assert kept[:200] == [campaign.keeps("drive-1", 0, second * 10**9 + 999_999_999) for second in range(200)]
    assert kept[:200] != [campaign.keeps("drive-2", 0, second * 10**9) for second in range(200)]
    other = read(SHORTEST.replace('"a"', '"b"') + "probability = 0.25")
    assert kept[:200] != [other.keeps("drive-1", 0, second * 10**9) for second in range(200)]


def test_a_greater_share_keeps_what_a_lesser_one_kept():
    little, much = (read(SHORTEST + f"probability = {p}") for p in (0.2, 0.6))
    assert all(much.keeps("d", 0, s * 10**9) for s in range(500) if little.keeps("d", 0, s * 10**9))


def test_hours_go_over_midnight():
    night = read(SHORTEST + 'hours = "22:00-05:30"')
    hours = [0, 5.4, 5.5, 12, 21.9, 22, 23.9]
    assert [night.in_hours(20_000 * DAY_NS + round(h * 3600 * 1e9)) for h in hours] == [1, 1, 0, 0, 0, 1, 1]
    noon = read(SHORTEST + 'hours = "11:30-12:30"')
    assert [noon.in_hours(round(h * 3600 * 1e9)) for h in hours] == [0, 0, 0, 1, 0, 0, 0]


def test_regions():
    circle = read(SHORTEST + "region = { lat_deg = 52.52, lon_deg = 13.405, radius_m = 260_000 }")  # Berlin
    assert circle.in_region(53.551, 9.994)  # Hamburg: 255 km
    assert not circle.in_region(48.137, 11.575)  # Munich: 504 km
    assert not circle.in_region(np.nan, 13.4)
    fiji = read(SHORTEST + "[region]\nsouth_deg = -21\nnorth_deg = -15\nwest_deg = 176\neast_deg = -178")
    assert fiji.in_region(-17.8, 178)
    assert fiji.in_region(-18, -179)
    assert not fiji.in_region(-18, 0)
    assert not fiji.in_region(-18, np.nan)
    assert not fiji.in_region(-30, 178)


@pytest.mark.parametrize("signal", ["lat_deg", "lon_deg", "heading_deg"])
def test_an_expression_tells_no_place(signal):
    with pytest.raises(CampaignError, match="would tell a place"):
        read(f'name = "a"\nexpression = "speed_mps > 5 and {signal} > 10"')


def test_what_is_joined_lies_in_one_clip():
    with pytest.raises(CampaignError, match="no more than before_s"):
        read(SHORTEST + "refractory_s = 11")


def test_a_keyword_of_any_depth_is_refused():
    with pytest.raises(CampaignError):
        read(f'name = "a"\nexpression = "abs(speed_mps, over_s={"-" * 900}1) > 2"')
