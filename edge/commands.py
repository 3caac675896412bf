"""`swerve edge ...`: scan recorded drives, cut clips, hand them over."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from edge.clip import find_clips
from edge.cut import Written
from edge.errors import EdgeError
from edge.inspect import Clock, Summary
from edge.jobs import ConvertJob, Found, ScanJob, inspect_job
from edge.night.budget import DEFAULT_BASELINE
from edge.options import FiniteRange
from edge.output import as_json, grid, say, show
from edge.over_drives import every, find
from edge.page.timeline import Room
from edge.page.write_page import write_page
from edge.recorders import RECORDERS
from edge.trial.campaigns import listened_to, today
from edge.upload.destination import Receipt, destination
from edge.upload.device_key import new_device_key, read_device_key
from edge.upload.push import push
from trigger.event import Event

FORMATS = ("native", "lerobot", "mcap", "rrd")

PATHS = click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
BASELINE = click.option(
    "--baseline",
    type=FiniteRange(0.0, 1.0),
    default=DEFAULT_BASELINE,
    show_default=True,
    help="Probability with which each second is drawn at random; 1 keeps whole drives.",
)
CAMPAIGNS = click.option(
    "--campaign",
    "campaigns",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Listen for this campaign, too; a folder stands for all that were published to it.",
)
JSON = click.option("--json", "json_", is_flag=True, help="Print JSON and nothing else.")


@click.group()
def edge() -> None:
    """On the car, or over a folder of recorded drives: find the moments, cut them, hand them over."""


@edge.command("scan")
@PATHS
@BASELINE
@CAMPAIGNS
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Also draw the drives as one HTML file.")
@JSON
def scan_command(
    paths: tuple[Path, ...], baseline: float, campaigns: tuple[Path, ...], html: Path | None, json_: bool
) -> None:
    """List the events in recorded drives: one line an event."""
    where = find(paths)
    room = Room.of(len(where)) if html else None
    job = ScanJob(baseline, room=room, campaigns=listened_to(campaigns, today()))
    found = list(every(job, where, quiet=json_))
    if html:
        write_page(html, [drive.timeline for drive in found if drive.timeline])
    if json_:
        as_json([_found_json(drive) for drive in found])
        return
    table = grid("drive", "kind", "t_s", "t_ns", "severity", "evidence", title="Events")
    for drive in found:
        for event in drive.events:
            table.add_row(drive.drive, *_cells(event, drive.t0_ns))
    console = Console()
    if table.row_count:
        show(table)
    else:
        console.print("No event.")
    for drive in found:
        _tell(console, drive)
    if html:
        size = f"{html.stat().st_size / 1e6:.1f} MB"
        console.print(f"Drawn in {escape(str(html))} ({size}), for any browser.", soft_wrap=True)


@edge.command("cut")
@PATHS
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the clips.")
@BASELINE
@CAMPAIGNS
@click.option("--no-position", is_flag=True, help="Leave latitude, longitude and heading out of the clips.")
@JSON
def cut_command(
    paths: tuple[Path, ...],
    out: Path,
    baseline: float,
    campaigns: tuple[Path, ...],
    no_position: bool,
    json_: bool,
) -> None:
    """Cut clips around the events of recorded drives."""
    job = ScanJob(baseline, out, not no_position, campaigns=listened_to(campaigns, today()))
    found = list(every(job, find(paths), quiet=json_))
    clips = [clip for drive in found for clip in drive.clips]
    if json_:
        as_json([_clip_json(clip) for clip in clips])
        return
    console = Console()
    for drive in found:
        _tell(console, drive)
        if not drive.clips:
            why = "no event and no baseline second" if drive.cameras else "no video"
            console.print(f"[yellow]{escape(drive.drive)}[/]: no clip ({why})")
    table = grid("clip", "seconds", "events", "KB", "", title=f"Clips in {out}")
    for clip in clips:
        size, seconds = f"{clip.bytes / 1000:.0f}", str(clip.stretch.end - clip.stretch.first)
        table.add_row(clip.folder.name, seconds, _kinds(clip), size, "" if clip.new else "was there")
    show(table)


@edge.command("push")
@PATHS
@click.option("--to", "where", required=True, help="The store: a folder, file:///path, or a service's https://host.")
@click.option("--consent", is_flag=True, help="I may share these recordings.")
@click.option("--device", help="The name a service knows this car by.")
@click.option("--key", type=click.Path(path_type=Path), help="This car's key, as written by swerve edge key.")
@JSON
def push_command(
    paths: tuple[Path, ...], where: str, consent: bool, device: str | None, key: Path | None, json_: bool
) -> None:
    """Hand clips over to a store; a clip counts as delivered when the store has checked it."""
    if (device is None) != (key is None):
        raise click.UsageError("--device and --key belong together.")
    to = destination(where, read_device_key(device, key) if device and key else None)
    folders = [folder for path in paths for folder in find_clips(path)]
    receipts: list[Receipt] = []
    failed: list[EdgeError] = []
    for folder in track(folders, "pushing", console=Console(stderr=True), disable=json_):
        try:
            receipts.append(push(folder, to, consent))
        except EdgeError as error:  # one bad clip must not keep the others here
            failed.append(error)
    for problem in failed[:-1]:
        say(problem)
    if json_:
        as_json([vars(receipt) for receipt in receipts])
        if failed:
            raise failed[-1]
        return
    new = [r for r in receipts if not r.known]
    sent = sum(r.bytes for r in new) / 1e6
    Console().print(f"{len(new)} clips handed over ({sent:.1f} MB), {len(receipts) - len(new)} were there already.")
    if failed:
        raise failed[-1]


@edge.command("key")
@click.option("--device", required=True, help="A name for this car: a-z, 0-9, _ and -.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File for the key.")
@JSON
def key_command(device: str, out: Path, json_: bool) -> None:
    """Make this car's key; its public half, which is printed, is what a service must know."""
    public = new_device_key(device, out).public
    if json_:
        as_json({"device": device, "public_key": public})
    else:
        Console().print(f"swerve curate devices add --store STORE {device} {public}", soft_wrap=True)


@edge.command("formats")
@JSON
def formats_command(json_: bool) -> None:
    """List the recordings that can be read, and what each can and cannot give."""
    if json_:
        as_json([{"name": r.NAME, "gives": r.GIVES, "lacks": r.LACKS} for r in RECORDERS])
        return
    table = Table("format", "gives", "lacks", box=SIMPLE_HEAD, pad_edge=False)
    for recorder in RECORDERS:
        table.add_row(recorder.NAME, recorder.GIVES, recorder.LACKS)
    Console().print(table)


@edge.command("inspect")
@PATHS
@JSON
def inspect_command(paths: tuple[Path, ...], json_: bool) -> None:
    """Show what is in a drive: cameras, signals, rates, gaps, engagement, losses."""
    summaries = list(every(inspect_job, find(paths), quiet=json_))
    if json_:
        as_json([summary.to_json() for summary in summaries])
        return
    for summary in summaries:
        _show_summary(summary)


@edge.command("convert")
@PATHS
@click.option(
    "--to", "format_", type=click.Choice(["native", "lerobot", "mcap", "rrd"]), default="native", show_default=True
)
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the drives.")
@JSON
def convert_command(paths: tuple[Path, ...], format_: str, out: Path, json_: bool) -> None:
    """Write drives in another format; what is compressed already is copied, not compressed again."""
    if format_ == "lerobot":  # one dataset of all drives
        from edge.convert import convert

        written = convert([where.open() for where in find(paths)], format_, out)
    else:
        written = list(every(ConvertJob(format_, out), find(paths), quiet=json_))
    if json_:
        as_json([str(path) for path in written])
    else:
        Console().print(*written, sep="\n", soft_wrap=True)


def _show_summary(summary: Summary) -> None:
    console = Console()
    console.print(
        f"[bold]{escape(summary.drive)}[/]  {escape(summary.recorder)}, {summary.seconds} s, consent: "
        f"{ {True: 'yes', False: 'no', None: 'not recorded'}[summary.consent] }",
        soft_wrap=True,
    )
    table = grid("", "unit", "from", "to", "samples", "Hz", "longest pause [s]", "gaps")
    for camera in summary.cameras:
        table.add_row(
            f"camera {camera.name}", camera.codec, "", f"{camera.width}x{camera.height}", *_clock(camera.clock)
        )
    for signal in summary.signals:
        table.add_row(signal.name, signal.unit, f"{signal.low:.4g}", f"{signal.high:.4g}", *_clock(signal.clock))
    show(table)
    engaged = ", ".join(f"{start:.1f} to {end:.1f} s" for start, end in summary.engaged_s)
    meaning = f" ({escape(summary.engagement)})" if summary.engagement else ""
    lines = [f"engaged: {engaged or 'never, or not recorded'}{meaning}"]
    lines += _losses(summary.lost, summary.notes)
    console.print(*lines, sep="\n", soft_wrap=True)


def _clock(clock: Clock) -> tuple[str, ...]:
    rate = "" if clock.rate_hz is None else f"{clock.rate_hz:g}"
    return str(clock.count), rate, f"{clock.longest_pause_s:g}", str(clock.gaps)


def _cells(event: Event, t0_ns: int) -> tuple[str, ...]:
    e = event.evidence
    return (
        event.kind,
        f"{(event.t_ns - t0_ns) / 1e9:.2f}",
        str(event.t_ns),
        f"{event.severity:.2f}",
        f"{e.signal} {e.value:.3g} (threshold {e.threshold:.3g})",
    )


def _tell(console: Console, found: Found) -> None:
    """What a reader should know of a drive beside its events: absent signals, losses, doubts; each once."""
    by_need: dict[str, list[str]] = {}
    for kind, needs in found.absent.items():
        by_need.setdefault(needs, []).append(kind)
    silent = sorted(needs for needs, kinds in by_need.items() if kinds == [needs])
    lines = [f"[dim]absent: {needs} (for {', '.join(k)})[/]" for needs, k in by_need.items() if needs not in silent]
    lines += [f"[dim]absent: {', '.join(silent)}[/]"] if silent else []
    lines += _losses(found.lost, found.notes)
    if lines:
        console.print(f"[bold]{escape(found.drive)}[/]", *lines, sep="\n  ", soft_wrap=True)


def _losses(lost: tuple[str, ...], notes: tuple[str, ...]) -> list[str]:
    return [f"[red]lost: {escape(line)}[/]" for line in lost] + [f"[yellow]note: {escape(line)}[/]" for line in notes]


def _kinds(clip: Written) -> str:
    counts = Counter(event.kind for event in clip.stretch.events)
    return ", ".join(kind if n == 1 else f"{n} {kind}" for kind, n in sorted(counts.items()))


def _found_json(found: Found) -> dict[str, Any]:
    return {
        "drive": found.drive,
        "source": found.source,
        "seconds": found.seconds,
        "baseline": found.baseline,
        "events": [{"t_s": round((e.t_ns - found.t0_ns) / 1e9, 3)} | e.to_json() for e in found.events],
        "absent": dict(found.absent),
        "lost": list(found.lost),
        "notes": list(found.notes),
    }


def _clip_json(clip: Written) -> dict[str, Any]:
    return {
        "folder": str(clip.folder),
        "seconds": clip.stretch.end - clip.stretch.first,
        "bytes": clip.bytes,
        "new": clip.new,
        "events": [event.to_json() for event in clip.stretch.events],
    }
