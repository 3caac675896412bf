"""`swerve trigger ...`: what each trigger means and how good it is; campaigns before they are sent to cars."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from edge.durable import write_bytes
from edge.errors import CampaignFileError
from edge.options import FiniteRange
from edge.output import as_json, grid, json_bytes, show
from edge.over_drives import every, find
from edge.trial.backtest import BackTest, BackTestJob
from edge.trial.campaigns import publish, read_file, today
from edge.trial.cards import Card, HeardJob, as_markdown, cards, write_into
from edge.trial.labels import read_labels

CAMPAIGN = click.argument("campaign", type=click.Path(path_type=Path))
JSON = click.option("--json", "json_", is_flag=True, help="Print JSON and nothing else.")


@click.group()
def trigger() -> None:
    """What is worth keeping: the built-in triggers' cards, and campaigns, which are triggers written as data."""


@trigger.command("cards")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH...]")
@click.option("--labels", type=click.Path(path_type=Path), help="Moments marked by looking, for precision and recall.")
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="Put the cards into this document.")
@JSON
def cards_command(paths: tuple[Path, ...], labels: Path | None, write: Path | None, json_: bool) -> None:
    """Show a card for each trigger: what it means, how often it speaks on recorded drives, how often it is right."""
    heard = list(every(HeardJob(), find(paths), quiet=json_)) if paths else []
    made = cards(heard, read_labels(labels) if labels else ())
    if write:
        write_into(write, as_markdown(made, heard))
    if json_:
        as_json([asdict(card) for card in made])
        return
    table = grid("trigger", "beyond", "speaks when", title="Triggers")
    for card in made:
        table.add_row(card.kind, card.threshold, card.meaning)
    show(table)
    if heard:
        _show_scores(made)


@trigger.command("backtest")
@CAMPAIGN
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option(
    "--hours",
    type=FiniteRange(0.01, 24.0),
    default=1.0,
    show_default=True,
    help="What a car drives between two nights.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the record that publishing needs.")
@JSON
def backtest_command(campaign: Path, paths: tuple[Path, ...], hours: float, out: Path | None, json_: bool) -> None:
    """Play a campaign over recorded drives: what would it have sent?"""
    file = read_file(campaign)
    played = list(every(BackTestJob(file.campaign), find(paths), quiet=json_))
    test = BackTest(file, played, hours)
    if out:
        write_bytes(out, json_bytes(test.to_json()))
    if json_:
        as_json(test.to_json())
    else:
        _show_backtest(test)


@trigger.command("publish")
@CAMPAIGN
@click.option(
    "--backtest", "record", required=True, type=click.Path(path_type=Path), help="The record of its back-test."
)
@click.option(
    "--to", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder that cars listen to."
)
def publish_command(campaign: Path, record: Path, to: Path) -> None:
    """Put a campaign that was back-tested where cars find it."""
    file = read_file(campaign)
    if file.campaign.ends and file.campaign.ends < today():
        raise CampaignFileError(f"{campaign} ended on {file.campaign.ends}", "a campaign that runs", "set another end")
    Console().print(f"Published: {publish(file, record, to)}", soft_wrap=True, markup=False)


def _show_scores(made: list[Card]) -> None:
    table = grid("trigger", "events an hour", "precision", "recall", title="On these drives")
    for card in made:
        rates = [rate for rate in card.an_hour.values() if rate is not None]
        often = f"{min(rates):.1f} to {max(rates):.1f}" if rates else "cannot run"
        table.add_row(card.kind, often, str(card.precision), str(card.recall))
    show(table)


def _show_backtest(test: BackTest) -> None:
    console = Console()
    table = grid("drive", "hours", "events", "an hour", "MB", "", title=f"Campaign {test.file.campaign.name}")
    for p in test.played:
        hours = p.seconds / 3600
        if p.absent:
            table.add_row(p.drive, f"{hours:.2f}", "", "", "", f"lacks {p.absent}")
        else:
            size = "no picture" if p.bytes is None else f"{p.bytes / 1e6:.1f}"
            table.add_row(p.drive, f"{hours:.2f}", str(p.events), f"{p.events / hours:.1f}", size, "")
    show(table)
    if test.events_an_hour is None:
        console.print("[yellow]No drive has what the campaign listens to.[/]")
        return
    night = "not known" if test.bytes_a_night is None else f"{test.bytes_a_night / 1e6:.1f} MB"
    console.print(
        f"{test.events} events in {test.hours:.2f} h, {test.events_an_hour:.2f} an hour; "
        f"a night of {test.hours_a_day:g} h driven: {night}"
    )
    quota = test.file.campaign.quota_bytes
    if quota and test.bytes_a_night:
        console.print(f"Its quota of {quota / 1e6:g} MB lasts {quota / test.bytes_a_night:.1f} nights.")
    kept = ", ".join(f"{kind} {count}" for kind, count in test.overlap.items())
    console.print(f"Kept by built-in triggers, too: {kept or 'none of them'}.")
    examples = grid("drive", "t_s", "severity", "also", title="Strongest")
    for example in test.examples:
        examples.add_row(
            example.drive, f"{example.t_s:.2f}", f"{example.severity:.2f}", escape(", ".join(example.also))
        )
    if test.examples:
        show(examples)
