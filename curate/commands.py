"""`swerve curate ...`: the service, the nightly job, and a look at what it published.

Arrow is imported by the commands that read tables alone: the service runs for months and does without.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from curate.service.commands import devices_group, serve_command
from curate.store import open_store
from edge.output import as_json, grid, show

if TYPE_CHECKING:
    from curate.dataset import DatasetVersion
    from curate.nightly import Night

STORE = click.option("--store", required=True, type=click.Path(path_type=Path), help="Folder that clips are pushed to.")
JSON = click.option("--json", "json_", is_flag=True, help="Print JSON and nothing else.")


@click.group()
def curate() -> None:
    """Take clips in, check, weigh, split and publish immutable dataset versions."""


curate.add_command(serve_command)
curate.add_command(devices_group)


@curate.command("nightly")
@STORE
@click.option(
    "--split",
    default="block:0.2",
    show_default=True,
    help="time:F trains on the earlier share F of every drive; block:S draws 60 s blocks for the exam.",
)
@JSON
def nightly_command(store: Path, split: str, json_: bool) -> None:
    """Admit what has arrived and publish a dataset version; run again, it gives the same digest."""
    from curate.nightly import nightly

    console = Console(stderr=True)
    with console.status("starting") as status:
        night = nightly(open_store(store), split, step=status.update)
    if json_:
        as_json(_night_json(night))
        return
    out = Console()
    refused = [a for a in night.admissions if a.reason]
    out.print(f"{len(night.admissions) - len(refused)} clips admitted, {len(refused)} quarantined")
    for admission in refused:
        out.print(f"  [red]{admission.clip_id[:12]}[/]: {escape(admission.reason)}", soft_wrap=True)
    for line in _doubts(night):
        out.print(f"  [yellow]{line}[/]", soft_wrap=True)
    for clip_id, reason in night.unreadable.items():
        out.print(f"  [red]{clip_id[:12]} was admitted and is damaged now[/]: {escape(reason)}", soft_wrap=True)
    show(_version_table(night.version))


@curate.command("versions")
@STORE
@JSON
def versions_command(store: Path, json_: bool) -> None:
    """List the published versions, oldest first."""
    from curate.dataset import open_version, version_names

    versions = [open_version(store, name) for name in version_names(open_store(store).root)]
    if json_:
        as_json([{"name": version.name, **version.head} for version in versions])
        return
    table = grid("version", "clips", "seconds", "split", "digest")
    for version in versions:
        counts = version.head["counts"]
        table.add_row(
            version.name,
            str(counts.get("clips", "?")),
            str(counts.get("seconds", "?")),
            str(version.head["recipe"].get("split", "?")),
            version.digest[:16],
        )
    show(table)


def _doubts(night: Night) -> list[str]:
    """What does not keep a clip out, but moves weights."""
    counts = night.version.head["counts"]
    lines = []
    if counts["claims_refuted"]:
        lines.append(f"{counts['claims_refuted']} claimed events are not in their telemetry: they gain no weight")
    if unchecked := counts.get("claims_not_checked", 0):  # a version of before does not count them
        lines.append(f"{unchecked} claimed events name a trigger or campaign unknown here: not checked, no weight")
    if counts["devices_held_to_share"]:
        share = 100 * counts["largest_device_share"]
        lines.append(f"{counts['devices_held_to_share']} of {counts['devices']} devices are held to {share:.1f} % each")
    return lines


def _version_table(version: DatasetVersion) -> Table:
    counts: dict[str, Any] = version.head["counts"]
    table = grid("", "", title=f"Dataset version {version.name}")
    table.add_row("digest", version.digest)
    table.add_row("clips, drives, seconds", f"{counts['clips']}, {counts['drives']}, {counts['seconds']}")
    table.add_row("split", ", ".join(f"{part} {n} s" for part, n in counts["split"].items()))
    table.add_row("seconds of each event", ", ".join(f"{k} {n}" for k, n in counts["event_seconds"].items()) or "none")
    table.add_row(
        "effective sample size", f"{counts['effective_train_seconds']} of {counts['split'].get('train', 0)} s"
    )
    table.add_row("largest share of one second", f"{100 * counts['largest_train_share']:.2f} %")
    return table


def _night_json(night: Night) -> dict[str, Any]:
    return {
        "version": night.version.name,
        **night.version.head,
        "admitted": [a.clip_id for a in night.admissions if not a.reason],
        "unreadable": night.unreadable,
        "quarantined": {a.clip_id: {"code": a.code, "reason": a.reason} for a in night.admissions if a.reason},
    }
