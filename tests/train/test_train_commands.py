"""The commands: one JSON document on stdout, problems in three parts, help without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bars import bars_fixture, fitted_fixture  # noqa: F401
from click.testing import CliRunner

from curate.dataset import DatasetVersion
from train.commands import train
from train.errors import PolicyError
from train.fit import FitResult
from trigger.problem import Problem


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner(env={"COLUMNS": "140"}).invoke(train, [str(a) for a in arguments], catch_exceptions=True)
    if isinstance(result.exception, Problem):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_help_does_not_import_torch() -> None:
    code = "import sys; from click.testing import CliRunner; from train.commands import train; "
    code += "r = CliRunner().invoke(train, ['--help']); assert 'fit' in r.output; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_fit_prints_one_json_document(bars: DatasetVersion) -> None:
    common = ("--store", bars.store, "--preset", "tiny", "--steps", 2)
    code, out, _ = run("fit", *common, "--name", "quick", "--mirror", "--json")
    assert code == 0
    document = json.loads(out)
    assert document["steps"] == 2
    assert (bars.store / "policies" / "quick" / "weights.safetensors").is_file()
    with pytest.raises(PolicyError, match="exists"):
        run("fit", *common, "--name", "quick")


def test_fit_prints_the_mix_for_people(bars: DatasetVersion) -> None:
    code, out, _ = run("fit", "--store", bars.store, "--preset", "tiny", "--steps", 2, "--name", "told", "--no-motion")
    assert code == 0
    for words in ("abrupt_steering", "requested", "realised", "samples/s"):
        assert words in out


def test_eval_prints_one_json_document_and_writes_a_report(
    bars: DatasetVersion, fitted: FitResult, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    policy = ("--store", bars.store, "--policy", fitted.folder)
    code, out, err = run("eval", *policy, "--report", report, "--ablate", "--json")
    assert code == 0
    assert {row["who"] for row in json.loads(out)["rows"]} >= {"training mean", "1 s ago", "black frames"}
    assert report.is_file()
    assert "report" in err


def test_eval_prints_a_table_and_takes_a_policy_by_name(bars: DatasetVersion, fitted: FitResult) -> None:
    code, out, _ = run("eval", "--store", bars.store, "--policy", fitted.folder.name)
    assert code == 0
    for words in ("steering_wheel_deg", "training mean", "1 s ago", "ordinary", "rare: 3 of 20 s"):
        assert words in out


def test_watch_writes_a_video(bars: DatasetVersion, fitted: FitResult, tmp_path: Path) -> None:
    out_path = tmp_path / "w.mp4"
    drive = bars.clip_folder("b")
    code, out, _ = run("watch", drive, "--policy", fitted.folder, "--out", out_path, "--seconds", 1, "--json")
    assert code == 0
    assert json.loads(out)["frames"] == 10
    assert out_path.is_file()


def test_problems_reach_the_front_door(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        run("fit", "--store", tmp_path, "--steps", 1)
    assert caught.value.exit_code == 2
    with pytest.raises(PolicyError):
        run("watch", tmp_path, "--policy", tmp_path / "none")
