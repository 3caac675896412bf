"""`swerve curate export`: a version for other trainers."""

from __future__ import annotations

from pathlib import Path

import click

from curate.versions_commands import JSON, STORE
from edge.output import as_json


@click.command("export")
@STORE
@click.option("--version", "name", help="A name, a tag, `current` (unless told) or `newest`.")
@click.option("--to", "form", required=True, type=click.Choice(["lerobot", "weights"]), help="Which form to write.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder to write.")
@click.option("--fps", default=10, show_default=True, type=click.IntRange(1, 240), help="Of a LeRobot dataset.")
@JSON
def export_command(store: Path, name: str | None, form: str, out: Path, fps: int, json_: bool) -> None:
    """Write a version as a LeRobot v3 dataset, or as a table of every frame's weight and the reasons for it."""
    from curate.dataset import open_version
    from curate.export.lerobot import export_version
    from curate.export.weights import export_weights

    version = open_version(store, name)
    skipped = export_weights(version, out) if form == "weights" else export_version(version, out, fps)
    if json_:
        as_json({"version": version.name, "out": str(out), "skipped": skipped})
        return
    click.echo(f"{version.name} is in {out}")
    for clip_id, why in skipped.items():
        click.echo(f"  left out {clip_id[:12]}: {why}", err=True)
