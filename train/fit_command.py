"""`swerve train fit`: the command; `train.fit` does the work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from edge.options import FiniteRange
from train.console import bar, opening, print_left_out
from train.options import AS_JSON, STORE, THREADS

if TYPE_CHECKING:
    from train.checkpoint import SavedPolicy
    from train.fit import FitResult
    from train.frame_cache import FrameCache
    from train.loop import Progress
    from train.settings import Settings

INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C ended; the policy is saved all the same."""
SHARE = FiniteRange(0, 1)
WITH_RESUME = frozenset({"store", "resume_name", "json_", "tensorboard", "cache_gb"})
"""Options that may stand beside --resume: everything else is as it was."""


@click.command()
@STORE
@click.option("--version", "version_name", help="Dataset version; the current one unless told.")
@click.option(
    "--preset",
    default="small",
    show_default=True,
    type=click.Choice(["tiny", "small", "recurrent", "driver", "mobilenet", "resnet"]),
)
@click.option("--minutes", type=FiniteRange(0, min_open=True), help="Stop after this long. [default: 10]")
@click.option("--steps", type=click.IntRange(1), help="Stop after this many steps; alone it is reproducible.")
@click.option("--mix", default=0.5, show_default=True, type=SHARE, help="0: natural, 1: by curation's weights.")
@click.option(
    "--keys", default=0.0, show_default=True, type=SHARE, help="Share of draws from frames of action; 0: off."
)
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--batch", default=32, show_default=True, type=click.IntRange(1), help="Samples a step, of all processes."
)
@click.option("--rate", type=FiniteRange(0, min_open=True), help="Learning rate. [default: 0.002; with --from 0.0005]")
@click.option("--mirror", is_flag=True, help="Flip half of the samples left to right.")
@click.option(
    "--sideways", is_flag=True, help="Also learn from the road seen a little aside, where camera geometry is known."
)
@click.option("--no-motion", is_flag=True, help="One frame only: the policy cannot see how the car is turning.")
@click.option("--speed", is_flag=True, help="Tell the policy its speed, hidden from half of the samples.")
@click.option("--command", is_flag=True, help="Tell the policy the direction indicator.")
@click.option("--camera", "cameras", multiple=True, help="A further camera, by name. Repeatable.")
@click.option("--from", "origin", type=click.Path(path_type=Path), help="Policy to fine-tune: a name or a folder.")
@click.option("--fresh", default=0.5, show_default=True, type=SHARE, help="With --from: share of draws from new clips.")
@click.option("--precision", default="auto", show_default=True, type=click.Choice(["auto", "fp32", "bf16"]))
@click.option("--compile", "compile_", is_flag=True, help="Let torch.compile translate the policy first.")
@click.option("--tensorboard", type=click.Path(path_type=Path, file_okay=False), help="Write curves for TensorBoard.")
@click.option(
    "--cache-gb", default=50.0, show_default=True, type=FiniteRange(0), help="Most to keep of decoded frames, in GB."
)
@click.option("--name", help="Name of the policy. [default: VERSION-PRESET-SEED]")
@click.option("--resume", "resume_name", metavar="NAME", help="Go on with a training that was cut off, as it was.")
@THREADS
@AS_JSON
@click.pass_context
def fit(
    context: click.Context,
    store: Path,
    version_name: str | None,
    preset: str,
    minutes: float | None,
    steps: int | None,
    mix: float,
    keys: float,
    seed: int,
    batch: int,
    rate: float | None,
    mirror: bool,
    sideways: bool,
    no_motion: bool,
    speed: bool,
    command: bool,
    cameras: tuple[str, ...],
    origin: Path | None,
    fresh: float,
    precision: str,
    compile_: bool,
    tensorboard: Path | None,
    cache_gb: float,
    name: str | None,
    resume_name: str | None,
    threads: int,
    json_: bool,
) -> None:
    """Fit a policy to a dataset version; it goes to STORE/policies."""
    from train.augment import ASIDE, Augmentation
    from train.fit import resume
    from train.frame_cache import FrameCache
    from train.senses import Senses
    from train.settings import Settings

    cache = FrameCache.of(store, round(cache_gb * 1e9))
    if resume_name:
        _refuse_others(context)
        _show(lambda step, clips: resume(store, resume_name, step, clips, cache), resume_name, tensorboard, json_)
        return
    settings = Settings(
        preset=preset,
        motion=not no_motion,
        cameras=cameras,
        senses=Senses(speed=speed, command=command),
        steps=steps,
        minutes=10.0 if minutes is None and steps is None else minutes,
        mix=mix,
        keys=keys,
        fresh=fresh,
        seed=seed,
        batch=batch,
        rate=rate or (5e-4 if origin else 2e-3),
        threads=threads,
        precision=precision,
        compile=compile_,
        augmentation=replace(ASIDE if sideways else Augmentation(), mirror=mirror),
    )
    work = _fitting(store, version_name, settings, origin, name, cache)
    _show(work, preset, tensorboard, json_)


Work = Callable[["Callable[[Progress], None]", Callable[[int, int], None]], "FitResult"]


def _fitting(
    store: Path, version_name: str | None, settings: Settings, origin: Path | None, name: str | None, cache: FrameCache
) -> Work:
    from curate.dataset import open_version
    from train.checkpoint import find_policy, load_policy, policy_folder
    from train.fit import fit as run

    version = open_version(store, version_name)
    saved: SavedPolicy | None = load_policy(find_policy(store, origin)) if origin else None
    folder = policy_folder(store, name) if name else None
    return lambda step, clips: run(version, settings, step, folder, clips, saved, cache)


def _show(work: Work, what: str, tensorboard: Path | None, json_: bool) -> None:
    from edge.output import as_json
    from train.crew import quiet

    with ExitStack() as stack:
        move = stack.enter_context(bar(f"fit {what}", quiet()))
        log: Callable[[Progress], None] | None = None
        if tensorboard and not quiet():
            from train.board import board

            log = stack.enter_context(board(tensorboard))

        def on_step(now: Progress) -> None:
            move(now.share, f"{now.samples_per_s:.0f} samples/s, loss {now.loss:.3f}")
            if log:
                log(now)

        result = work(on_step, opening(move))
    if not quiet():
        as_json(result.to_json()) if json_ else _print(result)
    if result.stopped == "interrupted":
        raise SystemExit(INTERRUPTED)


def _refuse_others(context: click.Context) -> None:
    given = {
        name
        for name in context.params
        if name not in WITH_RESUME and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    if given:
        raise click.UsageError(f"--resume goes on as it was; leave out: {', '.join(sorted(given))}")


def _print(result: FitResult) -> None:
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
    print_left_out(result.dropped, result.skipped)
    for note in result.notes:
        click.echo(note)
    if result.points and result.points[-1].eval_rmse:
        shown = ", ".join(f"{name} {value:.3g}" for name, value in result.points[-1].eval_rmse.items())
        click.echo(f"eval RMSE on the curve's subset: {shown}; examine it with: swerve train eval")
