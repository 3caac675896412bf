"""A card for each trigger: what it means, how it measures, how often it speaks, and how often it is right.

Rates are those of recorded drives. Precision and recall are those against labels: moments that were marked by looking
at the drive. An event is right where its onset lies within `NEAR_S` of a marked moment of its kind; a doubtful moment,
and an event at one, counts neither way; a drive that lacks the signals is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.durable import write_bytes
from edge.errors import DriveError
from edge.jobs import Where
from edge.trial.labels import LabelledDrive, Moment
from edge.trial.wilson import Share
from trigger.builtin import BASELINE_WINDOW, DISENGAGEMENT_WINDOW, TRIGGERS, Trigger, Window
from trigger.detect import detect
from trigger.disengagement import KIND, PARTIAL
from trigger.event import Event
from trigger.handover import ENGAGED_S, OFF_S
from trigger.measures import SignalAbsentError
from trigger.r79 import peak_lateral_jerk
from trigger.vehicle import VehicleProfile

NEAR_S = 1.0
START, END = "<!-- cards: written by swerve trigger cards --write -->", "<!-- end of cards -->"


@dataclass(frozen=True)
class Heard:
    """What one drive gave: seconds in which anything was recorded, its events, and the kinds that could not run.

    `r79_mps3`: see `trigger.r79`.
    """

    drive: str
    seconds: int
    events: tuple[Event, ...]
    absent: frozenset[str]
    t0_ns: int
    r79_mps3: float | None

    def an_hour(self, kind: str) -> float | None:
        """Events an hour; None where the drive lacks the signals."""
        if kind in self.absent or not self.seconds:
            return None
        return sum(event.kind == kind for event in self.events) * 3600 / self.seconds


@dataclass(frozen=True)
class HeardJob:
    """Listen to one drive; in a child process."""

    def __call__(self, where: Where) -> Heard:
        drive = where.open()
        found = detect(drive.telemetry, drive.vehicle)
        absent = frozenset(found.absent)
        return Heard(
            drive.id, drive.recorded_seconds, found.events, absent, drive.t0_ns, peak_lateral_jerk(drive.telemetry)
        )


@dataclass(frozen=True)
class Card:
    """One trigger. `threshold` in `unit`; `precision` and `recall` as far as labels tell."""

    kind: str
    meaning: str
    needs: str
    how: str
    threshold: str
    source: str
    window: Window
    an_hour: dict[str, float | None]
    precision: Share
    recall: Share


def cards(heard: Sequence[Heard] = (), labels: Sequence[LabelledDrive] = ()) -> list[Card]:
    """All cards, in the order of the table of triggers; with rates by drive and scores where these are given."""
    by_id = {labelled.id: labelled for labelled in labels}
    judged = [(drive, by_id[drive.drive]) for drive in heard if drive.drive in by_id]
    made = []
    for kind, make in _makers():
        able = [(drive, by) for drive, by in judged if kind in by.judged and kind not in drive.absent]
        scores = [_score(kind, drive, labelled) for drive, labelled in able]
        right, events, found, moments = (sum(column) for column in zip(*scores, strict=True)) if scores else (0,) * 4
        rates = {drive.drive: drive.an_hour(kind) for drive in heard}
        made.append(make(rates, Share(right, events), Share(found, moments)))
    return made


Make = Callable[[dict[str, float | None], Share, Share], Card]


def _makers() -> Iterator[tuple[str, Make]]:
    """The parts of each card that rest on no drive."""
    debounce = f"engaged for {ENGAGED_S:g} s, then not for {OFF_S:g} s"
    for kind, meaning, needs in (
        (KIND, "the system was in control, and then it was not", "engaged"),
        (PARTIAL, "the system gives the steering back and stays engaged", "engaged, control_source_steering"),
    ):
        yield kind, _fixed(kind, meaning, needs, "states, debounced", debounce, "[own]", DISENGAGEMENT_WINDOW)
    for trigger in TRIGGERS:
        limits = trigger.limits
        held = f"held {limits.hold_s:g} s" if limits.hold_s else "at once"
        threshold = f"{limits.on:.3g} {trigger.unit}".strip() + f", {held}"
        yield (
            trigger.kind,
            _fixed(
                trigger.kind, trigger.meaning, _needs(trigger), trigger.how, threshold, limits.source, trigger.window
            ),
        )


def _fixed(kind: str, meaning: str, needs: str, how: str, threshold: str, source: str, window: Window) -> Make:
    return lambda rates, precision, recall: Card(
        kind, meaning, needs, how, threshold, source, window, rates, precision, recall
    )


def _needs(trigger: Trigger) -> str:
    """What it asks for, one after the other, with a vehicle that is known."""
    given: list[str] = []
    while (need := _next_need(trigger, given)) and need not in given:
        given.append(need)
    return ", ".join(given)


def _next_need(trigger: Trigger, given: Sequence[str]) -> str:
    try:
        trigger.measure(given, VehicleProfile(2.7, 15.0))
    except SignalAbsentError as error:
        return error.needs
    return ""


def _score(kind: str, drive: Heard, labelled: LabelledDrive) -> tuple[int, int, int, int]:
    """Events that are right, all events, moments that were found, all moments; doubtful ones left out."""
    onsets = [(event.t_ns - drive.t0_ns) / 1e9 for event in drive.events if event.kind == kind]
    moments = [moment for moment in labelled.moments if moment.kind == kind]
    doubtful = [moment for moment in moments if moment.doubtful]
    sure = [moment for moment in moments if not moment.doubtful]
    judged = [t for t in onsets if any(start <= t < end for start, end in labelled.seconds)]
    counted = [t for t in judged if not any(_at(t, moment) for moment in doubtful)]
    right = [t for t in counted if any(_at(t, moment) for moment in sure)]
    found = [moment for moment in sure if any(_at(t, moment) for t in counted)]
    return len(right), len(counted), len(found), len(sure)


def _at(t_s: float, moment: Moment) -> bool:
    return moment.start_s - NEAR_S <= t_s <= moment.end_s + NEAR_S


def as_markdown(made: Sequence[Card], heard: Sequence[Heard]) -> str:
    """The cards as tables of a document."""
    lines = ["| kind | speaks when | needs | beyond | source | keeps [s] |", "|---|---|---|---|---|---|"]
    for card in made:
        keeps = f"{card.window.before_s:g} + {card.window.after_s:g}"
        lines.append(f"| `{card.kind}` | {card.meaning} | {card.needs} | {card.threshold} | {card.source} | {keeps} |")
    base = BASELINE_WINDOW
    lines.append(
        "| `baseline` | a hash of (drive, second) falls below the stated probability | - | - | - | "
        f"{base.before_s:g} + 1 + {base.after_s:g} |"
    )
    lines += ["", "| kind | how it is measured | precision | recall |", "|---|---|---|---|"]
    lines += [f"| `{card.kind}` | {card.how} | {card.precision} | {card.recall} |" for card in made]
    if heard:
        lines += ["", *_rates(made, heard)]
    return "\n".join(lines) + "\n"


def _rates(made: Sequence[Card], heard: Sequence[Heard]) -> list[str]:
    spoken = [card for card in made if any(card.an_hour.values())]
    silent = [card for card in made if not any(card.an_hour.values()) and any(r == 0 for r in card.an_hour.values())]
    never = [card for card in made if all(rate is None for rate in card.an_hour.values())]
    lines = [
        "Events an hour; - where the drive lacks the signals. R79: greatest lateral jerk by UN R79, m/s^3.",
        "",
        "| drive | hours | " + " | ".join(f"`{card.kind}`" for card in spoken) + " | R79 |",
        "|---|---|" + "---|" * (len(spoken) + 1),
    ]
    for drive in heard:
        rates = ["-" if (rate := card.an_hour[drive.drive]) is None else f"{rate:.1f}" for card in spoken]
        r79 = "-" if drive.r79_mps3 is None else f"{drive.r79_mps3:.2f}"
        lines.append(f"| {drive.drive} | {drive.seconds / 3600:.2f} | " + " | ".join([*rates, r79]) + " |")
    for told, these in (("Ran and said nothing", silent), ("Could run on none of these drives", never)):
        if these:
            lines += ["", f"{told}: " + ", ".join(f"`{card.kind}`" for card in these) + "."]
    return lines


def write_into(document: Path, text: str) -> None:
    """Replace what stands between the two marks of a document. Raises DriveError where they are not there."""
    try:
        found = document.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DriveError(f"{document} cannot be read: {error}", "a text document", "check the path") from error
    before, mark, rest = found.partition(START)
    _, end, after = rest.partition(END)
    if not (mark and end):
        raise DriveError(f"{document} has no place for the cards", f"the lines {START} and {END}", "add them")
    write_bytes(document, f"{before}{START}\n{text}{END}{after}".encode())
