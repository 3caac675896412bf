"""`swerve train flywheel`: the whole loop, unattended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edge.options import FiniteRange


@click.command("flywheel")
@click.option("--folder", required=True, type=click.Path(path_type=Path, file_okay=False), help="Where it lives.")
@click.option("--nights", default=3, show_default=True, type=click.IntRange(1))
@click.option("--fleet", default=8, show_default=True, type=click.IntRange(1), help="Cars a night.")
@click.option("--minutes", default=15.0, show_default=True, type=FiniteRange(0, min_open=True), help="Each car drives.")
@click.option("--human", default=0.5, show_default=True, type=FiniteRange(0, 1), help="Share driven by humans.")
@click.option("--rates", default="natural", show_default=True, type=click.Choice(["natural", "stress", "calm"]))
@click.option("--mb-a-night", default=100.0, show_default=True, type=FiniteRange(0, min_open=True), help="A car's.")
@click.option("--baseline", default=0.3, show_default=True, type=FiniteRange(0, 1), help="Highest rate of draws.")
@click.option("--preset", default="tiny", show_default=True, type=click.Choice(["tiny", "small"]))
@click.option("--motion", is_flag=True, help="The policy may compare frames and see how the car is turning.")
@click.option("--steps", default=1200, show_default=True, type=click.IntRange(1), help="Of the first training.")
@click.option("--steps-a-night", default=600, show_default=True, type=click.IntRange(1), help="Of each further one.")
@click.option("--exam-miles", default=6.0, show_default=True, type=FiniteRange(0, min_open=True))
@click.option("--exam-cap", default=24.0, show_default=True, type=FiniteRange(0, min_open=True))
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "json_", is_flag=True, help="Print one JSON document on stdout, nothing else.")
def flywheel_command(folder: Path, nights: int, mb_a_night: float, json_: bool, **terms: Any) -> None:
    """Drive, upload, curate, learn, examine, release; again every night, in the built-in world.

    Started again with the same terms it goes on where it was cut off.
    """
    from edge.output import as_json, show
    from train.console import bar
    from train.flywheel.plan import Plan
    from train.flywheel.table import table
    from train.flywheel.turning import turn

    plan = Plan(bytes_a_night=round(mb_a_night * 1e6), **terms)
    with bar("flywheel") as move:
        done = turn(folder, plan, nights, lambda what, share: move(share, what))
    if json_:
        as_json({"nights": done})
    else:
        show(table(done))
        click.echo(f"picture: {folder / 'flywheel.png'}")
