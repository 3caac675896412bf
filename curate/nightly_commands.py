"""`swerve curate nightly`: the night, by hand, by cron or by a timer; over a folder, or over a bucket.

Exit codes: 0 a version was published, or nothing has changed since the last one; 1 the disk or the network failed;
2 what was asked for, or what lies in the store, cannot be worked with; 75 another run is at work, try again later
(EX_TEMPFAIL of sysexits.h, which timers and mailers know). Clips that were refused are told, and are no failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape

from curate.errors import StoreError
from curate.store import Store, open_store
from curate.usual import ENCODER, RECIPE, RECIPES, SPLIT
from curate.versions_commands import JSON, difference_tables, version_table
from edge.output import as_json, show

if TYPE_CHECKING:
    from curate.nightly import Night
    from curate.version.compare import Difference

ASKED_AGAIN_S = 10.0
"""How often a run that waits asks whether a bucket is free."""


@click.command("nightly")
@click.option("--store", "where", required=True, help="Folder that clips are pushed to, or s3://bucket/prefix.")
@click.option(
    "--work", type=click.Path(path_type=Path), help="Folder for the copy of a bucket; keep it between nights."
)
@click.option(
    "--split",
    default=SPLIT,
    show_default=True,
    help="time:F trains on the earlier share F of every drive; block:S and place:S draw 60 s blocks or 1 km cells.",
)
@click.option(
    "--recipe",
    default=RECIPE,
    show_default=True,
    type=click.Choice(RECIPES),
    help="How seconds are weighed.",
)
@click.option(
    "--encoder", default=ENCODER, show_default=True, help="What sees the pictures: lite0, plain, or onnx:PATH."
)
@click.option("--since", type=click.DateTime(), help="Only clips that were recorded at or after this time, in UTC.")
@click.option("--dry-run", is_flag=True, help="Tell what the night would do, and change nothing.")
@click.option("--wait", is_flag=True, help="Wait for another run to end, instead of ending with exit code 75.")
@JSON
def nightly_command(
    where: str, work: Path | None, since: datetime | None, dry_run: bool, wait: bool, json_: bool, **how: str
) -> None:
    """Admit what has arrived and publish a dataset version; run again, it gives the same digest."""
    since_ns = None if since is None else int(since.replace(tzinfo=UTC).timestamp()) * 1_000_000_000
    with _opened(where, work, wait, dry_run) as store:
        _run(store, since_ns, dry_run, json_, how)


@contextmanager
def _opened(where: str, work: Path | None, wait: bool, dry_run: bool) -> Iterator[Store]:
    """The store, or for a dry run its shadow."""
    from curate.rehearsal import shadow

    if "://" not in where:
        store = open_store(Path(where), wait)
        with shadow(store) if dry_run else _as_it_is(store) as opened:
            yield opened
        return
    from curate.bucket import bucket_store

    if work is None or not where.startswith("s3://"):
        raise StoreError(
            f"the store {where}", "a folder, or s3://bucket/prefix with --work FOLDER", "name one of these"
        )
    bucket = bucket_store(where, work, _pause if wait else None, bring_back=not dry_run)
    with bucket as store, shadow(store) if dry_run else _as_it_is(store) as opened:
        yield opened


@contextmanager
def _as_it_is(store: Store) -> Iterator[Store]:
    yield store


def _pause() -> bool:
    Event().wait(ASKED_AGAIN_S)
    return True


def _run(store: Store, since_ns: int | None, dry_run: bool, json_: bool, how: Mapping[str, str]) -> None:
    from curate.nightly import nightly
    from curate.version.names import version_names

    there = version_names(store.root)
    with Console(stderr=True).status("starting") as status:
        night = nightly(store, step=status.update, since_ns=since_ns, **how)
        status.update("report")
        if not dry_run:
            _report(night)
    difference = _difference(night, there) if dry_run else None
    if json_:
        told = {"dry_run": dry_run, "difference": difference.to_json() if difference else None}
        as_json(night_json(night) | told)
    else:
        if dry_run:
            click.echo("a dry run: nothing of this has happened")
        _print(night)
        for table in difference_tables(difference) if difference else ():
            show(table)


def _report(night: Night) -> None:
    """The page of the night, beside the versions; not part of one."""
    from curate.report.night import night_report
    from curate.report.write import write_report

    version = night.version
    write_report(version.store / "reports" / f"{version.name}.html", night_report(version.store, version.name))


def _difference(night: Night, there: Sequence[str]) -> Difference | None:
    """To the version that is current now, or to itself where it is one of those that are there already; None where
    there is none, or it is damaged."""
    from curate.dataset import open_version
    from curate.errors import DatasetError
    from curate.version.compare import compare

    name = night.version.name
    parent = name if name in there else night.version.head["parent"]
    try:
        return compare(open_version(night.version.store, parent), night.version) if parent else None
    except DatasetError:
        return None


def _print(night: Night) -> None:
    out = Console()
    refused = [a for a in night.admissions if a.reason]
    out.print(f"{len(night.admissions) - len(refused)} clips admitted, {len(refused)} quarantined")
    for admission in refused:
        out.print(f"  [red]{admission.clip_id[:12]}[/]: {escape(admission.reason)}", soft_wrap=True)
    for line in _doubts(night):
        out.print(f"  [yellow]{line}[/]", soft_wrap=True)
    for clip_id, reason in night.unreadable.items():
        out.print(f"  [red]{clip_id[:12]} was admitted and is damaged now[/]: {escape(reason)}", soft_wrap=True)
    for clip_id, reason in night.unseen.items():
        out.print(f"  [yellow]nothing was made of {clip_id[:12]}, it is excluded[/]: {escape(reason)}", soft_wrap=True)
    show(version_table(night.version))


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


def night_json(night: Night) -> dict[str, Any]:
    """What a run did; the inputs of the version are in its head."""
    return {
        "version": night.version.name,
        **{key: value for key, value in night.version.head.items() if key != "inputs"},
        "admitted": [a.clip_id for a in night.admissions if not a.reason],
        "unreadable": night.unreadable,
        "unseen": dict(night.unseen),
        "quarantined": {a.clip_id: {"code": a.code, "reason": a.reason} for a in night.admissions if a.reason},
    }
