"""`swerve curate versions|show|diff|verify|rollback|tag`: what was published, what changed and why, is it whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from edge.output import as_json, grid, show

if TYPE_CHECKING:
    from curate.dataset import DatasetVersion
    from curate.version.compare import Difference
    from curate.version.outline import Outline

STORE = click.option("--store", required=True, type=click.Path(path_type=Path), help="Folder that clips are pushed to.")
JSON = click.option("--json", "json_", is_flag=True, help="Print JSON and nothing else.")
WHICH = "a name, a tag, `current` or `newest`"
DAMAGED = 1
"""Exit code where clips of a version are missing or changed; a version that cannot be read itself gives 2."""


@click.command("versions")
@STORE
@JSON
def versions_command(store: Path, json_: bool) -> None:
    """List the published versions, oldest first."""
    from curate.dataset import read_head
    from curate.errors import DatasetError
    from curate.store import open_store
    from curate.version.names import current_name, tags, version_names

    root = open_store(store).root
    current, tagged, found = current_name(root), tags(root), []
    for name in version_names(root):
        about = {"name": name, "current": name == current, "tags": [t for t, of in tagged.items() if of == name]}
        try:
            found.append({**read_head(root, name), **about})
        except DatasetError as error:
            found.append({**about, "damaged": error.got})
    if json_:
        as_json([{key: value for key, value in version.items() if key != "inputs"} for version in found])
        return
    table = grid("version", "clips", "seconds", "split", "tags", "digest")
    for version in found:
        counts, recipe = version.get("counts", {}), version.get("recipe", {})
        told = [str(of.get(key, "?")) for of, key in ((counts, "clips"), (counts, "seconds"), (recipe, "split"))]
        marks = [*(["current"] if version["current"] else []), *version["tags"]]
        table.add_row(version["name"], *told, ", ".join(marks), str(version.get("digest", "damaged"))[:16])
    show(table)


@click.command("show")
@click.argument("version", required=False)
@STORE
@click.option("--rarest", default=10, show_default=True, type=click.IntRange(0), help="How many clips to list.")
@JSON
def show_command(version: str | None, store: Path, rarest: int, json_: bool) -> None:
    """One VERSION (the current one): its counts, how its factors spread, and its rarest clips with the reason."""
    from curate.dataset import open_version
    from curate.version.outline import outline

    opened = open_version(store, version)
    found = outline(opened, rarest)
    if json_:
        as_json({"name": opened.name, **opened.head, **found.to_json()})
        return
    show(version_table(opened))
    show(_spread_table(found))
    show(_rarest_table(found))


@click.command("diff")
@click.argument("before")
@click.argument("after", required=False)
@STORE
@JSON
def diff_command(before: str, after: str | None, store: Path, json_: bool) -> None:
    """What changed from BEFORE to AFTER (the current one), and which factor moved the weights."""
    from curate.dataset import open_version
    from curate.version.compare import compare

    difference = compare(open_version(store, before), open_version(store, after))
    if json_:
        as_json(difference.to_json())
        return
    for table in difference_tables(difference):
        show(table)


@click.command("verify")
@click.argument("version", required=False)
@STORE
@JSON
def verify_command(version: str | None, store: Path, json_: bool) -> None:
    """Check a VERSION's rows by its digest and every file of its clips by hash; exit code 1 where some are damaged."""
    from curate.version.verify import verify

    with Console(stderr=True).status("verify") as status:
        found = verify(store, version, lambda done, total: status.update(f"verify: clip {done} of {total}"))
    if json_:
        as_json({"version": found.version.name, "clips": len(found.version.inputs), "damaged": dict(found.damaged)})
    else:
        for clip_id, wrong in found.damaged.items():
            click.echo(f"{clip_id[:12]}: {wrong}")
        total, damaged = len(found.version.inputs), len(found.damaged)
        click.echo(f"{found.version.name}: rows as published; {total - damaged} of {total} clips whole")
    if found.damaged:
        raise SystemExit(DAMAGED)


@click.command("rollback")
@click.argument("version")
@STORE
def rollback_command(version: str, store: Path) -> None:
    """Make VERSION current until a newer one is published; nothing is deleted, and `newest` takes it back."""
    from curate.version.names import roll_back

    click.echo(f"{roll_back(store, version)} is current until a newer version is published")


@click.command("tag")
@click.argument("version")
@click.argument("tag")
@STORE
@click.option("--move", is_flag=True, help="Also where the tag names another version now.")
def tag_command(version: str, tag: str, store: Path, move: bool) -> None:
    """Name VERSION, so that it can be opened as TAG; a tag stays where it is until it is moved."""
    from curate.version.names import resolve, set_tag

    set_tag(store, version, tag, move)
    click.echo(f"{tag} names {resolve(store, tag)}")


COMMANDS = (versions_command, show_command, diff_command, verify_command, rollback_command, tag_command)


def version_table(version: DatasetVersion) -> Table:
    """Counts of a version, one a line."""
    counts: dict[str, Any] = version.head["counts"]
    table = grid("", "", title=f"Dataset version {version.name}")
    table.add_row("digest", version.digest)
    table.add_row("clips, drives, seconds", ", ".join(str(counts.get(k, "?")) for k in ("clips", "drives", "seconds")))
    table.add_row("split", _listed(counts.get("split", {}), " s"))
    table.add_row("seconds of each event", _listed(counts.get("event_seconds", {})) or "none")
    trained = counts.get("split", {}).get("train", 0)
    table.add_row("effective sample size", f"{counts.get('effective_train_seconds', '?')} of {trained} s")
    table.add_row("largest share of one second", f"{100 * counts.get('largest_train_share', 0.0):.2f} %")
    return table


def _listed(counts: Mapping[str, Any], unit: str = "") -> str:
    return ", ".join(f"{name} {n}{unit}" for name, n in counts.items())


def _spread_table(found: Outline) -> Table:
    table = grid("of a second of training", "least", "5 %", "median", "95 %", "most")
    for name, values in found.spread.items():
        table.add_row(name, *(f"{value:.3g}" for value in values))
    return table


def _rarest_table(found: Outline) -> Table:
    table = grid("rarest clip", "weight", "events", "because of")
    for clip in found.rarest:
        because = _listed({name: f"{factor:.2f}" for name, factor in clip.reasons.items()})
        table.add_row(clip.clip_id[:12], f"{clip.weight:.2f}", ", ".join(clip.events), because)
    return table


def difference_tables(found: Difference) -> list[Table]:
    """What set two versions apart, and why weights moved."""
    table = grid("", "added", "removed", title=f"From {found.before} to {found.after}")
    table.add_row("clips", str(len(found.clips_added)), str(len(found.clips_removed)))
    table.add_row("seconds", str(found.seconds_added), str(found.seconds_removed))
    counted = grid("seconds", "before", "after")
    for name, (before, after) in {**found.splits, **found.kinds}.items():
        counted.add_row(name, str(before), str(after))
    weights = grid("weights moved by", "up", "down", "median ratio")
    for name, moved in found.weights_moved.items():
        weights.add_row(name, str(moved.up), str(moved.down), f"{moved.median_ratio:.3f}")
    weights.add_row("nothing: the same", str(found.weights_same), "", "")
    recipe = grid("recipe", "before", "after")
    for name, (was, now) in found.recipe.items():
        recipe.add_row(name, str(was), str(now))
    return [table, counted, weights, *([recipe] if found.recipe else [])]
