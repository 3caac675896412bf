"""`swerve train drive`: how far a policy drives before a human must take over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.options import FiniteRange

if TYPE_CHECKING:
    from train.exam import Exam, Stint
    from train.miles import Miles
    from train.world.place import Role
    from train.worlds.stints import GymStint


@click.command("drive")
@click.option("--policy", type=click.Path(path_type=Path), help="Policy folder; the expert drives unless told.")
@click.option("--world", default="builtin", show_default=True, help="builtin, or gym:ENV_ID (docs/worlds.md).")
@click.option(
    "--role",
    default="gate",
    show_default=True,
    type=click.Choice(["fleet", "gate", "final"]),
    help="Which places or seeds: the fleet's, the gate's exam, or the final exam, for published tables alone.",
)
@click.option(
    "--rates",
    type=click.Choice(["natural", "stress", "calm"]),
    help="How much happens in the built-in world. [default: stress]",
)
@click.option("--miles", default=5.0, show_default=True, type=FiniteRange(0, min_open=True))
@click.option("--consistency", is_flag=True, help="Also drive as many miles in the fleet's places, and compare.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON document on stdout, nothing else.")
def drive_command(
    policy: Path | None,
    world: str,
    role: Role,
    rates: str | None,
    miles: float,
    consistency: bool,
    json_: bool,
) -> None:
    """Drive a world with a safety driver: miles between disengagements, by place and by reason."""
    from edge.output import as_json
    from train.consistency import Consistency

    if consistency and role == "fleet":
        raise click.UsageError("--consistency compares with the fleet's places; choose another --role.")
    rates = rates or ("stress" if world == "builtin" else None)
    exam = _driven(policy, world, role, rates, miles)
    found = Consistency(_driven(policy, world, "fleet", rates, miles).miles, exam.miles) if consistency else None
    if json_:
        head = {"policy": str(policy) if policy else None, "world": world, "role": role, "rates": rates}
        as_json({**head, **exam.to_json(), **({"consistency": found.to_json()} if found else {})})
        return
    _print(exam)
    if found:
        click.echo(str(found))


def _driven(policy: Path | None, world: str, role: Role, rates: str | None, miles: float) -> Exam:
    from train.console import bar
    from train.errors import WorldError
    from train.exam import sit

    planned = _planned(policy, world, role, rates)
    with bar(f"drive {policy.name if policy else 'the expert'}") as move:
        exam = sit(planned, miles, lambda share, so_far: move(share, str(so_far)))
    if not exam.stints:
        raise WorldError(f"no stint was driven: {exam.lost[0]}", "at least one", "run it again")
    return exam


def _planned(policy: Path | None, world: str, role: Role, rates: str | None) -> Iterator[Stint] | Iterator[GymStint]:
    from train.exam import stints
    from train.worlds.stints import gym_stints

    kind, _, env_id = world.partition(":")
    if world == "builtin" and rates:
        return stints(policy, role, rates)
    if kind != "gym" or not env_id:
        raise click.BadParameter(f"{world!r} is neither builtin nor gym:ENV_ID", param_hint="--world")
    if rates:
        raise click.BadParameter("only the built-in world has rates", param_hint="--rates")
    return gym_stints(policy, env_id, role)


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
