"""A clip over HTTP: whole, once, resumed inside a file, and read by the night."""

from curate.nightly import nightly
from curate.store import open_store
from edge.upload.push import push


def test_a_clip_arrives_whole_and_the_night_reads_it(bench, make_clip):
    clip = make_clip()
    first, again = push(clip.folder, bench.car()), push(clip.folder, bench.car())
    assert (first.known, again.known) == (False, True)
    assert first.digest == again.digest == clip.digest
    arrived = bench.root / "inbox" / clip.id
    assert {n: (arrived / n).read_bytes() for n in clip.names} == {
        n: (clip.folder / n).read_bytes() for n in clip.names
    }
    assert list((bench.root / "service/arriving").iterdir()) == []
    night = nightly(open_store(bench.root))
    assert [(a.clip_id, a.reason) for a in night.admissions] == [(clip.id, "")]
    assert push(clip.folder, bench.car()).known
