"""`swerve train compare`: the command; `train.comparison` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from train.console import bar, counted, opening
from train.options import AS_JSON, STORE, THREADS

if TYPE_CHECKING:
    from rich.table import Table

    from train.comparison import Comparison


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@STORE
@click.option("--version", "version_name", help="Dataset version; the current one unless told.")
@THREADS
@AS_JSON
def compare(a: Path, b: Path, store: Path, version_name: str | None, threads: int, json_: bool) -> None:
    """Compare policy A with policy B on the same samples of the eval split.

    A and B are policy folders, or names in the store. A ratio below 1 says that A errs less.
    """
    import torch

    from curate.dataset import open_version
    from edge.output import as_json
    from train.checkpoint import find_policy, load_policy
    from train.comparison import compare_policies

    torch.set_num_threads(threads)
    version = open_version(store, version_name)
    first, second = (load_policy(find_policy(store, given)) for given in (a, b))
    with bar("compare", quiet=json_) as move:
        found = compare_policies(version, first, second, counted(move, "samples"), opening(move))
    as_json(found.to_json()) if json_ else _print(found)


def _print(found: Comparison) -> None:
    from edge.output import show
    from train.comparison import in_words
    from train.evaluation.bootstrap import RESAMPLES
    from train.evaluation.signflip import FLIPS

    click.echo(f"{found.a} against {found.b} on {found.version}: {found.samples} samples that both have")
    for name, only in ((found.a, found.only_a), (found.b, found.only_b)):
        if only:
            click.echo(f"{only} samples that only {name} has are left out")
    for note in found.notes:
        click.secho(note, fg="yellow")
    for control in dict.fromkeys(line.control for line in found.lines):
        show(_table(found, control))
    for sentence in in_words(found):
        click.echo(sentence)
    click.echo(
        f"intervals: 95 %, {RESAMPLES} draws of {found.blocks}; p: {FLIPS} sign flips of the same; of slices corrected "
        "for how many there are (Holm)"
    )


def _table(found: Comparison, control: str) -> Table:
    from edge.output import grid

    own = [line for line in found.lines if line.control == control]
    unit = f" [{own[0].unit}]" if own[0].unit else ""
    columns = ("samples", "blocks", f"A{unit}", f"B{unit}", "RMSE ratio", "95 % interval", "p", "A is")
    table = grid("slice", "", *columns, title=control)
    for line in own:
        ratio = line.ratio
        interval = f"{_root(ratio.low)} to {_root(ratio.high)}" if ratio.low is not None else "-"
        errors = (_root(ratio.candidate), _root(ratio.baseline), _root(ratio.value))
        p = "-" if line.p is None else f"{line.p:.2g}"
        table.add_row(line.family, line.slice, str(ratio.n), str(ratio.blocks), *errors, interval, p, line.verdict)
    return table


def _root(squared: float | None) -> str:
    return "-" if squared is None else f"{squared**0.5:.3g}"
