"""Shared by all tests: where the real recordings are, and small drives made on the spot."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings
from makers.native import T0_NS, drive_telemetry, human, write_native
from makers.picture import picture

import swerve

__all__ = ["T0_NS", "WriteDrive", "drive_telemetry", "human", "picture"]
pytest_plugins = ("makers.s3",)
# A tree passes or fails, whoever runs it; HYPOTHESIS_PROFILE=search tries other examples each time (`make soak`).
settings.register_profile("same", derandomize=True)
settings.register_profile("search", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
REAL = os.environ.get("SWERVE_REAL_DATA", "")
_passed_on_real: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("real") and not REAL:
            item.add_marker(pytest.mark.skip(reason="SWERVE_REAL_DATA is not set: no real recordings here"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed and "real" in report.keywords:
        _passed_on_real.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where the real recordings are and every test is run, some must have run on them."""
    whole = not session.config.args or session.config.args == session.config.getini("testpaths")
    if REAL and whole and exitstatus == 0 and not _passed_on_real:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    where = REAL or "SWERVE_REAL_DATA is not set"
    terminalreporter.write_line(f"real recordings: {len(_passed_on_real)} tests passed on them ({where})")


@pytest.fixture(scope="session")
def real() -> Path:
    return Path(REAL)


WriteDrive = Callable[..., Path]


@pytest.fixture
def native_drive(tmp_path: Path) -> WriteDrive:
    """Writes a native drive with a numbered picture every 0.1 s and returns its folder."""
    return partial(write_native, tmp_path)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs one command in this process: (exit code, standard output, standard error)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["swerve", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            swerve.main()
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return call
