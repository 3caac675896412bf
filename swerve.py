"""The front door: `swerve edge|curate|train ...` and `swerve demo`.

Each room's commands are imported when they are called, so that a car starts in a fraction of a second and needs
nothing that only training needs. Problems are printed in three parts and end with their exit code (2 for bad
input); any other exception is a defect of swerve and shows its traceback.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

ROOMS = {
    "edge": ("edge.commands", "On the car, or over recorded drives: find the moments, cut them, hand them over."),
    "curate": ("curate.commands", "Take clips in, check, weigh and publish dataset versions."),
    "train": ("train.commands", "Train and evaluate a policy on a dataset version; draw what it would do."),
}
EXTRAS = {"edge": "edge", "curate": "curate", "train": "train"}


class Rooms(click.Group):
    """A group whose sub-commands are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*ROOMS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in ROOMS:
            return super().get_command(ctx, name)
        try:
            command = getattr(importlib.import_module(ROOMS[name][0]), name)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"{error.name} is not installed; install it with: pip install 'swerve[{EXTRAS[name]}]'"
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


def sample_clips() -> Path:
    """The three sample drives: beside this file in a checkout, installed next to it by a wheel."""
    here = Path(__file__).resolve().parent
    return next((p for n in ("sample_clips", "swerve_sample_clips") if (p := here / n).is_dir()), here / "sample_clips")


def main() -> None:
    from edge.output import say
    from trigger.problem import Problem

    try:
        swerve.main(prog_name="swerve", standalone_mode=True)
    except Problem as problem:
        say(problem)
        sys.exit(problem.exit_code)


if __name__ == "__main__":
    main()
