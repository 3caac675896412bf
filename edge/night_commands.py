"""`swerve edge run|status|ledger`: the agent, and what it has done."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import Counter
from functools import cache
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from edge.budget import BYTES_A_NIGHT, DEFAULT_BASELINE
from edge.driven import Standing
from edge.errors import EdgeError, SpoolError
from edge.hours import parse_hours
from edge.options import FiniteRange
from edge.output import as_json, grid, say, show
from edge.terms import RESERVE_BYTES, Terms

if TYPE_CHECKING:
    from edge.destination import Destination

SPOOL = click.option(
    "--spool", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the car's queue."
)
JSON = click.option("--json", "json_", is_flag=True, help="Print JSON and nothing else.")


class Stopped(BaseException):
    """SIGTERM or SIGINT: the present step is abandoned, as a crash would, and done again by the next start."""


@click.command("run")
@click.argument("watched", metavar="WATCH", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--to", "where", required=True, help="The store: a folder, file:///path, or https://host.")
@SPOOL
@click.option("--device", help="The name a service knows this car by.")
@click.option("--key", type=click.Path(path_type=Path), help="This car's key, as written by swerve edge key.")
@click.option("--once", is_flag=True, help="One round, then exit: for cron.")
@click.option("--consent", is_flag=True, help="Recordings that do not say so may be shared.")
@click.option("--hours", default="all", show_default=True, help="When to upload, local time, such as 22-6.")
@click.option(
    "--gb-a-night",
    type=FiniteRange(0.1, 1e6),
    default=BYTES_A_NIGHT / 1e9,
    show_default=True,
    help="Bytes on the wire.",
)
@click.option("--metered", is_flag=True, help="Upload over metered links, too.")
@click.option(
    "--baseline", type=FiniteRange(0.0, 1.0), default=DEFAULT_BASELINE, show_default=True, help="Highest rate."
)
@click.option("--no-position", is_flag=True, help="Leave latitude, longitude and heading out of the clips.")
@click.option("--reserve-gb", type=FiniteRange(0.0), default=RESERVE_BYTES / 1e9, show_default=True, help="Left free.")
@click.option("--poll", type=FiniteRange(1.0), default=60.0, show_default=True, help="Seconds between two rounds.")
def run_command(
    watched: Path,
    where: str,
    spool: Path,
    device: str | None,
    key: Path | None,
    once: bool,
    poll: float,
    **terms: Any,
) -> None:
    """The agent: take in what lies in WATCH, and upload at night what is worth it."""
    from edge.agent import Agent
    from edge.link import unmetered
    from edge.recovery import recover
    from edge.spool import open_spool, typed

    if (device is None) != (key is None):
        raise click.UsageError("--device and --key belong together.")
    _stop_cleanly()
    failed: list[EdgeError] = []

    def tell(problem: EdgeError) -> None:
        failed.append(problem)
        say(problem)

    @cache
    def to() -> Destination:
        from edge.destination import destination
        from edge.device_key import read_device_key

        return destination(where, read_device_key(device, key) if device and key else None)

    try:
        with open_spool(spool) as queue:
            recover(queue)
            agent = Agent(queue, watched, to, _terms(**terms), tell, lambda: unmetered(where))
            while True:
                failed.clear()
                try:
                    with typed(spool):
                        agent.round()
                except SpoolError as error:
                    tell(error)
                if once:
                    break
                time.sleep(poll)
    except Stopped:
        return
    if failed:
        raise SystemExit(EdgeError.exit_code)


@click.command("status")
@SPOOL
@JSON
def status_command(spool: Path, json_: bool) -> None:
    """What waits in the queue, and what this night may still send."""
    from edge.nights import last_night
    from edge.spool import read_spool

    with read_spool(spool) as queue:
        clips, drives, night = queue.clips(), queue.drives(), last_night(queue)
    groups: dict[tuple[str, str, str], list[int]] = {}
    for clip in clips:
        groups.setdefault((clip.lane, clip.state, clip.reason or ""), []).append(clip.bytes)
    standings = Counter(drive.standing for drive in drives)
    problems = [{"path": d.source.path, "why": d.why} for d in drives if d.standing is Standing.UNREADABLE]
    if json_:
        names = ("lane", "state", "reason", "clips", "bytes")
        rows = [dict(zip(names, (*key, len(sizes), sum(sizes)), strict=True)) for key, sizes in sorted(groups.items())]
        tonight = vars(night) if night else None
        as_json({"clips": rows, "recordings": standings, "unreadable": problems, "night": tonight})
        return
    table = grid("lane", "state", "", "clips", "MB", title=f"Clips in {spool}")
    for key, sizes in sorted(groups.items()):
        table.add_row(*key, str(len(sizes)), f"{sum(sizes) / 1e6:.1f}")
    show(table)
    click.echo("recordings: " + (", ".join(f"{n} {standing}" for standing, n in standings.items()) or "none"))
    for problem in problems:
        click.echo(f"unreadable: {problem['path']}: {problem['why']}")
    if night:
        spent = f"{night.baseline_spent / 1e6:.1f} MB baseline, {night.event_spent / 1e6:.1f} MB events"
        click.echo(f"night {night.number}: spent {spent}, allowance for the layers below included")


@click.command("ledger")
@SPOOL
@JSON
def ledger_command(spool: Path, json_: bool) -> None:
    """What became of every driven second."""
    from edge.ledger import Fate, accounts
    from edge.spool import read_spool

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


def _terms(
    consent: bool, hours: str, gb_a_night: float, metered: bool, baseline: float, no_position: bool, reserve_gb: float
) -> Terms:
    return Terms(
        consent=consent,
        position=not no_position,
        bytes_a_night=round(gb_a_night * 1e9),
        hours=parse_hours(hours),
        metered=metered,
        baseline=baseline,
        reserve=round(reserve_gb * 1e9),
    )


def _stop_cleanly() -> None:
    """End on SIGTERM and SIGINT, the child at work first: its half-made clips are swept by the next start."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        for child in multiprocessing.active_children():
            child.terminate()
        raise Stopped

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


NIGHT_COMMANDS = (run_command, status_command, ledger_command)
