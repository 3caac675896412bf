"""`swerve train`: fit a policy, examine it, watch it.

Tables and progress go to stderr and stdout as a person expects; with `--json` stdout holds one JSON document and
nothing else. torch is imported inside the commands, so that `swerve train --help` answers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.options import FiniteRange

if TYPE_CHECKING:
    from rich.table import Table

    from train.evaluate import Evaluation
    from train.fit import FitResult

STORE = click.option(
    "--store", type=click.Path(path_type=Path), required=True, help="Folder of the store (clips and versions)."
)
AS_JSON = click.option("--json", "json_", is_flag=True, help="Print one JSON document on stdout, nothing else.")
THREADS = click.option("--threads", default=1, show_default=True, type=click.IntRange(1), help="Threads of torch.")
INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C ended; the policy is saved all the same."""


@click.group("train")
def train() -> None:
    """Video in, controls out: fit a policy, examine it, watch it."""


@train.command()
@STORE
@click.option("--version", "version_name", help="Dataset version; the newest unless told.")
@click.option("--preset", default="small", show_default=True, type=click.Choice(["tiny", "small"]))
@click.option("--minutes", type=FiniteRange(0, min_open=True), help="Stop after this long. [default: 10]")
@click.option("--steps", type=click.IntRange(1), help="Stop after this many steps; alone it is reproducible.")
@click.option(
    "--mix", default=0.5, show_default=True, type=FiniteRange(0, 1), help="0: natural, 1: by curation's weights."
)
@click.option("--seed", default=0, show_default=True)
@click.option("--rate", default=2e-3, show_default=True, type=FiniteRange(0, min_open=True), help="Learning rate.")
@click.option("--mirror", is_flag=True, help="Flip half of the samples left to right.")
@click.option("--no-motion", is_flag=True, help="One frame only: the policy cannot see how the car is turning.")
@click.option("--name", help="Name of the policy. [default: VERSION-PRESET-SEED]")
@THREADS
@AS_JSON
def fit(
    store: Path,
    version_name: str | None,
    preset: str,
    minutes: float | None,
    steps: int | None,
    mix: float,
    seed: int,
    rate: float,
    mirror: bool,
    no_motion: bool,
    name: str | None,
    threads: int,
    json_: bool,
) -> None:
    """Fit a policy to a dataset version; it goes to STORE/policies."""
    from curate.dataset import open_version
    from edge.output import as_json
    from train.augment import Augmentation
    from train.checkpoint import policy_folder
    from train.fit import fit as run
    from train.settings import Settings

    version = open_version(store, version_name)
    settings = Settings(
        preset=preset,
        motion=not no_motion,
        steps=steps,
        minutes=10.0 if minutes is None and steps is None else minutes,
        mix=mix,
        seed=seed,
        rate=rate,
        threads=threads,
        augmentation=Augmentation(mirror=mirror),
    )
    folder = policy_folder(store, name) if name else None
    with _bar(f"fit {preset}") as move:
        result = run(
            version,
            settings,
            lambda p: move(p.share, f"{p.samples_per_s:.0f} samples/s, loss {p.loss:.3f}"),
            folder,
            _opening(move),
        )
    as_json(result.to_json()) if json_ else _print_fit(result)
    if result.stopped == "interrupted":
        raise SystemExit(INTERRUPTED)


@train.command("eval")
@STORE
@click.option("--policy", type=click.Path(path_type=Path), help="Policy folder; the newest of the store unless told.")
@click.option("--version", "version_name", help="Dataset version; the newest unless told.")
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
    from train.checkpoint import load_policy, newest_policy
    from train.evaluate import evaluate as run
    from train.reference import read_reference

    torch.set_num_threads(threads)
    version = open_version(store, version_name)
    saved = load_policy(_given(policy, store) if policy else newest_policy(store))
    others = [read_reference(path) for path in references]
    with _bar("eval") as move:
        found = run(version, saved, others, ablate, _counted(move, "samples"), _opening(move))
    if report:
        _write_report(report, found)
    as_json(found.to_json()) if json_ else _print_evaluation(found)


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
    with _bar("watch") as move:
        result = run(opened, saved, out, start_s=start, seconds=seconds, advance=_counted(move, "frames"))
    if json_:
        as_json({"path": str(out), "frames": result.frames, "predicted": result.predicted})
    else:
        click.echo(f"{out}: {result.frames} frames, {result.predicted} with a prediction")


def _given(policy: Path, store: Path) -> Path:
    """A path, or the name of a policy of the store."""
    named = store / "policies" / policy
    return named if not policy.exists() and named.is_dir() else policy


def _write_report(path: Path, found: Evaluation) -> None:
    from train.report import write_report
    from train.samples import open_clips

    clips, _ = open_clips(found.version, found.saved.config.view)
    write_report(path, found, clips)
    click.echo(f"report: {path}", err=True)


@contextmanager
def _bar(what: str) -> Iterator[Callable[[float, str], None]]:
    """Progress on stderr: share done, a note, time gone and time left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=1.0, note="")
        yield lambda share, note: progress.update(task, completed=share, note=note)


def _opening(move: Callable[[float, str], None]) -> Callable[[int, int], None]:
    return lambda done, total: move(0.0, f"opening clip {done + 1} of {total}")


def _counted(move: Callable[[float, str], None], noun: str) -> Callable[[int, int], None]:
    from time import monotonic

    start = monotonic()

    def advance(done: int, total: int) -> None:
        move(done / total, f"{done / max(monotonic() - start, 1e-6):.0f} {noun}/s")

    return advance


def _print_fit(result: FitResult) -> None:
    from edge.output import grid, show

    click.echo(
        f"{result.folder}\n{result.steps} steps in {result.seconds:.0f} s ({result.samples_per_s:.0f} samples/s), "
        f"ended by {result.stopped}\n{result.train_samples} train samples, drawn as unevenly as "
        f"{result.effective_samples:.0f} equal ones"
    )
    table = grid("share of samples", "natural", "in the data", "requested", "realised")
    for kind, share in result.mix.items():
        table.add_row(kind, *(f"{share[key]:.1%}" for key in ("natural", "data", "requested", "realised")))
    show(table)
    _print_left_out(result.dropped, result.skipped)
    if result.points and result.points[-1].eval_rmse:
        shown = ", ".join(f"{name} {value:.3g}" for name, value in result.points[-1].eval_rmse.items())
        click.echo(f"eval RMSE on the curve's subset: {shown}; examine it with: swerve train eval")


def _print_evaluation(found: Evaluation) -> None:
    from edge.output import show

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
    rare = found.rarity
    click.echo(
        f"rare: {rare.rare_seconds} of {rare.seconds} s ({rare.by_event} by an event, {rare.by_rarity} by a rarity "
        f"factor above {rare.rarity_above:.3g}); natural: weighted by 1 / inclusion probability"
    )
    _print_left_out(found.samples.dropped, found.samples.skipped)


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


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _print_left_out(dropped: Mapping[str, int], skipped: Mapping[str, str]) -> None:
    for why, count in dropped.items():
        if count:
            click.echo(f"{count} frames are no samples: {why}")
    for clip, why in skipped.items():
        click.echo(f"clip {clip[:12]} left out: {why}")
