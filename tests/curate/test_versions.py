"""What changed from one version to the next and why, and whether a version is still whole."""

import json
import shutil

import pytest
from conftest import drive_telemetry
from makers.versions import published, row, table

from curate.version.compare import compare
from curate.version.names import roll_back
from curate.version.outline import outline
from curate.version.publish import publish
from curate.version.verify import verify
from edge.cut import cut
from edge.drive import open_drive
from edge.scan import scan


def put(store, rows, recipe=None):
    return publish(store, table(rows), recipe or {"split": "s"}, {}, {r["clip_id"]: "0" * 64 for r in rows})


@pytest.fixture
def store(native_drive, tmp_path):
    """A store with one version of two drives."""
    clips = []
    for name in ("one", "two"):
        drive = open_drive(
            native_drive(name, drive_telemetry(12.0, steering_wheel_deg=lambda t, n=name: t * len(n)), 12.0)
        )
        clips += [written.folder for written in cut(scan(drive, 1.0), tmp_path / f"clips-{name}")]
    published(tmp_path / "store", clips)
    return tmp_path / "store"


def test_clips_and_seconds_that_came_and_went(tmp_path):
    before = put(tmp_path, [row("a", s) for s in range(5)] + [row("b", s) for s in range(3)])
    after = put(tmp_path, [row("a", s) for s in range(1, 5)] + [row("c", s, events=["swerve"]) for s in range(2)])
    found = compare(before, after)
    assert (found.clips_added, found.clips_removed) == (("c",), ("b",))
    assert (found.seconds_added, found.seconds_removed, found.weights_same) == (2, 4, 4)
    assert found.kinds == {"swerve": (0, 2)}
    assert found.splits == {"train": (8, 6)}


def test_the_factor_that_moved_most_is_the_reason(tmp_path):
    before = put(tmp_path, [row(second=s) for s in range(5)])
    changed = [
        row(second=0, kind_factor=3.0, rarity_factor=1.1, weight=3.3),
        row(second=1, rarity_factor=0.5, weight=0.5),
        row(second=2, label_factor=0.0, weight=0.0),
        row(second=3, weight=0.9),
        row(second=4),
    ]
    found = compare(before, put(tmp_path, changed)).weights_moved
    assert {name: (m.up, m.down) for name, m in found.items()} == {
        "kind": (1, 0),
        "rarity": (0, 1),
        "label": (0, 1),
        "scale": (0, 1),
    }
    assert found["rarity"].median_ratio == pytest.approx(0.5)


def test_a_version_beside_itself_and_beside_a_stranger(tmp_path):
    one, other = put(tmp_path, [row("a")]), put(tmp_path, [row("b", split="eval")], {"split": "t"})
    same = compare(one, one)
    assert (same.weights_same, same.seconds_added, same.weights_moved, same.recipe) == (1, 0, {}, {})
    strange = compare(one, other)
    assert (strange.seconds_added, strange.seconds_removed, strange.recipe) == (1, 1, {"split": ("s", "t")})


def test_a_second_that_changed_sides_is_counted(tmp_path):
    before, after = put(tmp_path, [row()]), put(tmp_path, [row(split="excluded")])
    assert compare(before, after).seconds_of_another_split == 1


def test_the_rarest_clips_of_training_say_why(tmp_path):
    rows = [row("a", 0, weight=2.0), row("a", 1, weight=5.0, events=["swerve"], kind_factor=4.0, rarity_factor=1.5)]
    rows += [row("b", 0, weight=3.0), row("exam", 0, weight=9.0, split="eval")]
    found = outline(put(tmp_path, rows))
    assert [(c.clip_id, c.start_ns) for c in found.rarest] == [("a", 1_000_000_000), ("b", 0)]
    assert found.rarest[0].reasons == {"kind": 4.0, "rarity": 1.5}
    assert found.spread["weight"] == pytest.approx([2.0, 2.1, 3.0, 4.8, 5.0])


def test_a_version_with_nothing_to_train_on_can_be_looked_at(tmp_path):
    assert outline(put(tmp_path, [row(split="eval")])).rarest == ()


@pytest.mark.parametrize("harm", ["flip", "gone", "swap", "manifest"])
def test_every_damaged_clip_is_found(store, harm):
    assert verify(store).damaged == {}
    one, other = (p for p in sorted((store / "clips").iterdir()))
    video = one / "front.mp4"
    if harm == "flip":
        video.write_bytes(video.read_bytes()[:-1] + b"\0")
    elif harm == "gone":
        shutil.rmtree(one)
    elif harm == "swap":
        shutil.rmtree(one)
        shutil.copytree(other, one)
    else:
        (one / "drive.json").write_text("{")
    assert list(verify(store).damaged) == [one.name]


def test_commands_speak_json_and_tables_and_exit_with_a_meaning(store, run):
    (name,) = (v["name"] for v in json.loads(run("curate", "versions", "--store", store, "--json")[1]))
    assert run("curate", "tag", "current", "first", "--store", store)[0] == 0
    assert json.loads(run("curate", "versions", "--store", store, "--json")[1])[0]["tags"] == ["first"]
    shown = json.loads(run("curate", "show", "first", "--store", store, "--json")[1])
    assert shown["name"] == name
    assert len(shown["inputs"]) == 2
    assert "rarest clip" in run("curate", "show", "--store", store)[1]
    assert json.loads(run("curate", "diff", name, "--store", store, "--json")[1])["seconds_added"] == 0
    assert "nothing: the same" in run("curate", "diff", "first", "current", "--store", store)[1]
    assert run("curate", "verify", "--store", store)[0] == 0
    shutil.rmtree(next((store / "clips").iterdir()))
    code, out, _ = run("curate", "verify", "--store", store, "--json")
    assert (code, len(json.loads(out)["damaged"])) == (1, 1)
    (store / "versions" / name / "rows.parquet").write_bytes(b"junk")
    code, _, err = run("curate", "verify", "--store", store)
    assert code == 2
    assert "wanted" in err


def test_a_damaged_version_is_listed_and_rolled_back_from(store, run, tmp_path):
    first = json.loads(run("curate", "versions", "--store", store, "--json")[1])[0]["name"]
    second = put(store, [row()]).name
    (store / "versions" / second / "version.json").write_text("{")
    listed = json.loads(run("curate", "versions", "--store", store, "--json")[1])
    assert ["damaged" in version for version in listed] == [False, True]
    assert "damaged" in run("curate", "versions", "--store", store)[1]
    assert first in run("curate", "rollback", first, "--store", store)[1]
    assert run("curate", "show", "--store", store)[0] == 0
    assert run("curate", "rollback", "0099-deadbeef", "--store", store)[0] == 2
    roll_back(store, "newest")
    assert run("curate", "show", "--store", store)[0] == 2
