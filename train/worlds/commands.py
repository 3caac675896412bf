"""`swerve train serve-driver`: a trained policy as a driver that CARLA or AlpaSim calls."""

from __future__ import annotations

import socket
from pathlib import Path

import click

from edge.options import FiniteRange
from train.world.car import STEERING_RATIO, WHEELBASE_M


@click.command("serve-driver")
@click.option("--policy", required=True, type=click.Path(path_type=Path), help="Policy folder.")
@click.option("--port", default=50051, show_default=True, type=click.IntRange(1, 65535))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; anybody there may drive.")
@click.option("--runtime", default="alpasim", show_default=True, type=click.Choice(["alpasim", "carla"]))
@click.option("--camera", help="Which camera, as the simulator calls it; its only one unless told.")
@click.option(
    "--wheelbase",
    default=WHEELBASE_M,
    show_default=True,
    type=FiniteRange(0, min_open=True),
    help="Of the car that the policy learned on, in m; the built-in world's unless told.",
)
@click.option(
    "--steering-ratio",
    default=STEERING_RATIO,
    show_default=True,
    type=FiniteRange(0, min_open=True),
    help="Degrees of steering wheel for one of road wheel, of the same car.",
)
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1), help="Threads of torch.")
def serve_driver_command(
    policy: Path,
    port: int,
    host: str,
    runtime: str,
    camera: str | None,
    wheelbase: float,
    steering_ratio: float,
    threads: int,
) -> None:
    """Serve a policy to a simulator over AlpaSim's egodriver contract, until Ctrl-C or SIGTERM."""
    from train.errors import WorldError

    try:
        from carla_driver_interface.server import run_server

        from train.worlds.egodriver import from_folder
    except ModuleNotFoundError as error:
        raise WorldError(
            f"{error.name} is not installed", "what talks to simulators", "pip install 'swerve[worlds]'"
        ) from error

    served = from_folder(policy, camera, wheelbase, steering_ratio, threads)
    check_free(host, port)
    click.echo(f"{served.name} drives for {runtime} on {host}:{port}", err=True)
    run_server(served, port=port, host=host, mode=runtime)


def check_free(host: str, port: int) -> None:
    """gRPC shares a port between servers without a word, and each would get some of the calls."""
    from train.errors import WorldError

    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise WorldError(
            f"{host}:{port} cannot be listened on: {error.strerror or error}",
            "a free port and an address of this machine",
            "choose another --port or --host",
        ) from error
