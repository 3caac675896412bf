"""`swerve train experiment`: does it pay to choose?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edge.options import FiniteRange


@click.command("experiment")
@click.option("--folder", required=True, type=click.Path(path_type=Path, file_okay=False), help="Where it lives.")
@click.option(
    "--seeds", default=3, show_default=True, type=click.IntRange(1), help="Trainings of each arm; 6 to publish."
)
@click.option("--ablations", is_flag=True, help="Also without weights, without disengagements, by class frequency.")
@click.option("--scaling", is_flag=True, help="Also half and twice the budget.")
@click.option("--synthetic", is_flag=True, help="Also with staged clips added.")
@click.option("--cars", default=16, show_default=True, type=click.IntRange(2))
@click.option("--minutes", default=15.0, show_default=True, type=FiniteRange(0, min_open=True), help="Each car drives.")
@click.option(
    "--base-s", default=600, show_default=True, type=click.IntRange(1), help="Labelled seconds all arms have."
)
@click.option(
    "--budget-s", default=300, show_default=True, type=click.IntRange(1), help="Labelled seconds to be added."
)
@click.option("--preset", default="driver", show_default=True, type=click.Choice(["driver", "tiny", "small"]))
@click.option("--steps", default=1500, show_default=True, type=click.IntRange(1), help="Of every training.")
@click.option("--exam-miles", default=8.0, show_default=True, type=FiniteRange(0, min_open=True))
@click.option("--role", default="gate", show_default=True, type=click.Choice(["gate", "final"]), help="Whose places.")
@click.option("--against", default="random", show_default=True, help="The arm that ratios are to.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON document on stdout, nothing else.")
def experiment_command(folder: Path, against: str, json_: bool, **terms: Any) -> None:
    """Random against curated against all, at equal steps, in miles between disengagements.

    Started again with the same terms it goes on where it was cut off; more seeds and arms may be asked for then,
    and the final exam, which the same policies sit.
    """
    from edge.durable import write_bytes
    from edge.output import as_json, show
    from train.console import bar
    from train.errors import FlywheelError
    from train.experiment import ordinary
    from train.experiment.picture import picture
    from train.experiment.plan import Plan
    from train.experiment.table import fleet_table, pooled, ratio, table
    from train.experiment.trial import Experiment
    from train.miles import chance_alike

    plan = Plan(**terms)
    if against not in plan.arms:
        raise click.BadParameter(f"{against!r}, where the arms are: {'; '.join(plan.arms)}", param_hint="--against")
    with bar("experiment") as move:
        done = Experiment(folder, plan, lambda what, share: move(share, what))
        arms, met = done.run(), done.met()
        lost = done.lost(arms)
    if against not in arms:
        raise FlywheelError(
            f"no {against!r}, for which the fleet recorded too little", "an arm that was run", "name one"
        )
    shown = "experiment.png" if plan.role == "gate" else f"experiment-{plan.role}.png"
    write_bytes(folder / shown, picture(arms, met, plan.base_s))
    if json_:
        others = {name: trials for name, trials in arms.items() if name != against}
        beside = arms[against]
        as_json(
            {
                "arms": arms,
                "against": against,
                "ratio": {name: ratio(trials, beside) for name, trials in others.items()},
                "p_if_independent": {n: chance_alike(pooled(t), pooled(beside)) for n, t in others.items()},
                "ordinary_ratio": {name: ordinary.ratio(trials, beside) for name, trials in others.items()},
                "met": met,
                "lost": lost,
            }
        )
    else:
        show(table(arms, against))
        show(fleet_table(met))
        if few := sorted(set(plan.arms) - set(arms)):
            click.echo(f"Left out, for the fleet recorded too little for them: {'; '.join(few)}.")
        for what in lost:
            click.echo(f"Lost: {what}")
