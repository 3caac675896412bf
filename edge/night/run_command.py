"""`swerve edge run`: the agent, round after round, until it is told to stop."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from edge.errors import CampaignFileError, EdgeError, SpoolError
from edge.night.budget import BYTES_A_NIGHT, DEFAULT_BASELINE
from edge.night.hours import parse_hours
from edge.night.link import unmetered
from edge.night.terms import RESERVE_BYTES, Terms
from edge.options import FiniteRange
from edge.output import say

if TYPE_CHECKING:
    from edge.night.agent import Agent
    from edge.upload.destination import Destination
    from trigger.campaign import Campaign


class Stopped(BaseException):
    """SIGTERM or SIGINT: the present step is abandoned, as a crash would, and done again by the next start."""


@click.command("run")
@click.argument("watched", metavar="WATCH", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--to", "where", required=True, help="The store: a folder, file:///path, or https://host.")
@click.option("--spool", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the queue.")
@click.option("--device", help="The name a service knows this car by.")
@click.option("--key", type=click.Path(path_type=Path), help="This car's key, as written by swerve edge key.")
@click.option("--once", is_flag=True, help="One round, then exit: for cron.")
@click.option("--consent", is_flag=True, help="Recordings that do not say so may be shared.")
@click.option(
    "--campaign",
    "campaigns",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Listen for this campaign, too; a folder stands for all that were published to it.",
)
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
    campaigns: tuple[Path, ...],
    poll: float,
    **terms: Any,
) -> None:
    """The agent: take in what lies in WATCH, and upload at night what is worth it."""
    from edge.night.agent import Agent
    from edge.night.recovery import recover
    from edge.night.spool import open_spool

    if (device is None) != (key is None):
        raise click.UsageError("--device and --key belong together.")
    failed: list[EdgeError] = []

    def tell(problem: EdgeError) -> None:
        failed.append(problem)
        say(problem)

    _stop_cleanly()
    try:
        with open_spool(spool) as queue:
            recover(queue)
            agent = Agent(
                queue,
                watched,
                _opener(where, device, key),
                _terms(**terms),
                tell,
                _free_of_charge(where),
                campaigns=_listener(campaigns),
                note=partial(click.echo, err=True),
            )
            _round(agent)
            while not once:
                failed.clear()
                time.sleep(poll)
                _round(agent)
    except Stopped:
        return
    if failed:
        raise SystemExit(EdgeError.exit_code)


def _round(agent: Agent) -> None:
    """One round; what the car's own disk refuses is told, and tried again by the next."""
    from edge.night.spool import typed

    try:
        with typed(agent.spool.root):
            agent.round()
    except SpoolError as error:
        agent.tell(error)


def _opener(where: str, device: str | None, key: Path | None) -> Callable[[], Destination]:
    @cache
    def to() -> Destination:
        from edge.upload.destination import destination
        from edge.upload.device_key import read_device_key

        return destination(where, read_device_key(device, key) if device and key else None)

    return to


def _listener(paths: tuple[Path, ...]) -> Callable[[], tuple[Campaign, ...]]:
    """The campaigns as they are now; it raises CampaignFileError for one that cannot be followed."""

    def listen() -> tuple[Campaign, ...]:
        if not paths:
            return ()
        from edge.trial.campaigns import listened_to, today

        found = listened_to(paths, today())
        for campaign in found:
            if campaign.probability < 1.0:
                got = f"campaign {campaign.name} keeps a share of its events"
                raise CampaignFileError(got, "all of them: the night draws by itself", "leave out its probability")
        return found

    return listen


def _free_of_charge(where: str) -> Callable[[], bool]:
    """Whether bytes cost nothing now; said once where they may."""

    @cache
    def say_that_uploads_wait() -> None:
        click.echo("uploads wait: the link is metered, or nobody knows (--metered allows them)", err=True)

    def free() -> bool:
        if unmetered(where):
            return True
        say_that_uploads_wait()
        return False

    return free


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
