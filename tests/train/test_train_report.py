"""The report is one file that needs nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from bars import bars_fixture, fitted_fixture  # noqa: F401

from curate.dataset import DatasetVersion
from train.chart import Area, Lane, Line, Span, line_chart, scatter, timeline
from train.checkpoint import load_policy
from train.clips import open_clips
from train.evaluate import evaluate
from train.fit import FitResult
from train.forest import Twig, forest
from train.report.page import write_report


@pytest.fixture(scope="module")
def page(bars: DatasetVersion, fitted: FitResult, tmp_path_factory: pytest.TempPathFactory) -> str:
    exam = evaluate(bars, load_policy(fitted.folder), ablate=True)
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, exam, open_clips(bars, exam.saved.config.view)[0])
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
    return path.read_text()


def test_it_refers_to_nothing_outside_itself(page: str) -> None:
    assert "http" not in page
    addresses = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert addresses
    assert all(address.startswith("data:image/jpeg;base64,") for address in addresses)
    assert "<script" not in page
    assert "url(" not in page


def test_the_title_names_policy_and_dataset(page: str, fitted: FitResult) -> None:
    title = re.search("<title>(.*)</title>", page)
    assert title
    assert fitted.folder.name in title[1]
    assert fitted.dataset[:12] in title[1]


def test_it_shows_all_that_was_asked_for(page: str) -> None:
    for words in ("training mean", "1 s ago", "black frames", "shuffled frames", "Worst moments", "abrupt_steering"):
        assert words in page
    for words in ("Errors by slice", "2 blocks of at least 10 s of 1 drive", "event: abrupt_steering", "too few (20)"):
        assert words in page
    for words in ("found share inside", "Calibration error", "its stated 95 % interval"):
        assert words in page
    assert page.count("<svg") >= 7
    assert page.count(", at onset") == 6
    assert "prefers-color-scheme: dark" in page


def test_it_is_well_formed(page: str) -> None:
    void = {"meta", "br", "img"}

    class Checker(HTMLParser):
        open: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.open += [] if tag in void else [tag]

        def handle_startendtag(self, tag: str, attrs: object) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    checker = Checker()
    checker.feed(page)
    assert checker.open == []


def test_charts_survive_gaps_single_points_and_names_that_look_like_tags() -> None:
    x = np.arange(5.0)
    gap = Line(x, np.array([1.0, np.nan, 3.0, 3.0, 3.0]), "c-truth")
    assert line_chart([gap], "<x>", "y & z").count("M") == 2
    assert "<x>" not in line_chart([gap], "<x>", "y")
    assert "<svg" in line_chart([Line(np.empty(0), np.empty(0), "c-truth")], "x", "y")
    assert "<svg" in scatter(np.array([2.0]), np.array([2.0]), "x", "y")
    assert "<script>" not in timeline([Lane("a", [gap])], [("s", [Span(0, 1, "b-train", "<script>")])], [], 5.0)


def test_an_area_is_closed_around_each_stretch_without_a_gap() -> None:
    x, low = np.arange(6.0), np.array([0.0, 0.0, np.nan, 1.0, 1.0, 1.0])
    chart = line_chart([Line(x, low, "c-policy")], "x", "y", areas=[Area(x, low, low + 5.0, "a-policy")])
    (area,) = re.findall(r'<path class="area a-policy" d="([^"]*)"', chart)
    assert [piece.count("L") for piece in area.split("Z")] == [3, 5, 0]
    assert 'd=""' in line_chart([], "x", "y", areas=[Area(x, low * np.nan, low, "a-policy")])


def test_a_forest_shows_bars_cut_at_the_edge_and_figures_without_one() -> None:
    rows = [
        Twig("all", 1.0, 0.8, 1.3, "100 in 9"),
        Twig("<night>" * 9, 2.0, 1.0, 1e6, ""),
        Twig("few", 1.5, None, None, ""),
    ]
    chart = forest([*rows, Twig("none", None, None, None, "0")], "RMSE")
    assert chart.count('class="bar"') == 2
    assert chart.count('class="dot"') == 3
    assert "<night>" not in chart
    assert all(0.0 <= float(x) <= 960.0 for x in re.findall(r'x[12]="([^"]*)"', chart))
    assert "<svg" in forest([], "RMSE")


def test_a_long_line_is_thinned_but_keeps_its_peaks() -> None:
    y = np.zeros(100_000)
    y[54_321] = 9.0
    chart = line_chart([Line(np.arange(y.size, dtype=float), y, "c-truth")], "x", "y")
    assert len(chart) < 60_000
    y[70_000] = np.nan
    assert line_chart([Line(np.arange(y.size, dtype=float), y, "c-truth")], "x", "y").count("M") == chart.count("M") + 1
    flat = line_chart([Line(np.arange(y.size, dtype=float), y * 0, "c-truth")], "x", "y")
    assert chart != flat
