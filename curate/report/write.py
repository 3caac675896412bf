"""A night as one HTML file, which opens from disk.

Everything is inside the file, it has no script, and a content security policy keeps it from asking any network for
anything. Names in it come from anywhere: all text is escaped, here and nowhere else.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from math import isfinite
from pathlib import Path
from string import Template

import numpy as np

from curate.dataset import FACTORS, DatasetVersion
from curate.journal import Entry
from curate.report.night import NightReport
from curate.report.svg import Floats, coverage, histogram
from curate.version.outline import RareClip
from edge.durable import write_bytes

PAGE = Path(__file__).parent
NIGHTS = 14
"""Nights that are listed one by one."""
REFUSED = 50
"""Clips of a night whose reasons are told one by one."""


def write_report(path: Path, report: NightReport) -> None:
    """Write the page; `path` is the whole of it or what it was before."""
    write_bytes(path, render(report).encode())


def render(report: NightReport) -> str:
    """The page as text."""
    page, style = ((PAGE / name).read_text(encoding="utf-8") for name in ("page.html", "page.css"))
    parts = (_came, _refused, _changed, _rare, _rates, _waits, _unseen, _weights, _map)
    sections = "\n".join(f"<section>{text}</section>" for part in parts if (text := "".join(part(report))))
    version = report.version
    after = f"after {escape(report.before.name)}, " if report.before else ""
    about = f"{after}{len(version.inputs)} clips, {version.rows.num_rows} seconds, digest {escape(version.digest)}"
    return Template(page).substitute(name=escape(version.name), style=style, about=about, sections=sections)


def _came(report: NightReport) -> Iterator[str]:
    yield "<h2>What came in</h2>"
    if not report.nights:
        yield "<p>The journal of this store tells of no night.</p>"
        return
    last = next(iter(report.nights.values()))
    devices = sorted({entry.device for entry in last})
    yield _table(
        ["from", "admitted", "refused"],
        [[device or "handed over by hand", *_fates(last, device)] for device in devices],
    )
    yield "<h2>Nights</h2>"
    rows = [[_day(time_s), *_fates(entries)] for time_s, entries in list(report.nights.items())[:NIGHTS]]
    yield _table(["night", "admitted", "refused"], rows)


def _fates(entries: Sequence[Entry], device: str | None = None) -> list[int]:
    """How many were admitted, how many refused."""
    refused = [entry.place == "quarantine" for entry in entries if device in (None, entry.device)]
    return [len(refused) - sum(refused), sum(refused)]


def _refused(report: NightReport) -> Iterator[str]:
    last = next(iter(report.nights.values()), ())
    refused = [entry for entry in last if entry.place == "quarantine"]
    if refused:
        yield "<h2>What was refused, and why</h2>"
        rows = [[e.clip_id[:12], e.device or "by hand", e.code, e.got] for e in refused[:REFUSED]]
        yield _table(["clip", "from", "reason", "what was found"], rows)
        if len(refused) > REFUSED:
            yield f'<p class="note">and {len(refused) - REFUSED} more</p>'


def _changed(report: NightReport) -> Iterator[str]:
    yield "<h2>Kinds of events</h2>"
    heads = ["kind", "seconds", "of all seconds", "of the training weight"]
    rows: list[list[object]] = [[d.kind, d.seconds, _percent(d.share), _percent(d.weight_share)] for d in report.drift]
    if report.before:
        heads += ["before, of all seconds", "of the weight"]
        rows = [[*row, *map(_percent, d.before or ())] for row, d in zip(rows, report.drift, strict=True)]
    yield _table(heads, rows) if rows else "<p>Nothing happened in any of the seconds.</p>"
    found = report.difference
    if found:
        yield f"<h2>Since {escape(found.before)}</h2>"
        yield f"<p>{len(found.clips_added)} clips and {found.seconds_added} seconds came, {len(found.clips_removed)} "
        yield f"and {found.seconds_removed} went; {found.weights_same} weights are the same.</p>"
        moved = [[name, m.up, m.down, f"{m.median_ratio:.3f}"] for name, m in found.weights_moved.items()]
        if moved:
            yield _table(["weights moved by", "up", "down", "median new / old"], moved)


def _rare(report: NightReport) -> Iterator[str]:
    if report.rarest:
        yield "<h2>Rarest clips of the training split</h2><div class=grid>"
        for clip, jpeg in report.rarest:
            yield _figure(clip, jpeg)
        yield "</div>"


def _figure(clip: RareClip, jpeg: bytes) -> str:
    told = escape(", ".join(clip.events) or "no event")
    because = escape(", ".join(f"{name} {factor:.2f}" for name, factor in clip.reasons.items()))
    shown = '<div class="none">no picture</div>'
    if jpeg:
        shown = f'<img alt="{told}" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'
    caption = f"<b>{clip.weight:.2f}</b> {told}<br>{because}<br>{escape(clip.clip_id[:12])}"
    return f"<figure>{shown}<figcaption>{caption}</figcaption></figure>"


def _rates(report: NightReport) -> Iterator[str]:
    if report.rates:
        yield "<h2>Events per 1,000 miles</h2>"
        rows = [
            [kind, r.known, *(_bounded(1000 * x, 2) for x in (r.a_mile, r.low, r.high)), _bounded(r.miles)]
            for kind, r in report.rates.items()
        ]
        yield _table(["kind", "arrived", "per 1,000 miles", "95 % from", "to", "miles driven"], rows)
        yield '<p class="note">Of all that was driven, sent or not: seconds and events count 1 / their probability.</p>'


def _waits(report: NightReport) -> Iterator[str]:
    if report.waits:
        wanted = next(iter(report.waits.values())).wanted
        yield f"<h2>Until {wanted} more examples</h2>"
        rows = []
        for kind, wait in report.waits.items():
            miles = report.rates[kind].miles
            times = f"{wait.middle / miles:.1f}" if isfinite(wait.middle) else "unknown"
            rows.append([kind, *(_bounded(x) for x in (wait.middle, wait.low, wait.high)), times])
        yield _table(["kind", "miles", "95 % from", "to", "times all driven so far"], rows)
        yield '<p class="note">A Poisson process whose rate is known from the events that arrived, if cars drive and '
        yield "choose as they did. Events that come in heaps make the wait vary more.</p>"


def _unseen(report: NightReport) -> Iterator[str]:
    found = report.unseen
    low, high = found.interval
    yield "<h2>Kinds not seen yet</h2>"
    yield f"<p>{found.moments} moments of {found.kinds} kinds, {found.once} of them seen once: the next moment is of "
    yield f"a new kind with a probability of {_percent(found.mass)} ({_percent(low)} to {_percent(high)}).</p>"
    yield '<p class="note">Good-Turing. A moment is an unbroken run of seconds with events, its kind the set of their '
    yield "kinds. Kinds that no trigger looks for are no part of it.</p>"


def _weights(report: NightReport) -> Iterator[str]:
    yield "<h2>How the weights fell</h2><div class=grid>"
    same = []
    for column in ("weight", *(f"{name}_factor" for name in FACTORS)):
        now, before = _trained(report.version, column), _trained(report.before, column)
        if np.unique(np.concatenate([now, before])).size > 1:
            yield histogram(column, now, before)
        else:
            same.append(column)
    told = f" The same in all of them: {', '.join(same)}." if same else ""
    yield f'</div><p class="note">Seconds of the training split; the line is the version before.{told}</p>'


def _trained(version: DatasetVersion | None, column: str) -> Floats:
    if version is None:
        return np.empty(0)
    trained = np.flatnonzero(np.asarray(version.rows.column("split")) == "train")
    return version.numbers(column).take(trained)


def _map(report: NightReport) -> Iterator[str]:
    if report.spots:
        yield f"<h2>Where it was driven</h2>{coverage(report.spots)}"
        parts = ", ".join(f"<b class={part}>{part}</b>" for part in ("train", "eval", "excluded"))
        yield f'<p class="note key">places: {parts}, each a cell of about 1 km; the larger, the more seconds</p>'


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns after the first are numbers where every row has one there."""
    numeric = [k > 0 and all(_is_number(row[k]) for row in rows) for k in range(len(heads))]
    head = "".join(_cell("th", text, number) for text, number in zip(heads, numeric, strict=True))
    body = "".join(
        f"<tr>{''.join(_cell('td', text, number) for text, number in zip(row, numeric, strict=True))}</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(tag: str, text: object, number: bool) -> str:
    return f"<{tag}{' class=n' if number else ''}>{escape(str(text))}</{tag}>"


def _is_number(text: object) -> bool:
    return str(text)[:1].isdigit() or text in ("", "unknown", "no bound")


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _bounded(value: float, digits: int = 0) -> str:
    return f"{value:,.{digits}f}" if isfinite(value) else "no bound"


def _day(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
