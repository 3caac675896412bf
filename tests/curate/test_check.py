"""A clip that is not what it says is refused with a code; one whose claims do not hold is ordinary driving."""

import json
import shutil
import time
from dataclasses import replace

import av
import numpy as np
import pytest
from conftest import drive_telemetry
from makers.picture import gray

from curate.admit import ADMISSION, Doubted, admit, doubted_claims
from curate.check import Code, Unfit, check
from curate.claims import Doubts, doubts
from curate.clipref import ClipRef
from curate.nightly import nightly
from curate.store import Store
from edge.clip import open_clip
from edge.cut import cut
from edge.drive import find_drives, open_drive
from edge.durable import write_bytes
from edge.errors import DriveError
from edge.isolate import Bounds, ChildDied, each
from edge.manifest import file_entry
from edge.scan import scan
from edge.upload.destination import FolderDestination
from edge.upload.push import push
from swerve import sample_clips


def braking(t):
    return 15.0 - 5 * np.clip(t - 10, 0, 1)


@pytest.fixture
def clip(native_drive, tmp_path):
    drive = open_drive(native_drive("d", drive_telemetry(24, speed_mps=braking), 24))
    return open_clip(next(cut(scan(drive, 0.0), tmp_path / "clips")).folder)


def remade(clip, to, offer=None, **changes):
    """The clip with another manifest, under its new id; the digests of its files are made to fit."""
    shutil.copytree(clip.folder, to / "new")
    return rename(replace(clip.manifest, **changes), to / "new", offer or clip.offer)


def rename(manifest, folder, offer):
    files = {n: file_entry(folder / n) if (folder / n).exists() else e for n, e in manifest.files.items()}
    manifest = replace(manifest, files=files)
    (folder / "drive.json").write_bytes(manifest.to_bytes())
    (folder / "offer.json").write_bytes(replace(offer, clip_id=manifest.digest).to_bytes())
    return folder.rename(folder.parent / manifest.digest)


def ref_to(folder):
    return ClipRef(folder.name, folder, folder.parent / "made" / folder.name)


def code_of(folder):
    with pytest.raises(Unfit) as refused:
        check(ref_to(folder))
    return refused.value.code


def test_an_honest_clip_is_fit_and_its_claims_hold(clip, tmp_path):
    assert "harsh_braking" in {event.kind for event in clip.cut.events}
    checked = check(ref_to(remade(clip, tmp_path)))
    assert checked.doubts == Doubts()


def camera(clip, **changes):
    return {"cameras": {"front": replace(clip.manifest.cameras["front"], **changes)}}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"codec": "hevc"}, Code.BAD_CODEC),
        ({"width": 16384, "height": 16384}, Code.BAD_SIZE),
        ({"frames": 1_000_000}, Code.BAD_FRAMES),
        ({"t0_ns": 0}, Code.BAD_TIMES),
    ],
)
def test_a_camera_is_what_the_manifest_says(clip, tmp_path, changes, code):
    assert code_of(remade(clip, tmp_path, **camera(clip, **changes))) is code


def video(path, codec="libx264", size=(64, 48), format_="mp4", rate=10, frames=20):
    with av.open(str(path), "w", format=format_) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), number, np.uint8))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("foreign", "code"),
    [
        (lambda path: path.write_bytes(b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"), Code.BAD_CONTAINER),
        (lambda path: path.write_bytes(b""), Code.BAD_CONTAINER),
        (lambda path: path.write_bytes(b"\0\0\0\x20ftypisom" + bytes(500)), Code.BAD_CONTAINER),
        (lambda path: video(path, format_="matroska"), Code.BAD_CONTAINER),
        (lambda path: video(path, codec="mpeg4"), Code.BAD_CODEC),
        (lambda path: video(path, size=(128, 96)), Code.BAD_SIZE),
        (lambda path: video(path, frames=3), Code.BAD_FRAMES),
    ],
)
def test_a_file_that_is_another_is_refused(clip, tmp_path, foreign, code):
    shutil.copytree(clip.folder, tmp_path / "new")
    foreign(tmp_path / "new" / "front.mp4")
    entry = replace(clip.manifest.cameras["front"], t0_ns=clip.cut.window_ns[0], pts_origin=0)
    folder = rename(replace(clip.manifest, cameras={"front": entry}), tmp_path / "new", clip.offer)
    assert code_of(folder) is code


def test_damaged_telemetry_is_refused(clip, tmp_path):
    shutil.copytree(clip.folder, tmp_path / "new")
    (tmp_path / "new/telemetry.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    assert code_of(rename(clip.manifest, tmp_path / "new", clip.offer)) is Code.BAD_TELEMETRY


def test_frames_that_do_not_decode_are_refused(clip, tmp_path):
    shutil.copytree(clip.folder, tmp_path / "new")
    path = tmp_path / "new/front.mp4"
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + 400
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(bytes(data))
    assert code_of(rename(clip.manifest, tmp_path / "new", clip.offer)) is Code.BAD_FRAMES


def test_a_window_without_end_is_refused(clip, tmp_path):
    far = replace(clip.cut, window_ns=(clip.cut.window_ns[0], 1 << 61))
    folder = remade(clip, tmp_path, cut=far)
    assert code_of(folder) in (Code.NO_PROBABILITY, Code.BAD_TIMES)


def test_missing_and_mixed_up_files_have_their_codes(clip, tmp_path):
    folder = remade(clip, tmp_path)
    (folder / "telemetry.parquet").write_bytes(b"")
    assert code_of(folder) is Code.WRONG_FILE
    (folder / "offer.json").unlink()
    assert code_of(folder) is Code.BAD_OFFER
    assert code_of(folder.rename(tmp_path / ("0" * 64))) is Code.BAD_OFFER
    assert code_of(tmp_path / "nothing") is Code.BAD_MANIFEST


def claiming(clip, tmp_path, **lie):
    event = next(e for e in clip.cut.events if e.kind == "harsh_braking")
    others = [e for e in clip.cut.events if e != event]
    return remade(clip, tmp_path, cut=replace(clip.cut, events=(*others, replace(event, **lie)))), event


@pytest.mark.parametrize("lie", [{"kind": "disengagement"}, {"severity": 9.9}, {"window_ns": (0, 1)}])
def test_a_claim_that_the_telemetry_does_not_bear_out_gains_no_weight(clip, tmp_path, lie):
    folder, event = claiming(clip, tmp_path, **lie)
    (refuted,) = check(ref_to(folder)).doubts.refuted
    assert (refuted.kind, refuted.t_ns) == (lie.get("kind", event.kind), event.t_ns)
    store = FolderDestination(tmp_path / "store")
    push(folder, store)
    night = nightly(Store(store.root), split="time:0.75")
    assert night.admissions[0].refuted == 1
    assert night.version.head["counts"]["claims_refuted"] == 1
    assert json.loads((store.root / "clips" / folder.name / ADMISSION).read_text())["refuted"]
    kinds = {kind for row in night.version.rows.column("events").to_pylist() for kind in row}
    assert refuted.kind not in kinds


@pytest.mark.parametrize("foreign", [{"kind": "invented"}, {"version": "2"}, {"version": "3+0123456789ab"}])
def test_a_claim_that_nobody_here_can_check_is_counted_as_that_and_gains_no_weight(clip, tmp_path, run, foreign):
    folder, event = claiming(clip, tmp_path, **foreign)
    (unchecked,) = check(ref_to(folder)).doubts.unchecked
    assert unchecked.t_ns == event.t_ns
    store = FolderDestination(tmp_path / "store")
    push(folder, store)
    code, out, _ = run("curate", "nightly", "--store", store.root, "--split", "time:0.75")
    assert (code, "1 claimed events name a trigger or campaign unknown here" in out) == (0, True)
    night = nightly(Store(store.root), split="time:0.75")
    counts = night.version.head["counts"]
    assert (counts["claims_refuted"], counts["claims_not_checked"]) == (0, 1)
    assert unchecked.kind not in {kind for row in night.version.rows.column("events").to_pylist() for kind in row}


def test_what_an_earlier_swerve_wrote_down_of_a_clip_is_still_read(tmp_path):
    (tmp_path / ADMISSION).write_text('{"refuted":[["slow",7]]}')
    assert doubted_claims(tmp_path) == Doubted(refuted=frozenset({("slow", 7)}))


def test_a_device_that_sends_most_is_held_to_its_share(native_drive, tmp_path):
    store = tmp_path / "store"
    for number, device in enumerate(["loud", "loud", "loud", "a", "b", "c", "d"]):
        drive = open_drive(
            native_drive(f"d{number}", drive_telemetry(8), 8, shows=lambda i, first=500 * number: gray(first + i))
        )
        clip = open_clip(next(cut(scan(drive, 1.0), tmp_path / f"clips-{number}")).folder)
        push(clip.folder, FolderDestination(store))
        write_bytes(store / "inbox" / clip.id / "receipt.json", f'{{"device":"{device}"}}'.encode())
    night = nightly(Store(store), split="time:0.999")
    counts = night.version.head["counts"]
    assert (counts["devices"], counts["devices_held_to_share"], counts["largest_device_share"]) == (5, 1, 0.4)
    train = [row for row in night.version.rows.to_pylist() if row["split"] == "train"]
    loud = [row["weight"] for row in train if row["device"] == "loud"]
    assert sum(loud) == pytest.approx(0.4 * sum(row["weight"] for row in train))


def test_admission_keeps_the_reason_and_the_code(clip, tmp_path):
    push(clip.folder, FolderDestination(tmp_path / "store"))
    (tmp_path / "store/inbox" / clip.id / "offer.json").write_text("{}")
    (admission,) = admit(Store(tmp_path / "store"))
    assert admission.code == Code.BAD_OFFER
    reason = json.loads((tmp_path / "store/quarantine" / clip.id / "reason.json").read_text())
    assert (reason["reason"], bool(reason["got"]), bool(reason["todo"])) == ("bad_offer", True, True)


def spin(_):
    while True:
        pass


def wait(_):
    time.sleep(3600)


def fill(_):
    return len(bytearray(1 << 33))


@pytest.mark.parametrize("job", [spin, wait])
def test_a_child_past_its_time_is_killed_and_the_next_item_is_served(job):
    results = list(each(job, [1], Bounds(cpu_s=1, wall_s=0.5, memory_bytes=1 << 30)))
    assert isinstance(results[0], ChildDied)


def test_a_child_past_its_memory_gets_none():
    (result,) = each(fill, [1], Bounds(cpu_s=5, wall_s=30.0, memory_bytes=1 << 30))
    assert isinstance(result, DriveError)
    assert "1 needs more memory than the 1024 MiB it may have" in str(result)


def test_every_claim_of_the_sample_drives_is_found_again(tmp_path):
    claimed = 0
    for _, where in find_drives(sample_clips()):
        for written in cut(scan(open_drive(where), 0.0), tmp_path):
            clip = open_clip(written.folder)
            assert doubts(clip, open_drive(clip.folder)) == Doubts()
            claimed += len(clip.cut.events)
    assert claimed > 10
