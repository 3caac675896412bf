import pytest
from click.testing import CliRunner

from train.drive_commands import drive_command


@pytest.fixture
def run_drive():
    return lambda *arguments: CliRunner().invoke(drive_command, arguments)
