"""`swerve curate report`: a night as a page."""

from __future__ import annotations

from pathlib import Path

import click

from curate.versions_commands import STORE


@click.command("report")
@STORE
@click.option("--version", "name", help="A name, a tag, `current` (unless told) or `newest`.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="HTML file to write.")
@click.option(
    "--examples",
    default=100,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="Examples of each kind to wait for.",
)
def report_command(store: Path, name: str | None, out: Path, examples: int) -> None:
    """Write one self-contained page about a version: what came, what is rare, what changed, what to wait for."""
    from curate.report.night import night_report
    from curate.report.write import write_report

    write_report(out, night_report(store, name, examples))
    click.echo(f"wrote {out}")
