"""`swerve train export`: the command; `train.export` does the work."""

from __future__ import annotations

from pathlib import Path

import click

from train.options import AS_JSON


@click.command()
@click.option("--store", type=click.Path(path_type=Path), help="Store in which --policy is a name.")
@click.option("--policy", type=click.Path(path_type=Path), help="Policy: a folder, or a name in the store.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The ONNX file to write.")
@AS_JSON
def export(store: Path | None, policy: Path | None, out: Path, json_: bool) -> None:
    """Write a policy as ONNX for the car, checked against torch, and measure a step of it."""
    from edge.output import as_json
    from train.checkpoint import find_policy, load_policy
    from train.export import export as run

    if store is None and policy is None:
        raise click.UsageError("name a --policy, or a --store whose newest policy is meant")
    result = run(load_policy(policy if policy and store is None else find_policy(store or Path(), policy)), out)
    if json_:
        as_json(result.to_json())
        return
    click.echo(
        f"{out}: {result.size_bytes / 1e6:.2f} MB, differs from torch by at most {result.difference:.1e} of the "
        f"labels' spread\none step on one thread: {result.median_ms:.2f} ms (95 % below {result.p95_ms:.2f} ms), "
        f"{result.memory_mib:.0f} MiB for the whole process"
    )
