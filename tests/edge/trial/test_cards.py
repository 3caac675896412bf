"""Trigger cards: rates on drives, scores against labels, and a document that says what was measured."""

import json
from pathlib import Path

import pytest
from conftest import T0_NS, drive_telemetry

from edge.errors import DriveError
from edge.trial.cards import END, START, Heard, as_markdown, cards, write_into
from edge.trial.labels import LabelledDrive, Moment
from edge.trial.wilson import Share
from trigger.builtin import TRIGGERS
from trigger.event import Event, Evidence

DOCUMENT = Path(__file__).parents[3] / "docs" / "triggers.md"
LABELS = Path(__file__).parents[2] / "labels" / "real_drives.toml"


def at(kind: str, t_s: float) -> Event:
    t_ns = T0_NS + round(t_s * 1e9)
    return Event(kind, t_ns, t_ns, (t_ns, t_ns), 1.0, Evidence("x", 1.0, 1.0))


def heard(*events: Event, absent: frozenset[str] = frozenset()) -> Heard:
    return Heard("drive", 1800, events, absent, T0_NS, None)


def labelled(*moments: Moment) -> LabelledDrive:
    return LabelledDrive("drive", ("launch", "swerve"), ((0.0, 1800.0),), moments)


def card(kind: str, drive: Heard, *labels: LabelledDrive):
    return next(c for c in cards([drive], labels) if c.kind == kind)


def test_rates_are_an_hour_and_unknown_without_the_signals():
    drive = heard(at("launch", 10), at("launch", 400), absent=frozenset({"swerve"}))
    assert card("launch", drive).an_hour == {"drive": 4.0}
    assert card("swerve", drive).an_hour == {"drive": None}


def test_precision_and_recall_leave_doubt_out():
    moments = (
        Moment("launch", 10.0, 12.0, False, ""),
        Moment("launch", 50.0, 52.0, False, ""),
        Moment("launch", 90.0, 92.0, True, ""),
        Moment("swerve", 10.0, 12.0, False, ""),
    )
    drive = heard(at("launch", 9.2), at("launch", 11.0), at("launch", 30.0), at("launch", 91.0))
    found = card("launch", drive, labelled(*moments))
    assert (found.precision, found.recall) == (Share(2, 3), Share(1, 2))
    other = card("harsh_braking", drive, labelled(*moments))
    assert (other.precision, other.recall) == (Share(0, 0), Share(0, 0))
    deaf = heard(absent=frozenset({"launch"}))
    assert card("launch", deaf, labelled(*moments)).recall == Share(0, 0)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1)]
)
def test_wilsons_interval(k, n, low, high):
    assert Share(k, n).interval == pytest.approx((low, high), abs=1e-4)


def test_a_share_of_four_is_not_measurable():
    assert str(Share(4, 4)) == "not measurable (4 of 4)"
    assert str(Share(4, 5)) == "4 of 5 = 0.80 (0.38 to 0.96)"


def test_every_trigger_has_a_card_that_says_what_it_needs(run):
    code, out, _ = run("trigger", "cards", "--json")
    told = {c["kind"]: c for c in json.loads(out)}
    assert code == 0
    assert {t.kind for t in TRIGGERS} <= set(told)
    assert all(c["needs"] and c["meaning"] and c["source"] for c in told.values())
    assert told["close_following"]["needs"] == "lead_distance_m, speed_mps"


def test_the_cards_are_put_between_their_marks_and_nowhere_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{START}\nold\n{END}\nafter\n")
    write_into(page, "new\n")
    assert page.read_text() == f"before\n{START}\nnew\n{END}\nafter\n"
    page.write_text("no marks")
    with pytest.raises(DriveError, match="no place"):
        write_into(page, "new\n")
    assert page.read_text() == "no marks"


def test_the_documents_definitions_are_those_of_the_code():
    definitions = as_markdown(cards(), ()).split("\n\n")[0]
    assert definitions in DOCUMENT.read_text()


@pytest.mark.real
def test_the_document_says_what_is_measured_on_the_real_drives(real, tmp_path, run):
    page = tmp_path / "page.md"
    page.write_text(f"{START}\n{END}")
    code, _, err = run("trigger", "cards", real, "--labels", LABELS, "--write", page)
    assert code == 0, err
    assert page.read_text() in DOCUMENT.read_text()


def test_a_drive_is_heard_in_its_own_process(native_drive, run):
    folder = native_drive(telemetry=drive_telemetry(engaged=lambda t: t < 30))
    code, out, err = run("trigger", "cards", folder, "--json")
    assert code == 0, err
    assert {c["kind"]: c["an_hour"]["drive"] for c in json.loads(out)}["disengagement"] == 60.0
