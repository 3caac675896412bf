"""The model of a disk loses what it may, and nothing else."""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from disk import Change, Disk, File, Folder


def outcomes(disk, keep=0.5):
    """All that is found after many cuts."""
    return [disk.after_a_cut(keep, random.Random(seed)) for seed in range(300)]


def written(disk, path, data):
    disk.step({path: File()})
    disk.file(path).change(Change(0, data))


def test_without_fsync_a_name_and_its_bytes_are_lost_apart():
    disk = Disk()
    written(disk, "a", b"x" * 600)
    found = outcomes(disk)
    assert {frozenset(each) for each in found} == {frozenset(), frozenset({"a"})}
    assert {each["a"] for each in found if each} == {b"", b"x" * 512, b"x" * 600, bytes(600)}


def test_what_was_forced_to_disk_with_its_name_is_there():
    disk = Disk()
    written(disk, "a", b"x")
    disk.sync("a")
    assert {} in outcomes(disk), "fsync of a file says nothing of its name"
    disk.sync("")
    assert all(each == {"a": b"x"} for each in outcomes(disk, 0.0))


def test_a_rename_is_one_step_and_needs_what_came_before():
    disk = Disk()
    written(disk, "new", b"2")
    disk.sync("new")
    disk.step({"old": File(bytearray(b"1"), bytearray(b"1"))})
    disk.sync("")
    disk.step({"new": None, "old": disk.find("new")})
    assert {tuple(sorted(each.items())) for each in outcomes(disk)} == {
        (("new", b"2"), ("old", b"1")),
        (("old", b"2"),),
    }


def test_a_folder_whose_name_is_lost_takes_all_with_it():
    disk = Disk()
    disk.step({"f": Folder()})
    written(disk, "f/a", b"x")
    disk.sync("f/a")
    disk.sync("f")
    assert {frozenset(each) for each in outcomes(disk)} == {frozenset(), frozenset({"f", "f/a"})}
