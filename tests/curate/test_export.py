"""A version in other trainers' forms: each frame has the weight of its second, whoever reads it."""

import json
import shutil

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import drive_telemetry
from makers.native import write_native
from makers.picture import number_in
from makers.versions import published, row

from curate.dataset import open_version
from curate.errors import DatasetError
from curate.export import lerobot
from curate.export.frames import reasons
from curate.export.lerobot import OTHER_CAMERAS, export_version
from curate.export.weights import export_weights
from edge.cut import cut
from edge.drive import open_drive
from edge.scan import scan


def brake_at(second):
    return lambda t: 15.0 - 5 * (np.clip(t - second, 0, 1) - np.clip((t - second - 5) / 5, 0, 1))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with a version of three drives that brake, of which clips around the event and a sample were kept."""
    folder = tmp_path_factory.mktemp("export")
    clips = []
    for number in range(3):
        told = drive_telemetry(30.0 + number, speed_mps=brake_at(18))
        drive = open_drive(write_native(folder, f"d{number}", told, 30.0))
        clips += [written.folder for written in cut(scan(drive, 0.05), folder / f"clips-{number}")]
    parts = ("train", "eval", "excluded")
    published(folder / "store", clips, weight=lambda n: 1 + n % 4, kind_factor=2.0, split=lambda n: parts[n % 3])
    return folder / "store"


def test_every_frame_of_every_row_has_its_share_of_the_weight(store, tmp_path):
    version = open_version(store)
    assert export_weights(version, tmp_path / "out") == {}
    frames = pq.read_table(tmp_path / "out/weights.parquet").to_pylist()
    rows = version.rows.to_pylist()
    assert len(frames) == 10 * len(rows)  # ten pictures a second
    summed: dict[tuple[str, int], float] = {}
    for frame in frames:
        second = (frame["clip_id"], frame["t_ns"] // 10**9 * 10**9)
        summed[second] = summed.get(second, 0.0) + frame["weight"]
    assert summed == {(each["clip_id"], each["start_ns"]): pytest.approx(each["weight"]) for each in rows}
    assert {frame["split"] for frame in frames} == {each["split"] for each in rows}
    braking = [frame for frame in frames if "harsh_braking" in frame["events"]]
    assert braking
    assert all(frame["reasons"] == ["kind=2"] for frame in braking)
    assert json.loads((tmp_path / "out/version.json").read_text())["digest"] == version.digest


def test_frame_numbers_are_those_of_the_file(store, tmp_path):
    """Read by a plain decoder, frame k shows what was seen at t_ns; the pre-roll is counted, and left out."""
    export_weights(open_version(store), tmp_path / "out")
    frames = pq.read_table(tmp_path / "out/weights.parquet").to_pylist()
    for clip_id, file in {(frame["clip_id"], frame["file"]) for frame in frames}:
        some = [frame for frame in frames if (frame["clip_id"], frame["file"]) == (clip_id, file)]
        with av.open(str(store / "clips" / clip_id / file)) as video:
            decoded = [number_in(frame) for frame in video.decode(video=0)]
        wanted = [(frame["t_ns"] - 1_700_000_000_000_000_000) // 100_000_000 for frame in some]
        assert [decoded[frame["frame"]] for frame in some] == wanted


def test_a_clip_that_is_gone_is_named_and_none_at_all_is_an_error(store, tmp_path):
    version = open_version(store)
    copy = tmp_path / "copy"
    shutil.copytree(store, copy)
    first, *others = sorted(version.inputs)
    shutil.rmtree(copy / "clips" / first)
    assert list(export_weights(open_version(copy), tmp_path / "one")) == [first]
    for name in others:
        (copy / "clips" / name / "drive.json").write_text("{")
    with pytest.raises(DatasetError, match="no frame"):
        export_weights(open_version(copy), tmp_path / "none")
    with pytest.raises(DatasetError, match="no clip"):
        export_version(open_version(copy), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_lerobot_dataset_has_the_weights_and_events_as_columns(store, tmp_path):
    version = open_version(store)
    assert export_version(version, tmp_path / "out", fps=10) == {}
    info = json.loads((tmp_path / "out/meta/info.json").read_text())
    assert info["features"]["swerve.weight"] == {"dtype": "float32", "shape": [1], "names": ["weight"]}
    kinds = info["features"]["swerve.events"]["names"]
    data = pa.concat_tables(pq.read_table(path) for path in sorted((tmp_path / "out/data").rglob("*.parquet")))
    assert data.num_rows == info["total_frames"]
    rows = version.rows.to_pylist()
    at = data["swerve.weight"].to_numpy()
    assert at.max() == pytest.approx(max(each["weight"] for each in rows), rel=1e-6)
    told = np.stack([np.atleast_1d(flags) for flags in data["swerve.events"].to_pylist()])
    of_kind = {kind: sum(each["weight"] for each in rows if kind in each["events"]) for kind in kinds}
    assert of_kind == {kind: pytest.approx(at[told[:, i]].sum() / 10, rel=1e-5) for i, kind in enumerate(kinds)}
    assert set(data["swerve.split"].to_pylist()) <= {0, 1, 2}


def test_clips_with_other_cameras_are_named(store, tmp_path, monkeypatch):
    version = open_version(store)
    odd, cameras = sorted(version.inputs)[0], lerobot._cameras
    monkeypatch.setattr(
        lerobot, "_cameras", lambda drive: () if odd in str(drive.cameras["front"].path) else cameras(drive)
    )
    assert export_version(version, tmp_path / "out") == {odd: OTHER_CAMERAS}


def test_reasons_name_what_moved_the_weight_most_first():
    assert reasons(row(kind_factor=2.0, rarity_factor=0.25, share_factor=1.0)) == ["rarity=0.25", "kind=2"]
    assert reasons(row(label_factor=0.0, kind_factor=5.0)) == ["label=0", "kind=5"]
    assert reasons(row()) == []


def test_the_command_writes_both_forms_once(store, tmp_path, run):
    out = tmp_path / "w"
    code, told, _ = run("curate", "export", "--store", store, "--to", "weights", "--out", out, "--json")
    assert (code, json.loads(told)["skipped"]) == (0, {})
    code, _, err = run("curate", "export", "--store", store, "--to", "weights", "--out", out)
    assert code == 2
    assert "exists" in err
    assert run("curate", "export", "--store", store, "--to", "lerobot", "--out", tmp_path / "l")[0] == 0
