"""A clip with a defect is quarantined and says why; one that somebody looked at comes back, what it is not does not."""

import json
import shutil

import numpy as np
import pytest
from conftest import T0_NS, drive_telemetry
from makers.scenes import scene

from curate.admit import admit
from curate.errors import StoreError
from curate.quarantine import readmissions, readmit
from curate.store import Store
from edge.cut import cut
from edge.drive import open_drive
from edge.manifest import Manifest
from edge.scan import scan
from edge.upload.destination import FolderDestination
from edge.upload.push import push
from edge.video.encode import Encoding
from edge.write import encoded, write_drive
from trigger.vehicle import VehicleProfile


def stuck_at_black(number):
    return np.full((96, 160, 3), 0, np.uint8)


PICTURES = scene(11, stands=False).cameras["front"].thumbs


def moving(number):
    grey = np.kron(PICTURES[number % len(PICTURES)], np.ones((6, 5), np.uint8))
    return np.repeat(grey[:, :, None], 3, axis=2)


def backwards_in_pairs(number):
    return moving(number + 1 - 2 * (number % 2))


@pytest.fixture
def pushed(tmp_path):
    """Cuts a drive of 20 s with these pictures and signals, pushes it, and returns the store."""

    def make(draw=moving, rate_hz=20, **signals):
        steps = round(1e9 / rate_hz)
        frames = ((T0_NS + i * steps, draw(i)) for i in range(20 * rate_hz))
        head = Manifest("d", "native", T0_NS, {}, {}, consent=True, vehicle=VehicleProfile(2.7, 15.0))
        camera = encoded(frames, Encoding(key_every=24))
        write_drive(tmp_path / "d", head, drive_telemetry(20, **signals), {"front": camera})
        for written in cut(scan(open_drive(tmp_path / "d"), 1.0), tmp_path / "clips"):
            push(written.folder, FolderDestination(tmp_path / "store"))
        return Store(tmp_path / "store")

    return make


def why(store, clip_id):
    return json.loads((store.root / "quarantine" / clip_id / "reason.json").read_bytes())


def test_a_sound_clip_is_admitted_and_what_was_made_of_it_stays(pushed):
    store = pushed()
    (admission,) = admit(store)
    assert (admission.code, admission.noted) == ("", ())
    assert (store.root / "made" / admission.clip_id / "look-1/look.json").is_file()
    said = json.loads((store.root / "clips" / admission.clip_id / "admission.json").read_bytes())
    assert {finding["severity"] for finding in said["findings"]} == {"undetermined"}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"draw": stuck_at_black}, "black_picture"),
        ({"draw": lambda _: moving(0)}, "frozen_picture"),
        ({"draw": backwards_in_pairs}, "reordered_frames"),
        ({"steering_wheel_deg": lambda t: np.where(t < 1, 1.0, 2000.0)}, "bad_range"),
        ({"accel_long_mps2": lambda t: 2 * np.cos(t), "speed_mps": lambda t: 20 + 7.2 * np.sin(t)}, "bad_unit"),
        ({"speed_mps": lambda t: np.where(t > 8, np.nan, 15.0)}, "missing_samples"),
    ],
)
def test_a_defect_survives_encoding_and_keeps_the_clip_out(pushed, options, code):
    store = pushed(**options)
    (admission,) = admit(store)
    assert admission.code == code
    said = why(store, admission.clip_id)
    assert said["reason"] == code
    assert said["findings"][0]["evidence"] in said["got"]
    assert "readmit" in said["todo"]
    assert not (store.root / "made" / admission.clip_id).exists()


def test_somebody_lets_a_clip_pass(pushed, run):
    store = pushed(draw=stuck_at_black)
    (refused,) = admit(store)
    code, out, _ = run("curate", "readmit", refused.clip_id[:12], "--store", store.root, "--why", "a tunnel", "--json")
    assert (code, json.loads(out)["codes"]) == (0, ["black_picture"])
    (admitted,) = admit(store)
    assert (admitted.code, admitted.noted) == ("", ("black_picture",))
    said = json.loads((store.root / "clips" / admitted.clip_id / "admission.json").read_bytes())
    assert said["readmitted"] == {"codes": ["black_picture"], "why": "a tunnel"}
    assert admit(store) == []


def test_what_a_clip_is_not_is_never_let_pass(pushed):
    store = pushed()
    (clip,) = store.folders("inbox")
    (clip / "telemetry.parquet").write_bytes(b"")
    (refused,) = admit(store)
    with pytest.raises(StoreError, match="wrong_file"):
        readmit(store, refused.clip_id, "it is right")
    assert (store.root / "quarantine" / refused.clip_id).is_dir()
    assert not readmissions(store.root)


def test_a_file_of_the_clip_cannot_let_it_pass(pushed):
    store = pushed(draw=stuck_at_black)
    (clip,) = store.folders("inbox")
    (clip / "readmitted.json").write_text('{"codes":["black_picture"],"why":"me"}')
    assert [admission.code for admission in admit(store)] == ["black_picture"]


@pytest.mark.parametrize(
    ("name", "reason", "words"),
    [("0" * 64, "x", "no clip"), ("", "x", "no clip"), ("abc", "x", "no clip"), (None, " ", "no reason")],
)
def test_a_slip_of_the_hand_moves_nothing(pushed, name, reason, words):
    store = pushed(draw=stuck_at_black)
    (refused,) = admit(store)
    with pytest.raises(StoreError, match=words):
        readmit(store, refused.clip_id if name is None else name, reason)
    assert len(store.folders("quarantine")) == 1


def test_killed_between_the_note_and_the_move_it_can_be_done_again(pushed):
    store = pushed(draw=stuck_at_black)
    (refused,) = admit(store)
    readmit(store, refused.clip_id, "a tunnel")
    (store.root / "inbox" / refused.clip_id).rename(store.root / "quarantine" / refused.clip_id)
    readmit(store, refused.clip_id, "a tunnel")
    with pytest.raises(StoreError, match="no clip"):
        readmit(store, refused.clip_id, "a tunnel")
    assert [admission.code for admission in admit(store)] == [""]


def test_a_refused_copy_takes_nothing_from_the_admitted_clip(pushed):
    store = pushed()
    (admitted,) = admit(store)
    copy = store.root / "inbox" / admitted.clip_id
    shutil.copytree(store.root / "clips" / admitted.clip_id, copy)
    (copy / "telemetry.parquet").write_bytes(b"")
    (refused,) = admit(store)
    assert refused.code == "wrong_file"
    assert (store.root / "made" / admitted.clip_id / "look-1").is_dir()


def test_a_look_that_a_killed_run_left_is_used(pushed):
    store = pushed()
    (clip,) = store.folders("inbox")
    (admitted,) = admit(store)
    made = store.root / "made" / admitted.clip_id / "look-1"
    before = made.stat().st_mtime_ns
    (store.root / "clips" / admitted.clip_id).rename(clip)
    assert [again.code for again in admit(store)] == [""]
    assert made.stat().st_mtime_ns == before
