"""`swerve train drive`: how far a policy drives before a human must take over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.options import FiniteRange

if TYPE_CHECKING:
    from train.exam import Exam
    from train.miles import Miles


@click.command("drive")
@click.option("--policy", type=click.Path(path_type=Path), help="Policy folder; the expert drives unless told.")
@click.option(
    "--role",
    default="gate",
    show_default=True,
    type=click.Choice(["fleet", "gate", "final"]),
    help="Which places: the fleet's, the gate's exam, or the final exam, which is for published tables alone.",
)
@click.option("--rates", default="stress", show_default=True, type=click.Choice(["natural", "stress", "calm"]))
@click.option("--miles", default=5.0, show_default=True, type=FiniteRange(0, min_open=True))
@click.option("--json", "json_", is_flag=True, help="Print one JSON document on stdout, nothing else.")
def drive_command(policy: Path | None, role: str, rates: str, miles: float, json_: bool) -> None:
    """Drive the built-in world with a safety driver: miles between disengagements, by place and by reason."""
    from edge.output import as_json
    from train.console import bar
    from train.errors import WorldError
    from train.exam import sit, stints

    with bar(f"drive {policy.name if policy else 'the expert'}") as move:
        exam = sit(stints(policy, role, rates), miles, lambda share, so_far: move(share, str(so_far)))  # type: ignore[arg-type]
    if not exam.stints:
        raise WorldError(f"no stint was driven: {exam.lost[0]}", "at least one", "run it again")
    if json_:
        as_json({"policy": str(policy) if policy else None, "role": role, "rates": rates, **exam.to_json()})
    else:
        _print(exam)


def _print(exam: Exam) -> None:
    from edge.output import grid, show

    table = grid("miles between disengagements", "", "95 % interval", "disengagements", "miles")
    table.add_row("all", *_cells(exam.miles), style="bold")
    for name, miles in exam.by_place.items():
        table.add_row(f"in {name}", *_cells(miles))
    for reason, miles in exam.by_reason.items():
        table.add_row(f"by {reason}", *_cells(miles))
    show(table)
    for line in exam.lost:
        click.secho(line, fg="yellow", err=True)


def _cells(miles: Miles) -> tuple[str, ...]:
    low, high = miles.interval()
    between = "none" if miles.between is None else f"{miles.between:.3g}"
    return (
        between,
        f"{low:.3g} to {'any' if high is None else format(high, '.3g')}",
        str(miles.count),
        f"{miles.miles:.2f}",
    )
