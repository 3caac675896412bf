"""`swerve train flywheel`: the whole loop, unattended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.usual import SPLIT
from edge.options import FiniteRange

if TYPE_CHECKING:
    from train.flywheel.plan import AnyPlan

NIGHTS = 3
WORLD, FOLDER = ("fleet", "minutes", "human", "rates", "exam_miles", "exam_cap"), ("consent", "split")
"""Options that only one kind of flywheel has."""


@click.command("flywheel")
@click.option("--folder", required=True, type=click.Path(path_type=Path, file_okay=False), help="Where it lives.")
@click.option(
    "--drives",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Take what is new in this folder of real recordings; the built-in world unless told.",
)
@click.option("--nights", type=click.IntRange(1), help=f"In all. [default: {NIGHTS}; with --drives one more]")
@click.option("--fleet", default=8, show_default=True, type=click.IntRange(1), help="Cars a night.")
@click.option("--minutes", default=15.0, show_default=True, type=FiniteRange(0, min_open=True), help="Each car drives.")
@click.option("--human", default=0.5, show_default=True, type=FiniteRange(0, 1), help="Share driven by humans.")
@click.option("--rates", default="natural", show_default=True, type=click.Choice(["natural", "stress", "calm"]))
@click.option("--consent", is_flag=True, help="With --drives: recordings that do not say so may be used.")
@click.option("--split", default=SPLIT, show_default=True, help="With --drives: which seconds are the exam.")
@click.option(
    "--mb-a-night",
    default=100.0,
    show_default=True,
    type=FiniteRange(0, min_open=True),
    help="Of a car, or of the folder.",
)
@click.option("--baseline", default=0.3, show_default=True, type=FiniteRange(0, 1), help="Highest rate of draws.")
@click.option("--preset", type=click.Choice(["driver", "tiny", "small"]), help="[default: driver; with --drives tiny]")
@click.option("--motion", is_flag=True, help="The policy may compare frames and see how the car is turning.")
@click.option("--steps", default=1200, show_default=True, type=click.IntRange(1), help="Of the first training.")
@click.option("--steps-a-night", default=600, show_default=True, type=click.IntRange(1), help="Of each further one.")
@click.option("--exam-miles", default=6.0, show_default=True, type=FiniteRange(0, min_open=True))
@click.option("--exam-cap", default=24.0, show_default=True, type=FiniteRange(0, min_open=True))
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "json_", is_flag=True, help="Print one JSON document on stdout, nothing else.")
@click.pass_context
def flywheel_command(
    context: click.Context, /, folder: Path, drives: Path | None, nights: int | None, json_: bool, **terms: Any
) -> None:
    """Drive, upload, curate, learn, examine, release; again every night, in the built-in world or over a folder.

    Started again with the same terms it goes on where it was cut off. With --drives it takes what has arrived since,
    and ends where nothing has.
    """
    from edge.output import as_json, show
    from train.console import bar
    from train.flywheel.table import remarks, table
    from train.flywheel.turning import nights_done, strategies, turn

    if drives and folder.resolve().is_relative_to(drives.resolve()):
        raise click.UsageError("--folder lies in --drives: what the flywheel writes would arrive there.")
    plan = _plan(context, drives, terms)
    nights = nights or (nights_done(folder) + 1 if drives else NIGHTS)
    with bar("flywheel") as move:
        done = turn(folder, plan, nights, lambda what, share: move(share, what))
    if json_:
        as_json({"nights": done})
        return
    show(table(done, *strategies(plan)))
    for line in remarks(done):
        click.secho(line, fg="yellow", err=True)
    if len(done) < nights:
        click.echo(f"nothing new in {drives}")
    if done:
        click.echo(f"picture: {folder / 'flywheel.png'}")


def _plan(context: click.Context, drives: Path | None, terms: dict[str, Any]) -> AnyPlan:
    from train.flywheel.plan import FolderPlan, Plan

    terms["bytes_a_night"] = round(terms.pop("mb_a_night") * 1e6)
    if terms["preset"] is None:
        del terms["preset"]
    for name in WORLD if drives else FOLDER:
        del terms[name]
        if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            wanted = "without --drives" if drives else "with --drives"
            raise click.UsageError(f"--{name.replace('_', '-')} has a meaning only {wanted}.")
    return FolderPlan(drives=str(drives.resolve()), **terms) if drives else Plan(**terms)
