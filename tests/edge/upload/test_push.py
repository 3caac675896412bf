"""A clip is handed over whole, once, and only with consent."""

from dataclasses import replace
from itertools import count

import pytest

from edge.clip import open_clip
from edge.cut import cut
from edge.drive import open_drive
from edge.errors import ClipError, PushError
from edge.scan import scan
from edge.upload.destination import FolderDestination, destination
from edge.upload.push import push


@pytest.fixture
def clip_folder(native_drive, tmp_path):
    number = count()

    def make(**head):
        drive = open_drive(native_drive(f"d{next(number)}", seconds=12, **head))
        return next(cut(scan(drive, 1.0), tmp_path / "clips")).folder

    return make


def test_a_clip_arrives_whole_and_only_once(clip_folder, tmp_path):
    folder, to = clip_folder(), FolderDestination(tmp_path / "store")
    first, again = push(folder, to), push(folder, to)
    assert (first.known, again.known) == (False, True)
    arrived = tmp_path / "store/inbox" / first.clip_id
    assert {p.name: p.read_bytes() for p in arrived.iterdir()} == {p.name: p.read_bytes() for p in folder.iterdir()}


def test_no_consent_no_upload(clip_folder, tmp_path):
    to = FolderDestination(tmp_path / "store")
    with pytest.raises(PushError, match="does not say whether"):
        push(clip_folder(consent=None), to)
    with pytest.raises(PushError, match="may not be shared"):
        push(clip_folder(consent=False), to, consent=True)
    assert not (tmp_path / "store").exists()
    assert push(clip_folder(consent=None), to, consent=True).bytes > 0


class Breaks(Exception):
    pass


class BreakingLink(FolderDestination):
    """Takes half of what it is given, then breaks."""

    def append(self, clip_id, name, offset, data):
        taken = data[: (len(data) + 1) // 2]
        held = super().append(clip_id, name, offset, taken)
        if len(taken) < len(data):
            raise Breaks
        return held


def test_a_broken_hand_over_goes_on_inside_the_file(clip_folder, tmp_path):
    folder = clip_folder()
    clip = open_clip(folder)
    breaks = 0
    while not FolderDestination(tmp_path / "store").receipt(clip.id):
        try:
            push(folder, BreakingLink(tmp_path / "store"))
        except Breaks:
            breaks += 1
            assert breaks < 100
            assert not list((tmp_path / "store").glob("inbox/*"))
    assert breaks > 3
    arrived = tmp_path / "store/inbox" / clip.id
    assert {p.name: p.read_bytes() for p in arrived.iterdir()} == {p.name: p.read_bytes() for p in folder.iterdir()}


class LyingLink(FolderDestination):
    """Delivers other bytes than were sent."""

    def append(self, clip_id, name, offset, data):
        return super().append(clip_id, name, offset, bytes(len(data)) if name.endswith(".mp4") else data)


def test_bytes_changed_on_the_way_are_refused_and_forgotten(clip_folder, tmp_path):
    folder = clip_folder()
    with pytest.raises(PushError, match="did not arrive whole"):
        push(folder, LyingLink(tmp_path / "store"))
    assert not list((tmp_path / "store").rglob("*.mp4"))
    assert not push(folder, FolderDestination(tmp_path / "store")).known  # and the next try succeeds


def test_a_clip_damaged_here_is_not_sent(clip_folder, tmp_path):
    folder = clip_folder()
    (folder / "telemetry.parquet").write_bytes(b"")
    with pytest.raises(ClipError, match="telemetry"):
        push(folder, FolderDestination(tmp_path / "store"))
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "", "..", "a/b"])
def test_names_cannot_leave_the_store(tmp_path, name):
    with pytest.raises(PushError, match="plain file name"):
        FolderDestination(tmp_path).append("a" * 64, name, 0, b"x")
    with pytest.raises(PushError, match="plain file name"):
        FolderDestination(tmp_path).append(name, "drive.json", 0, b"x")


def test_a_destination_that_is_not_known_is_refused():
    with pytest.raises(PushError, match="ftp"):
        destination("ftp://example.org/store")


class ForgetfulStore(FolderDestination):
    """Answers with a receipt for other bytes."""

    def commit(self, clip_id):
        return replace(super().commit(clip_id), digest="0" * 64)


def test_a_receipt_for_other_bytes_is_no_receipt(clip_folder, tmp_path):
    with pytest.raises(PushError, match="names the digest"):
        push(clip_folder(), ForgetfulStore(tmp_path / "store"))


def test_bytes_must_follow_on(tmp_path):
    to = FolderDestination(tmp_path)
    to.append("a" * 64, "drive.json", 0, b"abc")
    with pytest.raises(PushError, match="at 3"):
        to.append("a" * 64, "drive.json", 2, b"c")
