"""The page of a night: right numbers, nothing from a network, nothing that names can break out of."""

import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from conftest import drive_telemetry
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.native import write_native
from makers.versions import published, row, table
from scipy.stats import beta

from curate.clipref import MADE, ClipRef
from curate.exposure import Rate
from curate.journal import Entry, append
from curate.look import look, read_look
from curate.place import cell_of, centre_of
from curate.report.moments import moments, unseen
from curate.report.night import night_report
from curate.report.pictures import Wanted, pictures
from curate.report.rates import rates_json
from curate.report.svg import Spot, coverage, histogram
from curate.report.waiting import miles_until
from curate.report.write import render
from curate.version.publish import publish
from edge.cut import cut
from edge.drive import open_drive
from edge.scan import scan

EVIL = '</script><img src=x onerror=alert(1)>"&'
RATE = {"known": 4, "events": 8.0, "miles": 2000.0, "low": 0.001, "high": 0.009}


class Page(HTMLParser):
    """Reads a page strictly enough: every tag that opens closes, and says what it would load."""

    def __init__(self, text):
        super().__init__()
        self.open, self.loads, self.tags, self.text = [], [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href", "xlink:href", "srcset")]
        if tag not in ("meta", "img", "br", "rect", "circle", "polyline", "path"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        if tag in ("rect", "circle", "polyline", "path"):
            return
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Two clips of made drives."""
    folder = tmp_path_factory.mktemp("report")
    found = []
    for number in range(2):
        drive = open_drive(write_native(folder, f"d{number}", drive_telemetry(8.0 + number), 8.0))
        found += [written.folder for written in cut(scan(drive, 1.0), folder / f"clips-{number}")]
    return found


def head_with_rates(store, rows, rates, parent_rows=None):
    if parent_rows:
        publish(store, table(parent_rows), {}, {}, {})
    return publish(store, table(rows), {}, {"rates": rates}, {})


def test_the_page_shows_what_came_what_is_rare_and_where(clips, tmp_path):
    place = str(cell_of(59.33, 18.07))
    version = published(tmp_path, clips, weight=lambda n: 1.0 + n, place=place, events=lambda n: ["swerve"] * (n % 2))
    append(
        tmp_path,
        [Entry(86_400, "clips", "a", "car-1"), Entry(86_400, "quarantine", "b", "car-2", "bad_frames", "3 of 9")],
    )
    page = Page(render(night_report(tmp_path)))
    assert page.open == []
    assert all(source.startswith("data:image/jpeg;base64,/9j/") for source in page.loads)
    assert len(page.loads) == len(version.inputs)
    for text in (version.name, "car-1", "bad_frames", "3 of 9", "swerve", "Where it was driven", "1970-01-02"):
        assert text in page.text
    assert "script" not in page.tags
    assert "per 1,000 miles" not in page.text  # no rates in this head


def test_nothing_that_is_named_becomes_part_of_the_page(tmp_path):
    rows = [row(EVIL, 0, events=[EVIL], place=EVIL, device=EVIL, kind_factor=2.0)]
    head_with_rates(tmp_path, rows, {EVIL: RATE}, [row(EVIL, 1, events=[EVIL])])
    append(tmp_path, [Entry(1, "quarantine", EVIL, EVIL, EVIL, EVIL)])
    page = Page(render(night_report(tmp_path)))
    assert page.open == []
    assert page.loads == []
    assert "script" not in page.tags
    assert page.text.count(EVIL) > 5


def test_rates_waits_and_what_changed(tmp_path):
    before = [row("a", n, events=["old"]) for n in range(4)]
    after = [row("a", n, events=["swerve"], kind_factor=2.0, weight=2.0) for n in range(2)]
    unbounded = Rate(**RATE | {"known": 0, "high": math.inf})
    head_with_rates(tmp_path, after, rates_json({"swerve": Rate(**RATE), "never": unbounded}), before)
    report = night_report(tmp_path, wanted=4)
    assert report.rates == {"never": unbounded, "swerve": Rate(**RATE)}
    assert report.waits["swerve"].middle == pytest.approx(2000.0)
    page = Page(render(report)).text
    assert "Until 4 more examples" in page
    assert "no bound" in page
    assert "4.00" in page  # 8 events in 2,000 miles
    told = {drift.kind: (drift.share, drift.before) for drift in report.drift}
    assert told == {"old": (0.0, (1.0, 1.0)), "swerve": (1.0, (0.0, 0.0))}
    assert "weights moved by" in page


def test_a_version_before_that_is_damaged_is_left_out(tmp_path):
    head_with_rates(tmp_path, [row()], {}, [row(second=5)])
    parent = sorted((tmp_path / "versions").iterdir())[0]
    (parent / "rows.parquet").write_bytes(b"junk")
    report = night_report(tmp_path)
    assert report.before is None
    assert render(report)


def test_a_version_without_training_seconds_or_events_has_a_page(tmp_path):
    publish(tmp_path, table([row(split="eval")]), {}, {}, {})
    page = Page(render(night_report(tmp_path)))
    assert page.open == []
    assert "Nothing happened" in page.text


def test_a_picture_is_the_nearest_still_or_a_frame_of_the_clip_or_none(clips, tmp_path):
    clip = clips[0]
    start_ns = open_drive(clip).cameras["front"].frame_times()[0]
    ref = ClipRef("c", clip, tmp_path / MADE / "c")
    (plain,) = pictures([Wanted(ref, int(start_ns))])
    look(ref)
    stills = next(iter(read_look(ref).cameras.values())).stills
    near = pictures([Wanted(ref, stills[-1].t_ns + 1), Wanted(ref, stills[0].t_ns)])
    assert near == [stills[-1].path.read_bytes(), stills[0].path.read_bytes()]
    assert plain[:2] == b"\xff\xd8"
    assert pictures([Wanted(ClipRef("d", tmp_path / "gone", tmp_path / "none"), 0)]) == [b""]


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.floats(1e-3, 1e7))
def test_the_wait_is_that_of_the_beta_distribution(wanted, seen, miles):
    wait = miles_until(wanted, seen, miles)
    shares = beta.ppf([0.025, 0.5, 0.975], wanted, seen)
    np.testing.assert_allclose((wait.low, wait.middle, wait.high), miles * shares / (1 - shares), rtol=1e-6)


def test_the_waits_interval_holds_the_wait_95_times_of_100():
    """Rates that nobody knows: miles until the 5th event are seen, miles until 20 more are foretold."""
    rng = np.random.default_rng(0)
    rate = rng.lognormal(0, 2, 4000)
    seen, came = rng.gamma(5, 1 / rate), rng.gamma(20, 1 / rate)
    one = miles_until(20, 5, 1.0)
    inside = (came >= one.low * seen) & (came <= one.high * seen)
    assert 0.935 <= inside.mean() <= 0.965


@pytest.mark.parametrize(("wanted", "miles"), [(0, 5.0), (5, 0.0), (5, float("nan"))])
def test_a_wait_for_nothing_is_refused(wanted, miles):
    with pytest.raises(ValueError, match="examples"):
        miles_until(wanted, 1, miles)


def test_a_moment_is_an_unbroken_run_of_seconds_with_events():
    rows = [row("a", s, events=e) for s, e in enumerate([["x"], ["x", "y"], [], ["x"], ["baseline"], ["y"]])]
    rows += [row("b", s, events=["x"]) for s in (3, 4, 6)]
    assert sorted(map(sorted, moments(table(rows)))) == [["x"], ["x"], ["x"], ["x", "y"], ["y"]]


def test_good_turing_foretells_the_share_of_new_kinds():
    """Kinds with known probabilities: the mean estimate is the mean probability of what was not seen."""
    rng = np.random.default_rng(1)
    chances = rng.dirichlet(np.full(60, 0.3))
    foretold, true, covered = [], [], []
    for _ in range(300):
        drawn = rng.choice(60, 80, p=chances)
        found = unseen([frozenset([str(kind)]) for kind in drawn.tolist()])
        foretold.append(found.mass)
        true.append(1.0 - chances[np.unique(drawn)].sum())
        covered.append(found.interval[0] <= true[-1] <= found.interval[1])
    assert np.mean(foretold) == pytest.approx(np.mean(true), rel=0.1)
    assert np.mean(covered) > 0.9


def test_what_was_never_seen_at_all_is_all_unseen():
    assert (unseen([]).mass, unseen([]).interval) == (1.0, (0.0, 1.0))


@given(st.floats(-85, 85), st.floats(-180, 179.99))
def test_the_middle_of_a_cell_lies_in_it(lat_deg, lon_deg):
    cell = cell_of(lat_deg, lon_deg)
    assert cell_of(*centre_of(str(cell))) == cell
    assert centre_of("nowhere") is None


@pytest.mark.parametrize("lons", [[18.0], [179.99, -179.99], [10.0, 11.0, 12.0]])
def test_a_map_holds_every_place_within_its_frame(lons):
    drawn = coverage([Spot(50.0 + n / 10, lon, 5 + n, "train") for n, lon in enumerate(lons)])
    circles = re.findall(r'cx="([\d.-]+)" cy="([\d.-]+)"', drawn)
    assert len(circles) == len(lons)
    assert all(0 < float(x) < 660 and 0 < float(y) < 420 for x, y in circles)
    assert "km</text>" in drawn


def test_a_histogram_of_nothing_is_nothing():
    assert histogram("weight", np.empty(0)) == ""
    assert "<rect" in histogram("weight", np.zeros(3))
    assert "<polyline" in histogram("weight", np.arange(3.0), np.arange(9.0))


def test_the_command_writes_the_page(tmp_path, run):
    publish(tmp_path / "store", table([row()]), {}, {}, {})
    out = tmp_path / "night.html"
    assert run("curate", "report", "--store", tmp_path / "store", "--out", out)[0] == 0
    assert Page(out.read_text()).open == []
    assert run("curate", "report", "--store", tmp_path, "--out", out)[0] == 2
