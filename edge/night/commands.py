"""`swerve edge status|ledger`: what waits in the car's queue, its campaigns, and what became of every driven second."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.night.driven import Standing
from edge.night.run_command import run_command
from edge.output import as_json, grid, show

if TYPE_CHECKING:
    from edge.night.quota import Quota

SPOOL = click.option(
    "--spool", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the car's queue."
)
JSON = click.option("--json", "json_", is_flag=True, help="Print JSON and nothing else.")


@click.command("status")
@SPOOL
@JSON
def status_command(spool: Path, json_: bool) -> None:
    """What waits in the queue, what this night may still send, and which campaigns are listened to."""
    from edge.night.nights import last_night
    from edge.night.quota import quotas
    from edge.night.spool import read_spool

    with read_spool(spool) as queue:
        clips, drives, night, campaigns = queue.clips(), queue.drives(), last_night(queue), quotas(queue)
    groups: dict[tuple[str, str, str], list[int]] = {}
    for clip in clips:
        groups.setdefault((clip.lane, clip.state, clip.reason or ""), []).append(clip.bytes)
    standings = Counter(drive.standing for drive in drives)
    problems = [{"path": d.source.path, "why": d.why} for d in drives if d.standing is Standing.UNREADABLE]
    if json_:
        names = ("lane", "state", "reason", "clips", "bytes")
        rows = [dict(zip(names, (*key, len(sizes), sum(sizes)), strict=True)) for key, sizes in sorted(groups.items())]
        tonight = vars(night) if night else None
        told = {"clips": rows, "recordings": standings, "unreadable": problems, "night": tonight}
        as_json(told | {"campaigns": [quota.to_json() for quota in campaigns]})
        return
    table = grid("lane", "state", "", "clips", "MB", title=f"Clips in {spool}")
    for key, sizes in sorted(groups.items()):
        table.add_row(*key, str(len(sizes)), f"{sum(sizes) / 1e6:.1f}")
    show(table)
    if campaigns:
        _show_campaigns(campaigns)
    click.echo("recordings: " + (", ".join(f"{n} {standing}" for standing, n in standings.items()) or "none"))
    for problem in problems:
        click.echo(f"unreadable: {problem['path']}: {problem['why']}")
    if night:
        spent = f"{night.baseline_spent / 1e6:.1f} MB baseline, {night.event_spent / 1e6:.1f} MB events"
        click.echo(f"night {night.number}: spent {spent}, allowance for the layers below included")


def _show_campaigns(campaigns: list[Quota]) -> None:
    table = grid("campaign", "MB used", "of", "until", "", title="Campaigns")
    for quota in campaigns:
        limit = "no quota" if quota.quota_bytes is None else f"{quota.quota_bytes / 1e6:.1f}"
        table.add_row(quota.name, f"{quota.used_bytes / 1e6:.1f}", limit, quota.ends or "", quota.hearing)
    show(table)


@click.command("ledger")
@SPOOL
@JSON
def ledger_command(spool: Path, json_: bool) -> None:
    """What became of every driven second."""
    from edge.night.ledger import Fate, accounts
    from edge.night.spool import read_spool

    with read_spool(spool) as queue:
        drives, clips = queue.drives(), queue.clips()
    told = accounts(drives, clips)
    if json_:
        as_json([account.to_json() for account in told])
        return
    fates = [fate for fate in Fate if any(account.total(fate) for account in told)]
    table = grid("drive", "seconds", *fates, title="Seconds by fate")
    for account in told:
        table.add_row(account.drive, str(account.seconds), *(str(account.total(fate)) for fate in fates))
    if len(told) > 1:
        sums = (str(sum(account.total(fate) for account in told)) for fate in fates)
        table.add_row("all", str(sum(account.seconds for account in told)), *sums)
    show(table)
    untold = Counter(d.standing for d in drives if d.driven is None)
    if untold:
        click.echo("not in it: " + ", ".join(f"{n} recordings {standing}" for standing, n in untold.items()))


NIGHT_COMMANDS = (run_command, status_command, ledger_command)
