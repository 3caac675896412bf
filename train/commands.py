"""`swerve train`: fit a policy, examine it, watch it, export it.

Tables and progress go to stderr and stdout as a person expects; with `--json` stdout holds one JSON document and
nothing else. torch is imported inside the commands, so that `swerve train --help` answers at once.
"""

from __future__ import annotations

from pathlib import Path

import click

from edge.options import FiniteRange
from train.compare_command import compare
from train.console import bar, counted
from train.drive_commands import drive_command
from train.eval_command import evaluate
from train.experiment.commands import experiment_command
from train.export_command import export
from train.fit_command import fit
from train.flywheel.commands import flywheel_command
from train.options import AS_JSON, THREADS
from train.score_command import score
from train.worlds.commands import serve_driver_command


@click.group("train")
def train() -> None:
    """Video in, controls out: fit a policy, examine it, watch it, export it."""


train.add_command(fit)
train.add_command(evaluate)
train.add_command(compare)
train.add_command(score)
train.add_command(export)
train.add_command(drive_command)
train.add_command(flywheel_command)
train.add_command(experiment_command)
train.add_command(serve_driver_command)


@train.command()
@click.argument("drive", type=click.Path(path_type=Path))
@click.option("--policy", required=True, type=click.Path(path_type=Path), help="Policy folder.")
@click.option("--out", default="watch.mp4", show_default=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--start", default=0.0, show_default=True, type=FiniteRange(0), help="Seconds from the first frame.")
@click.option("--seconds", type=FiniteRange(0, min_open=True), help="How much of it; all unless told.")
@THREADS
@AS_JSON
def watch(drive: Path, policy: Path, out: Path, start: float, seconds: float | None, threads: int, json_: bool) -> None:
    """Write a video of DRIVE with the driver's and the policy's controls drawn on it."""
    import torch

    from edge.drive import open_drive
    from edge.output import as_json
    from train.checkpoint import load_policy
    from train.watch import watch as run

    torch.set_num_threads(threads)
    saved = load_policy(policy)
    opened = open_drive(drive)
    with bar("watch") as move:
        result = run(opened, saved, out, start_s=start, seconds=seconds, advance=counted(move, "frames"))
    if json_:
        as_json({"path": str(out), "frames": result.frames, "predicted": result.predicted})
    else:
        click.echo(f"{out}: {result.frames} frames, {result.predicted} with a prediction")
