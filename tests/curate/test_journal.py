"""What came when is written down once, also where a run was killed or a line was torn."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curate.journal import JOURNAL, Entry, append, note_arrivals, read_journal
from curate.store import Store


def put(root, place, name, **files):
    folder = root / place / name
    folder.mkdir(parents=True)
    for file, data in files.items():
        (folder / f"{file}.json").write_text(json.dumps(data))


def test_what_came_is_noted_once_with_its_device_and_reason(tmp_path):
    put(tmp_path, "clips", "a", receipt={"device": "car-1"}, admission={"refuted": [["swerve", 3]]})
    put(tmp_path, "quarantine", "b.1234", reason={"reason": "bad_frames", "got": "3 of 9", "device": "car-2"})
    store = Store(tmp_path)
    assert note_arrivals(store, 100) == [
        Entry(100, "clips", "a", "car-1", refuted=1),
        Entry(100, "quarantine", "b.1234", "car-2", "bad_frames", "3 of 9"),
    ]
    assert note_arrivals(store, 200) == []
    put(tmp_path, "clips", "b")  # sent again, whole
    assert [(e.time_s, e.clip_id, e.code) for e in note_arrivals(store, 300)] == [(300, "b", "")]
    assert [e.time_s for e in read_journal(tmp_path)] == [100, 100, 300]


@settings(deadline=None)
@given(st.integers(0, 400), st.binary(max_size=30))
@example(145, b"\n")
@example(145, b" \r\n")
@example(145, b"\r")
def test_a_torn_or_damaged_line_costs_itself(tmp_path_factory, cut, junk):
    root = tmp_path_factory.mktemp("store")
    entries = [Entry(n, "clips", f"{n:064x}") for n in range(3)]
    append(root, entries)
    path = root / JOURNAL
    whole = path.read_bytes()
    left = whole[:cut] + junk
    path.write_bytes(left)
    kept = read_journal(root)
    append(root, [Entry(9, "clips", "new")])
    after = read_journal(root)
    assert after[-1] == Entry(9, "clips", "new")
    assert after[:-1] == [e for e in kept if e in after]
    told = [line.strip(b" \t") for line in left[: left.rfind(b"\n") + 1].splitlines()]  # also where the junk ends it
    assert [e for e in after[:-1] if e in entries] == [
        entry for entry, line in zip(entries, whole.splitlines(), strict=True) if line in told
    ]


@pytest.mark.parametrize("damage", ["", "[]", "{"])
def test_a_refusal_without_a_readable_reason_is_noted_too(tmp_path, damage):
    put(tmp_path, "quarantine", "b")
    (tmp_path / "quarantine/b/reason.json").write_text(damage)
    (entry,) = note_arrivals(Store(tmp_path), 5)
    assert (entry.place, entry.got) == ("quarantine", "no reason was written down")
