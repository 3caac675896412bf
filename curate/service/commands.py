"""`swerve curate serve` and `swerve curate devices`: run the service, and say which cars it knows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from curate.service.identity import OVERLAP_S, KnownKey, Registry
from curate.service.limits import Limits
from curate.service.state import State, typed
from edge.options import FiniteRange
from edge.output import as_json, grid, show

STORE = click.option("--store", required=True, help="Where clips are kept: file:///path, or s3://bucket/prefix.")
STATE = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="The service's own folder; in the store if not told.",
)
JSON = click.option("--json", "json_", is_flag=True, help="Print JSON and nothing else.")


@click.command("serve")
@STORE
@STATE
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--requests-per-s", default=50.0, show_default=True, type=FiniteRange(0.1), help="Of one device, in the long run."
)
@click.option("--tls-cert", type=click.Path(path_type=Path, exists=True), help="Certificate chain, PEM.")
@click.option("--tls-key", type=click.Path(path_type=Path, exists=True), help="Its private key, PEM.")
def serve_command(
    store: str,
    state: Path | None,
    host: str,
    port: int,
    requests_per_s: float,
    tls_cert: Path | None,
    tls_key: Path | None,
) -> None:
    """Take clips in over HTTP: resumable, from registered devices, acknowledged when they are on the disk."""
    try:
        from curate.service.run import run
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"{error.name} is not installed; install it with: pip install 'swerve[serve]'"
        ) from error
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together.")
    limits = Limits(requests_per_s=requests_per_s, burst=max(1, round(4 * requests_per_s)))
    run(store, state, host, port, limits, (tls_cert, tls_key) if tls_cert and tls_key else None)


@click.group("devices")
def devices_group() -> None:
    """Which cars may hand clips over: add, revoke, list."""


@devices_group.command("add")
@STORE
@STATE
@click.argument("device")
@click.argument("public_key")
@click.option(
    "--overlap",
    default=OVERLAP_S,
    show_default=True,
    type=click.IntRange(0),
    help="For how many seconds the device's earlier keys still hold.",
)
@JSON
def add_command(store: str, state: Path | None, device: str, public_key: str, overlap: int, json_: bool) -> None:
    """Register a device, or a new key of one; PUBLIC_KEY is what swerve edge key prints."""
    with _registry(store, state) as registry:
        key = registry.add(device, public_key, overlap)
    if json_:
        as_json(_json(key))
    else:
        Console().print(f"{device} may hand clips over with key {key.id}.")


@devices_group.command("revoke")
@STORE
@STATE
@click.argument("device")
@JSON
def revoke_command(store: str, state: Path | None, device: str, json_: bool) -> None:
    """Forget all keys of a device; its next request is refused."""
    with _registry(store, state) as registry:
        count = registry.revoke(device)
    if json_:
        as_json({"device": device, "keys": count})
    else:
        Console().print(f"{device} may not hand clips over any more ({count} keys forgotten).")


@devices_group.command("list")
@STORE
@STATE
@JSON
def list_command(store: str, state: Path | None, json_: bool) -> None:
    """List devices and their keys."""
    with _registry(store, state) as registry:
        keys = registry.keys()
    if json_:
        as_json([_json(key) for key in keys])
        return
    table = grid("device", "key", "added", "holds until", title="Devices")
    for key in keys:
        table.add_row(key.device, key.id, _day(key.added), _day(key.expires) if key.expires else "no end")
    show(table)


@contextmanager
def _registry(store: str, state: Path | None) -> Iterator[Registry]:
    from curate.service.service import DATABASE, state_folder

    folder = state_folder(store, state)
    with typed(folder), closing(State(folder / DATABASE)) as opened:
        yield Registry(opened, time.time)


def _json(key: KnownKey) -> dict[str, Any]:
    return {"device": key.device, "key": key.id, "added": key.added, "expires": key.expires}


def _day(at_s: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at_s))
