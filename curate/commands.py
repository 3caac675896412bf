"""`swerve curate ...`: the service, the nightly job, and a look at what it published.

Arrow is imported by the commands that read tables alone: the service runs for months and does without.
"""

from __future__ import annotations

import click

from curate.export.commands import export_command
from curate.nightly_commands import nightly_command
from curate.quarantine_commands import readmit_command
from curate.report.commands import report_command
from curate.service.commands import devices_group, serve_command
from curate.versions_commands import COMMANDS


@click.group()
def curate() -> None:
    """Take clips in, check, weigh, split and publish immutable dataset versions."""


for command in (nightly_command, *COMMANDS, report_command, export_command, readmit_command):
    curate.add_command(command)
curate.add_command(serve_command)
curate.add_command(devices_group)
