"""Shared by all tests: where the real recordings are, and small drives made on the spot."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import swerve
from edge.encode import Encoding
from edge.manifest import Manifest
from edge.write import encoded, write_drive
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry
from trigger.vehicle import VehicleProfile

T0_NS = 1_700_000_000_000_000_000
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


def picture(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A picture that tells its own number: no two of 4,096 are alike, also after compression."""
    image = np.full((height, width, 3), 96, np.uint8)
    for bit in range(12):
        column = bit * (width // 12)
        image[:, column : column + width // 12] = 230 if number >> bit & 1 else 30
    return image


def human(n: int) -> np.ndarray:
    return np.full(n, float(ControlSource.HUMAN))


def drive_telemetry(seconds: float = 60.0, rate_hz: float = 50.0, t0_ns: int = T0_NS, **signals: object) -> Telemetry:
    """A calm drive at 15 m/s; `signals` name to an array or a function of the time in s."""
    t_s = np.arange(0.0, seconds, 1.0 / rate_hz)
    t_ns = t0_ns + np.round(t_s * 1e9).astype(np.int64)
    columns: dict[str, object] = {
        "speed_mps": np.full(t_s.size, 15.0),
        "steering_wheel_deg": 5.0 * np.sin(t_s / 3.0),
        "control_source_steering": human(t_s.size),
        "control_source_speed": human(t_s.size),
    }
    columns |= signals
    made = {k: np.asarray(v(t_s) if callable(v) else v, np.float64) for k, v in columns.items() if v is not None}
    return Telemetry(t_ns, made)


WriteDrive = Callable[..., Path]


@pytest.fixture
def native_drive(tmp_path: Path) -> WriteDrive:
    """Writes a native drive with a numbered picture every 0.1 s and returns its folder."""

    def write(name: str = "drive", telemetry: Telemetry | None = None, seconds: float = 60.0, **head: object) -> Path:
        telemetry = telemetry or drive_telemetry(seconds)
        frames = ((T0_NS + i * 100_000_000, picture(i)) for i in range(int(seconds * 10)))
        known: dict[str, object] = {"consent": True, "vehicle": VehicleProfile(2.7, 15.0)} | head
        manifest = Manifest(id=name, recorder="native", t0_ns=T0_NS, cameras={}, files={}, **known)  # type: ignore[arg-type]
        write_drive(tmp_path / name, manifest, telemetry, {"front": encoded(frames, Encoding(key_every=24))})
        return tmp_path / name

    return write


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
