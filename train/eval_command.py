"""`swerve train eval`: the command; `train.evaluate` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from train.console import bar, counted, opening, print_left_out
from train.options import AS_JSON, STORE, THREADS

if TYPE_CHECKING:
    from rich.table import Table

    from train.evaluate import Evaluation
    from train.evaluation.bootstrap import Estimate


@click.command("eval")
@STORE
@click.option("--policy", type=click.Path(path_type=Path), help="Policy folder; the newest of the store unless told.")
@click.option("--version", "version_name", help="Dataset version; the current one unless told.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write an HTML report here.")
@click.option(
    "--reference",
    "references",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV of other predictions: frame_id [ns], steering_angle [rad, + left]. Repeatable.",
)
@click.option("--ablate", is_flag=True, help="Also examine it on black frames and on frames of other samples.")
@THREADS
@AS_JSON
def evaluate(
    store: Path,
    policy: Path | None,
    version_name: str | None,
    report: Path | None,
    references: tuple[Path, ...],
    ablate: bool,
    threads: int,
    json_: bool,
) -> None:
    """Examine a policy on the eval split, beside baselines on the same samples."""
    import torch

    from curate.dataset import open_version
    from edge.output import as_json
    from train.checkpoint import find_policy, load_policy
    from train.evaluate import evaluate as run
    from train.reference import read_reference

    torch.set_num_threads(threads)
    version = open_version(store, version_name)
    saved = load_policy(find_policy(store, policy))
    others = [read_reference(path) for path in references]
    with bar("eval") as move:
        found = run(version, saved, others, ablate, counted(move, "samples"), opening(move))
    if report:
        _write_report(report, found)
    as_json(found.to_json()) if json_ else _print_evaluation(found)


def _write_report(path: Path, found: Evaluation) -> None:
    from train.clips import open_clips
    from train.report.page import write_report

    clips, _ = open_clips(found.version, found.saved.config.view)
    write_report(path, found, clips)
    click.echo(f"report: {path}", err=True)


def _print_evaluation(found: Evaluation) -> None:
    from edge.output import show
    from train.evaluation.bootstrap import MIN_BLOCKS, RESAMPLES

    click.echo(f"{found.saved.name} on {found.version.name}: {len(found.samples)} eval samples")
    if not found.same_dataset:
        click.secho("trained on another dataset version: exam seconds may have been trained on", fg="yellow")
    for control in found.samples.spec.names:
        show(_control_table(found, control))
        for row in (r for r in found.rows if r.control == control and r.slice == "all" and r.missing):
            click.echo(
                f"{row.who} answers {row.figures.n} of {row.figures.n + row.missing} samples; "
                f"the policy's error on those: {_shown(row.policy.rmse)}"
            )
    show(_slice_table(found))
    if found.samples.horizon.steps > 1:
        show(_step_table(found))
    _print_calibration(found)
    click.echo(f"intervals: 95 %, {RESAMPLES} draws of {found.breakdown.blocks}; none below {MIN_BLOCKS} blocks")
    rare = found.rarity
    click.echo(
        f"rare: {rare.rare_seconds} of {rare.seconds} s ({rare.by_event} by an event, {rare.by_rarity} by a rarity "
        f"factor above {rare.rarity_above:.3g}); natural: weighted by 1 / inclusion probability"
    )
    print_left_out(found.samples.dropped, found.samples.skipped)


def _control_table(found: Evaluation, control: str) -> Table:
    """One control's root mean square errors; MAE stands in the report and in --json."""
    from edge.output import grid

    unit = found.samples.spec.unit(control)
    columns = ("samples", "RMSE", *(("[rad]",) if unit == "deg" else ()), "r", "rare", "ordinary", "natural")
    table = grid("who", *columns, title=control)
    for row in (r for r in found.rows if r.control == control and r.slice == "all"):
        parts = {r.slice: r.figures for r in found.rows if (r.who, r.control) == (row.who, control)}
        rad = [_shown(row.figures.rmse_rad)] if unit == "deg" else []
        others = [_shown(parts[part].rmse) if part in parts else "-" for part in ("rare", "ordinary", "natural")]
        cells = [row.who, str(row.figures.n), _shown(row.figures.rmse), *rad, _shown(row.figures.r), *others]
        table.add_row(*cells, style="bold" if row.kind == "policy" else "")
    return table


def _slice_table(found: Evaluation) -> Table:
    """Error of every control in every slice, with its interval."""
    from edge.output import grid

    names = found.samples.spec.names
    table = grid("slice", "", "samples", "blocks", *names, title="RMSE by slice, 95 % interval")
    for family, part in dict.fromkeys((each.family, each.slice) for each in found.breakdown.slices):
        own = [each.rmse for each in found.breakdown.slices if (each.family, each.slice) == (family, part)]
        most = max(own, key=lambda each: each.n)
        table.add_row(family, part, str(most.n), str(most.blocks), *map(_with_interval, own))
    return table


def _step_table(found: Evaluation) -> Table:
    from edge.output import grid
    from train.evaluation.slices import ALL

    names = found.samples.spec.names
    table = grid("ahead [s]", *names, title="RMSE over the horizon, 95 % interval")
    steps = [each for each in found.breakdown.steps if each.slice == ALL]
    for ahead in dict.fromkeys(each.ahead_s for each in steps):
        table.add_row(f"{ahead:g}", *(_with_interval(each.rmse) for each in steps if each.ahead_s == ahead))
    return table


def _print_calibration(found: Evaluation) -> None:
    from train.evaluation.calibration import TOLD
    from train.evaluation.slices import ALL

    for each in found.breakdown.steps:
        if each.slice == ALL and each.step == 0 and each.calibration.n:
            inside = zip(TOLD, each.calibration.covered, strict=True)
            told = ", ".join(f"{100 * level:g} % holds {100 * (share.value or 0.0):.1f} %" for level, share in inside)
            click.echo(f"{each.control}, stated intervals: {told}; calibration error {_shown(each.calibration.error)}")


def _with_interval(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return f"{_shown(found.value)} (too few)" if found.too_few else _shown(found.value)
    return f"{_shown(found.value)} ({found.low:.3g} to {found.high:.3g})"


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
