"""`swerve curate readmit`: the way back out of quarantine."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from curate.quarantine import readmit
from curate.store import open_store
from edge.output import as_json


@click.command("readmit")
@click.argument("clip_id")
@click.option("--store", required=True, type=click.Path(path_type=Path), help="Folder that clips are pushed to.")
@click.option("--why", required=True, help="Why the clip is right after all; kept with it.")
@click.option("--json", "json_", is_flag=True, help="Print JSON and nothing else.")
def readmit_command(clip_id: str, store: Path, why: str, json_: bool) -> None:
    """Let a quarantined clip pass: on the next night it is checked again, and its defect no longer keeps it out."""
    found, readmission = readmit(open_store(store), clip_id, why)
    if json_:
        as_json({"clip_id": found, **readmission.to_json()})
        return
    passed = ", ".join(readmission.codes)
    Console().print(f"{found[:12]} is back in the inbox; {passed} will be noted", markup=False, soft_wrap=True)
