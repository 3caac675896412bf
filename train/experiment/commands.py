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
@click.option("--json", "json_", is_flag=True, help="Print one JSON document on stdout, nothing else.")
def experiment_command(folder: Path, json_: bool, **terms: Any) -> None:
    """Random against curated against all, at equal steps, in miles between disengagements.

    Started again with the same terms it goes on where it was cut off; more seeds and arms may be asked for then,
    and the final exam, which the same policies sit.
    """
    from edge.durable import write_bytes
    from edge.output import as_json, show
    from train.console import bar
    from train.experiment import ordinary
    from train.experiment.picture import picture
    from train.experiment.plan import Plan
    from train.experiment.table import fleet_table, pooled, ratio, table
    from train.experiment.trial import Experiment
    from train.miles import chance_alike

    plan = Plan(**terms)
    with bar("experiment") as move:
        done = Experiment(folder, plan, lambda what, share: move(share, what))
        arms, met = done.run(), done.met()
    shown = "experiment.png" if plan.role == "gate" else f"experiment-{plan.role}.png"
    write_bytes(folder / shown, picture(arms, met, plan.base_s))
    if json_:
        others = {name: trials for name, trials in arms.items() if name != "random"}
        as_json(
            {
                "arms": arms,
                "ratio_to_random": {name: ratio(trials, arms["random"]) for name, trials in others.items()},
                "p_if_independent": {
                    name: chance_alike(pooled(trials), pooled(arms["random"])) for name, trials in others.items()
                },
                "ordinary_to_random": {n: ordinary.ratio(trials, arms["random"]) for n, trials in others.items()},
                "met": met,
            }
        )
    else:
        show(table(arms))
        show(fleet_table(met))
        if few := sorted(set(plan.arms) - set(arms)):
            click.echo(f"Left out, for the fleet recorded too little for them: {'; '.join(few)}.")
