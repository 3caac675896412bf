"""The command line as its users meet it: exit codes, three-part errors, JSON, and what it does not import."""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from conftest import drive_telemetry, picture

import swerve
from edge.video.encode import encode

ROOT = Path(swerve.__file__).parent


def csv_drive(folder: Path, angles=None) -> Path:
    folder.mkdir()
    t0, step = 1_479_425_441_000_000_000, 50_000_000
    angles = angles or [0.01 * (i % 40) for i in range(200)]
    rows = [f"{t0 + i * step},{a},0" for i, a in enumerate(angles)]
    (folder / "labels.csv").write_text("\n".join(["frame_id,steering_angle,public", *rows]))
    encode(folder / "front.mp4", ((t0 + i * step, picture(i)) for i in range(len(angles))))
    return folder


def damaged(folder: Path) -> Path:
    (folder / "drive.json").write_text("{")
    return folder


BAD_INPUT = {
    "missing": (lambda p, _: p / "nowhere", "does not exist"),
    "empty": (lambda p, _: (p / "empty").mkdir() or p / "empty", "is empty"),
    "unknown": (lambda p, _: (p / "notes.doc").write_text("hi") and p / "notes.doc", "not a recording"),
    "damaged_json": (lambda p, d: damaged(d(seconds=2)), "is damaged"),
    "random_labels": (
        lambda p, _: csv_drive(p / "x", [((i * 7919) % 200 - 100) / 100 for i in range(200)]),
        "not steering",
    ),
}


@pytest.mark.parametrize("command", ["scan", "cut"])
@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_exit_2_in_three_parts_and_leaves_nothing(run, tmp_path, native_drive, case, command):
    make, words = BAD_INPUT[case]
    out = [] if command == "scan" else ["--out", tmp_path / "out"]
    code, _, err = run("edge", command, make(tmp_path, native_drive), *out)
    assert code == 2
    assert words in err.replace("\n", " ")
    assert [line.split(":")[0] for line in err.splitlines() if line.startswith(("error", "wanted", "do"))] == [
        "error",
        "wanted",
        "do",
    ]
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_a_truncated_video_is_salvaged_with_a_word_about_it(run, tmp_path):
    folder = csv_drive(tmp_path / "x")
    video = folder / "front.mp4"
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    code, out, _ = run("edge", "cut", folder, "--out", tmp_path / "clips", "--baseline", 1)
    assert code == 0
    assert "lost: front.mp4" in out
    assert len(list((tmp_path / "clips").iterdir())) == 1


def test_one_bad_drive_among_good_ones_costs_only_itself(run, tmp_path, native_drive):
    native_drive("good", seconds=5)
    damaged(native_drive("bad", seconds=5))
    code, out, err = run("edge", "scan", tmp_path, "--json")
    assert code == 0
    assert [d["drive"] for d in json.loads(out)] == ["good"]
    assert "drive.json is damaged" in err


def test_scan_json_tells_when_how_hard_and_why(run, native_drive):
    folder = native_drive(telemetry=drive_telemetry(engaged=lambda t: (t > 5) & (t < 30)))
    code, out, _ = run("edge", "scan", folder, "--baseline", 0, "--json")
    (drive,) = json.loads(out)
    (event,) = drive["events"]
    assert code == 0
    assert (drive["drive"], event["kind"], event["t_s"]) == ("drive", "disengagement", 30.0)
    assert event["evidence"] == {"signal": "engaged", "value": 0.0, "threshold": 0.5}
    assert drive["absent"]["abrupt_gas"] == "gas_fraction"


def test_the_table_has_a_line_an_event_and_says_an_absent_signal_once(run, native_drive):
    code, out, _ = run("edge", "scan", native_drive(seconds=5), "--baseline", 1)
    assert code == 0
    assert sum("baseline" in line for line in out.splitlines()) == 5
    assert out.count("absent: gas_fraction") == 1


def test_the_whole_way_to_a_version(run, tmp_path, native_drive):
    native_drive(telemetry=drive_telemetry(engaged=lambda t: (t > 5) & (t < 30)))
    store = tmp_path / "store"
    assert run("edge", "cut", tmp_path / "drive", "--out", tmp_path / "clips", "--baseline", 0)[0] == 0
    pushed = json.loads(run("edge", "push", tmp_path / "clips", "--to", store, "--json")[1])
    assert [p["known"] for p in pushed] == [False]
    version = json.loads(run("curate", "nightly", "--store", store, "--split", "time:0.6", "--json")[1])
    assert (version["admitted"], version["quarantined"]) == ([pushed[0]["clip_id"]], {})
    listed = json.loads(run("curate", "versions", "--store", store, "--json")[1])
    assert [v["digest"] for v in listed] == [version["digest"]]


@pytest.mark.parametrize("room", ["edge", "curate", "train"])
def test_help(run, room):
    code, out, _ = run(room, "--help")
    assert code == 0
    assert "Commands" in out


def test_help_and_scanning_import_no_torch():
    heavy = "{'torch', 'cv2', 'matplotlib'}"
    program = f"import sys, swerve, edge.commands, curate.commands; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_edge_needs_numpy_pyarrow_and_av_alone(tmp_path):
    """A bare virtual environment that holds these three packages and nothing else."""
    import av
    import numpy
    import pyarrow

    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    site = next((tmp_path / "bare").glob("lib/python*/site-packages"))
    for package in (av, numpy, pyarrow):
        source = Path(package.__file__).parent
        for path in (source, source.parent / f"{source.name}.libs"):
            if path.exists():
                (site / path.name).symlink_to(path)
    for room in ("trigger", "edge"):
        shutil.copytree(ROOT / room, tmp_path / "rooms" / room)
    front = {"commands", "output", "options", "over_drives", "room", "http_destination", "run_command"}
    program = (
        "import pkgutil, importlib, edge\n"
        "names = [m.name for m in pkgutil.walk_packages(edge.__path__, 'edge.')]\n"
        f"[importlib.import_module(n) for n in names if n.rpartition('.')[2] not in {front}]\n"
        "print(len(names))"
    )
    python = tmp_path / "bare/bin/python"
    done = subprocess.run([python, "-I", "-c", f"import sys; sys.path.insert(0, 'rooms')\n{program}"], cwd=tmp_path,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 90
    missing = subprocess.run([python, "-I", "-c", "import torch"], capture_output=True, check=False)
    assert missing.returncode != 0


@pytest.mark.real
def test_real_recordings_scan_from_the_command_line(run, real):
    code, out, _ = run(
        "edge", "scan", real / "comma2k19", real / "udacity_ch2_002_telemetry", "--baseline", 0, "--json"
    )
    drives = json.loads(out)
    assert code == 0
    assert len(drives) == 7
    assert not [e for d in drives for e in d["events"] if e["kind"] == "disengagement"]
    part2 = next(d for d in drives if d["source"].endswith("train_round2_part2.txt"))
    assert [round(e["t_s"]) for e in part2["events"]] == [15, 33, 46, 246]


def test_the_demos_flywheel_has_terms_that_its_command_takes(monkeypatch, tmp_path):
    from train.flywheel.commands import flywheel_command

    shown = []
    monkeypatch.setattr(swerve, "_show", shown.append)
    swerve._short_turn(tmp_path)
    (command,) = shown
    assert command[:2] == ["train", "flywheel"]
    assert flywheel_command.make_context("flywheel", command[2:]).params["nights"] == 2


def test_the_demo_goes_on_where_no_world_can_be_drawn(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "panda3d.core", None)
    monkeypatch.setattr(swerve, "_show", lambda command: pytest.fail("no world to turn in"))
    swerve._short_turn(tmp_path)
    assert "swerve[world]" in capsys.readouterr().out
