"""A dataset of our own: pictures in which a bright bar stands where the wheel is turned to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from curate.dataset import FACTORS, SCHEMA, DatasetVersion
from curate.version.publish import publish
from edge.manifest import Manifest
from edge.write import encoded, write_drive
from train.fit import FitResult, fit
from train.settings import Settings
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry

SECOND_NS = 1_000_000_000
T0_NS = 1_700_000_000 * SECOND_NS
WIDTH, HEIGHT, RATE = 96, 64, 10
HUMAN, SYSTEM = float(ControlSource.HUMAN), float(ControlSource.SYSTEM)

torch.set_num_threads(1)


@dataclass(frozen=True)
class Bar:
    """A drive to be written: who steers from when (second, source), and the seed of its bends."""

    seconds: int = 30
    seed: int = 0
    sources: tuple[tuple[float, float], ...] = ((0.0, HUMAN),)
    pedals: bool = False
    pedal_sources: tuple[tuple[float, float], ...] = ()
    cameras: tuple[str, ...] = ("front",)
    dark: bool = False
    blinker: bool = False

    def times(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        return T0_NS + np.arange(self.seconds * RATE, dtype=np.int64) * (SECOND_NS // RATE)

    def steering(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        chance = np.random.default_rng(self.seed)
        t_s = (self.times() - T0_NS) / 1e9
        waves = [30 * np.sin(2 * np.pi * t_s / p + chance.uniform(0, 6.3)) for p in (3.1, 4.7)]
        return np.asarray(sum(waves))

    def telemetry(self) -> Telemetry:
        t_ns = self.times()
        signals = {"steering_wheel_deg": (t_ns, self.steering()), "control_source_steering": changes(self.sources)}
        signals["speed_mps"] = (t_ns, np.full(t_ns.size, 12.0))
        if self.blinker:
            signals["blinker_left"] = (t_ns, np.ones(t_ns.size))
        if self.pedals:
            gas = np.clip(self.steering() / 60, 0, 1)
            signals |= {"gas_fraction": (t_ns, gas), "brake_fraction": (t_ns, 1 - gas)}
            signals["control_source_speed"] = changes(self.pedal_sources or self.sources)
        return Telemetry.merge(signals).between(int(t_ns[0]), int(t_ns[-1]) + 1)

    def write(self, folder: Path) -> Manifest:
        dimmed = 4 if self.dark else 1
        pictures = [(int(t), draw_bar(a) // dimmed) for t, a in zip(self.times(), self.steering(), strict=True)]
        head = Manifest(f"bar-{self.seed}", "test", T0_NS, {}, {}, engagement="nobody")
        return write_drive(folder, head, self.telemetry(), {name: encoded(iter(pictures)) for name in self.cameras})


def changes(
    sources: tuple[tuple[float, float], ...],
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.float64]]]:
    """A source that changes at the given seconds, sampled ten times a second for two minutes, and at each change."""
    at_s, code = np.array([second for second, _ in sources]), np.array([who for _, who in sources])
    times_s = np.unique(np.concatenate([at_s, np.arange(at_s[0], 120.0, 0.1)]))
    held = code[np.searchsorted(at_s, times_s, side="right") - 1]
    return T0_NS + np.round(times_s * 1e9).astype(np.int64), held


def draw_bar(steering_deg: float) -> np.ndarray[Any, np.dtype[np.uint8]]:
    picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    centre = WIDTH / 2 - steering_deg * 0.6
    columns = np.arange(WIDTH)
    picture[:, np.abs(columns - centre) < 5] = 240
    return picture


def rows_of(clip_id: str, bar: Bar, split: list[str], **columns: Any) -> list[dict[str, Any]]:
    """One row a second; `columns` may give a list for any column of the schema."""
    rows = []
    for second in range(bar.seconds):
        row: dict[str, Any] = {
            "clip_id": clip_id,
            "drive_id": f"bar-{bar.seed}",
            "start_ns": T0_NS + second * SECOND_NS,
            "end_ns": T0_NS + (second + 1) * SECOND_NS,
            "split": split[second],
            "events": ["baseline"],
            "severity": 0.0,
            "inclusion_probability": 1.0,
            "weight": 1.0,
            **{f"{name}_factor": 1.0 for name in FACTORS},
            "place": "",
            "device": "",
        }
        rows.append(row | {name: values[second] for name, values in columns.items()})
    return rows


def publish_rows(store: Path, rows: list[dict[str, Any]]) -> DatasetVersion:
    return publish(store, pa.Table.from_pylist(rows, schema=SCHEMA), {"made_by": "tests"}, {}, {})


TRAIN, EVAL = Bar(seconds=40, seed=1), Bar(seconds=20, seed=2)


@cache
def bars_in(store: Path) -> DatasetVersion:
    """40 s of one drive to train on and 20 s of another to be examined on; every tenth second an event."""
    TRAIN.write(store / "clips" / "a")
    EVAL.write(store / "clips" / "b")
    kinds = [["abrupt_steering"] if second % 10 == 5 else ["baseline"] for second in range(40)]
    rows = rows_of("a", TRAIN, ["train"] * 40, events=kinds, weight=[4.0 if len(k[0]) > 8 else 0.7 for k in kinds])
    rows += rows_of("b", EVAL, ["eval"] * 20, events=kinds[:20], rarity_factor=[1.0] * 19 + [3.0])
    return publish_rows(store, rows)


@cache
def fitted_in(store: Path) -> FitResult:
    return fit(bars_in(store), Settings(preset="tiny", steps=100))


# These stand here and not in a conftest.py, whose name would hide the one above from the other rooms' tests.
# Modules that import a fixture each have their own; the caches let all share one dataset and one training.
@pytest.fixture(name="bars", scope="session")
def bars_fixture(tmp_path_factory: pytest.TempPathFactory) -> DatasetVersion:
    return bars_in(tmp_path_factory.getbasetemp() / "bars")


@pytest.fixture(name="fitted", scope="session")
def fitted_fixture(tmp_path_factory: pytest.TempPathFactory) -> FitResult:
    """A tiny policy that has learned to read the bar."""
    return fitted_in(tmp_path_factory.getbasetemp() / "bars")
