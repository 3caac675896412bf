"""`swerve edge`: its commands, those of the agent apart from the others.

The agent must start in a fraction of a second and stay small, so what it does not need (decoders, Arrow) is only
imported where another command is called.
"""

from __future__ import annotations

import click

from edge.night.commands import NIGHT_COMMANDS


class Room(click.Group):
    """A group that knows the agent's commands, and imports the others on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*self.commands, *_others().commands])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return self.commands.get(name) or _others().get_command(ctx, name)


def _others() -> click.Group:
    from edge.commands import edge as others

    return others


@click.group(cls=Room)
def edge() -> None:
    """On the car, or over a folder of recorded drives: find the moments, cut them, hand them over."""


for command in NIGHT_COMMANDS:
    edge.add_command(command)
