"""Options that several commands of `swerve train` share."""

from __future__ import annotations

from pathlib import Path

import click

STORE = click.option(
    "--store", type=click.Path(path_type=Path), required=True, help="Folder of the store (clips and versions)."
)
AS_JSON = click.option("--json", "json_", is_flag=True, help="Print one JSON document on stdout, nothing else.")
THREADS = click.option("--threads", default=1, show_default=True, type=click.IntRange(1), help="Threads of torch.")
