"""`swerve train serve-driver` before it serves."""

import socket
import sys

import pytest
from click.testing import CliRunner

from train.errors import PolicyError, WorldError
from train.worlds.commands import check_free, serve_driver_command


def call(*arguments):
    return CliRunner().invoke(serve_driver_command, list(map(str, arguments)), catch_exceptions=True).exception


def test_without_the_contracts_package_it_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("carla_driver_interface")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "carla_driver_interface", None)
    error = call("--policy", "p")
    assert isinstance(error, WorldError)
    assert "swerve[worlds]" in error.todo


def test_a_port_that_is_taken_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WorldError, match=f"127.0.0.1:{port}"):
            check_free("127.0.0.1", port)
    check_free("127.0.0.1", port)


def test_a_policy_that_is_none_is_refused(tmp_path):
    pytest.importorskip("carla_driver_interface", reason="no carla-driver-interface: pip install 'swerve[worlds]'")
    assert isinstance(call("--policy", tmp_path), PolicyError)
