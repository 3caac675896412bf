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
from train.errors import FitError, PolicyError
from train.fit import FitResult
from train.policies.presets import PRESETS
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


def test_every_preset_can_be_named() -> None:
    (preset,) = (option for option in train.commands["fit"].params if option.name == "preset")
    assert set(preset.type.choices) == set(PRESETS)  # type: ignore[attr-defined]


def test_resume_goes_on_as_it_was_or_says_why_not(bars: DatasetVersion) -> None:
    code, _, err = run("fit", "--store", bars.store, "--resume", "gone", "--steps", 3, "--seed", 1)
    assert code == 2
    assert "leave out: seed, steps" in err
    with pytest.raises(FitError, match="no unfinished training"):
        run("fit", "--store", bars.store, "--resume", "gone")


def test_fit_fine_tunes_a_policy_by_name(bars: DatasetVersion, fitted: FitResult) -> None:
    name = ("--from", fitted.folder.name, "--name", "tuned")
    code, out, _ = run("fit", "--store", bars.store, *name, "--steps", 2, "--batch", 8, "--json")
    assert code == 0
    assert json.loads(out)["folder"].endswith("tuned")


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


def test_eval_tells_intervals_slices_and_calibration(bars: DatasetVersion, fitted: FitResult) -> None:
    code, out, _ = run("eval", "--store", bars.store, "--policy", fitted.folder.name)
    assert code == 0
    for words in ("2 blocks of at least 10 s of 1 drive (below 10 drives)", "too few", "bend", "95 % holds"):
        assert words in out
    document = json.loads(run("eval", "--store", bars.store, "--policy", fitted.folder.name, "--json")[1])
    assert {"slices", "steps", "intervals"} <= set(document)
    assert document["steps"][0]["calibration"]["n"] == 199


def test_compare_says_it_in_words_and_as_json(bars: DatasetVersion, fitted: FitResult) -> None:
    pair = ("compare", fitted.folder.name, fitted.folder, "--store", bars.store)
    code, out, _ = run(*pair)
    assert code == 0
    for words in ("199 samples that both have", "RMSE ratio", "the same", "Holm"):
        assert words in out
    document = json.loads(run(*pair, "--json")[1])
    assert document["samples"] == 199
    with pytest.raises(PolicyError):
        run("compare", fitted.folder.name, "none", "--store", bars.store)


def test_score_writes_the_table_that_the_night_reads(bars: DatasetVersion, fitted: FitResult) -> None:
    code, out, _ = run("score", "--store", bars.store, "--policy", fitted.folder.name)
    assert code == 0
    assert "60 s scored" in out
    document = json.loads(run("score", "--store", bars.store, "--policy", fitted.folder.name, "--json")[1])
    assert document["seconds"] == 60
    assert document["error_seen"] < document["error_unseen"]
    assert Path(document["path"]).is_file()


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
