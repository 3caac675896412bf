"""The front door: `swerve trigger|edge|curate|train ...` and `swerve demo`.

Each room's commands are imported when they are called, so that a car starts in a fraction of a second and needs
nothing that only training needs. Problems are printed in three parts and end with their exit code (2 for bad
input); any other exception is a defect of swerve and shows its traceback.
"""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path

import click

ROOMS = {
    "trigger": ("edge.trial.commands", "What is worth keeping: the triggers' cards; campaigns and their back-test."),
    "edge": ("edge.room", "On the car, or over recorded drives: find the moments, cut them, hand them over."),
    "curate": ("curate.commands", "Take clips in, check, weigh and publish dataset versions."),
    "train": ("train.commands", "Train and evaluate a policy on a dataset version; draw what it would do."),
}


class Rooms(click.Group):
    """A group whose sub-commands are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*ROOMS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in ROOMS:
            return super().get_command(ctx, name)
        module = ROOMS[name][0]
        room = module.partition(".")[0]
        try:
            command = getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"{error.name} is not installed; install it with: pip install 'swerve[{room}]'"
            ) from error
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, text) for name, (_, text) in ROOMS.items()]
        rows += [(name, command.get_short_help_str(100)) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=Rooms, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="swerve")
def swerve() -> None:
    """Finds the seconds that matter in recorded drives, keeps only those, weights them by what they are worth,
    and trains the policy that meets them next."""


@swerve.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/demo"), show_default=True)
@click.option("--steps", type=int, default=1000, show_default=True, help="How long to train; 1000 take about a minute.")
def demo(out: Path, steps: int) -> None:
    """The whole journey on three sample drives: scan, cut, hand over, curate, train, evaluate, watch; then a short turn
    of the flywheel in the built-in world."""
    _fresh(out)
    samples, clips, store, policy = map(
        str, (sample_clips(), out / "clips", out / "store", out / "store/policies/demo")
    )
    report, video = str(out / "report.html"), str(out / "watch.mp4")
    for command in (
        ["edge", "scan", samples, "--baseline", "0"],
        ["edge", "cut", samples, "--out", clips, "--baseline", "0.1"],
        ["edge", "push", clips, "--to", store],
        ["curate", "nightly", "--store", store, "--split", "time:0.65"],
        ["train", "fit", "--store", store, "--preset", "tiny", "--steps", str(steps), "--name", "demo"],
        ["train", "watch", f"{samples}/disengagement", "--policy", policy, "--out", video],
        ["train", "eval", "--store", store, "--policy", policy, "--ablate", "--report", report],
    ):
        _show(command)
    _short_turn(out / "flywheel")
    click.secho(f"\nOpen the report: {report}\nWatch the policy: {video}", bold=True)


def _short_turn(folder: Path) -> None:
    """Two nights of the flywheel: a policy learns from humans, drives, is taken over, and learns from that."""
    try:
        importlib.import_module("panda3d.core")
        importlib.import_module("gymnasium")
    except ImportError as error:
        click.secho(f"\nThe flywheel is left out: {error}; install it with: pip install 'swerve[world]'", fg="yellow")
        return
    terms = ["--fleet", "4", "--minutes", "3", "--rates", "stress", "--baseline", "0.05", "--steps", "400"]
    terms += ["--steps-a-night", "200", "--exam-miles", "1.5", "--exam-cap", "1.5"]
    _show(["train", "flywheel", "--folder", str(folder), "--nights", "2", *terms])
    click.echo(
        "Humans drive night 1 and their policy half of night 2; it learns from where it was taken over, and the gate\n"
        "decides. Miles this few prove nothing: see how wide the 95 % intervals are."
    )


def _show(command: list[str]) -> None:
    click.secho(f"\n$ swerve {' '.join(command)}", bold=True)
    swerve.main(command, standalone_mode=False)


def _fresh(out: Path) -> None:
    """A folder for the demo; what an earlier one left there is removed, and nothing else."""
    mark = out / ".demo"
    if out.exists() and any(out.iterdir()):
        if not mark.exists():
            raise click.ClickException(f"{out} holds other files; give the demo a folder of its own with --out")
        for name in ("clips", "store", "flywheel"):
            shutil.rmtree(out / name, ignore_errors=True)
        for name in ("report.html", "watch.mp4"):
            (out / name).unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    mark.touch()


def sample_clips() -> Path:
    """The three sample drives: beside this file in a checkout, installed next to it by a wheel."""
    here = Path(__file__).resolve().parent
    return next((p for n in ("sample_clips", "swerve_sample_clips") if (p := here / n).is_dir()), here / "sample_clips")


def main() -> None:
    if sys.platform == "win32":
        sys.exit("error: this is Windows; wanted Linux or macOS; do: run swerve inside WSL")
    from edge.output import say
    from trigger.problem import Problem

    try:
        swerve.main(prog_name="swerve", standalone_mode=True)
    except Problem as problem:
        say(problem)
        sys.exit(problem.exit_code)
    except (NotADirectoryError, FileExistsError, IsADirectoryError) as error:
        say(Problem(str(error), "a path that can hold what is written", "choose another path"))
        sys.exit(2)
    except OSError as error:  # a full disk or a missing right is no defect of swerve
        say(
            Problem(
                str(error), "a disk that can be read and written", "free space or check the rights, and run it again"
            )
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
