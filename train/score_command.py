"""`swerve train score`: the command; `train.score` does the work."""

from __future__ import annotations

from pathlib import Path

import click

from train.console import bar, counted, opening
from train.options import AS_JSON, STORE, THREADS


@click.command()
@STORE
@click.option("--policy", type=click.Path(path_type=Path), help="Policy folder; the newest of the store unless told.")
@click.option("--version", "version_name", help="Dataset version; the current one unless told.")
@THREADS
@AS_JSON
def score(store: Path, policy: Path | None, version_name: str | None, threads: int, json_: bool) -> None:
    """Write how far a policy is off in every second: STORE/scores/POLICY.parquet, which the nightly job reads."""
    import torch

    from curate.dataset import open_version
    from edge.output import as_json
    from train.checkpoint import find_policy, load_policy
    from train.score import score as run
    from train.score import scores_path, write_scores

    torch.set_num_threads(threads)
    version = open_version(store, version_name)
    saved = load_policy(find_policy(store, policy))
    with bar("score", quiet=json_) as move:
        found = run(version, saved, counted(move, "samples"), opening(move))
    path = scores_path(store, saved.name)
    write_scores(path, found)
    seen, unseen = found.mean_error(True), found.mean_error(False)
    if json_:
        facts = {"path": str(path), "policy": saved.name, "version": version.name, "seconds": found.table.num_rows}
        as_json(
            facts | {"unscored": found.unscored, "skipped": found.skipped, "error_seen": seen, "error_unseen": unseen}
        )
        return
    click.echo(f"{path}: {found.table.num_rows} s scored, {found.unscored} s without a sample")
    told = [
        f"{mean:.3g} on seconds {how}"
        for mean, how in ((seen, "trained on"), (unseen, "never seen"))
        if mean is not None
    ]
    click.echo(f"mean standardised squared error: {', '.join(told) or 'what it was trained on is not known'}")
    for clip, why in found.skipped.items():
        click.echo(f"clip {clip[:12]} left out: {why}")
