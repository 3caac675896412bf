"""Uploads resume at every byte, have one writer at a time, and promise nothing that is not on the disk."""

import asyncio
from hashlib import sha256

import httpx
import pytest

from curate.service.app import make_app
from service.conftest import Sender, checksum, metadata

DATA = bytes(range(64))


def test_an_upload_resumes_at_every_offset(sender, bench):
    for cut in range(1, len(DATA)):
        url = sender.begin(DATA, name=f"{cut}.mp4").headers["Location"]
        assert sender.patch(url, 0, DATA[:cut]).status_code == 204
        if cut % 16 == 0:  # also by another process, after the first is gone
            bench.close()
            bench.open()
        assert sender.offset(url) == cut
        assert sender.patch(url, cut, DATA[cut:]).headers["Upload-Offset"] == str(len(DATA))
        assert (bench.root / "service/arriving" / url.split("/")[-1]).read_bytes() == DATA


def test_bytes_that_were_never_promised_do_not_count(sender, bench):
    """What a power cut leaves in the file beyond the row: of another length, of other content."""
    url = sender.begin(DATA).headers["Location"]
    sender.patch(url, 0, DATA[:10])
    with (bench.root / "service/arriving" / url.split("/")[-1]).open("ab") as file:
        file.write(b"\0" * 30)
    bench.close()
    bench.open()
    assert sender.offset(url) == 10
    assert sender.patch(url, 10, DATA[10:]).status_code == 204


def test_more_than_was_announced_is_refused_and_forgotten(sender):
    url = sender.begin(DATA).headers["Location"]
    answer = sender.patch(url, 0, DATA + b"x")
    assert (answer.status_code, answer.json()["reason"]) == (400, "beyond_length")
    assert sender.offset(url) == 0
    assert sender.patch(url, 0, DATA).status_code == 204


def test_a_file_that_is_not_what_was_announced_starts_again(sender):
    url = sender.begin(DATA).headers["Location"]
    sender.patch(url, 0, bytes(32))
    answer = sender.patch(url, 32, DATA[32:])
    assert (answer.status_code, answer.json()["reason"]) == (460, "content")
    assert sender.offset(url) == 0
    assert sender.patch(url, 0, DATA).headers["Upload-Offset"] == str(len(DATA))


def test_an_upload_is_its_devices_alone(bench, sender):
    url, other = sender.begin(DATA).headers["Location"], Sender(bench, "car-2")
    assert other.ask("HEAD", url).status_code == 404
    assert other.patch(url, 0, DATA).status_code == 404
    assert other.ask("DELETE", url).status_code == 404
    assert other.begin(DATA).headers["Location"] != url


SILENCE = object()


def during_a_request(bench, url, before, meanwhile, after=b"", method="PATCH", **headers):
    """Send `before`, do something while the request is under way, send `after`; None breaks the connection instead."""

    async def go():
        messages = [{"type": "http.request", "body": before, "more_body": True}]
        answered = []

        async def receive():
            if messages:
                return messages.pop()
            if meanwhile is SILENCE:
                await asyncio.Event().wait()
            answered.append(await asyncio.to_thread(meanwhile))
            if after is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": after, "more_body": False}

        async def send(message):
            if message["type"] == "http.response.start":
                answered.append(message["status"])

        told = bench.headers(Upload_Offset="0", Content_Type="application/offset+octet-stream", **headers)
        raw = [(name.lower().encode(), value.encode()) for name, value in told.items()]
        scope = {"type": "http", "method": method, "path": url, "raw_path": url.encode(), "query_string": b""}
        await make_app(bench.service)({**scope, "headers": raw, "http_version": "1.1"}, receive, send)
        return answered

    return asyncio.run(go())


def test_two_writers_at_once_are_one_writer(bench, sender):
    url = sender.begin(DATA).headers["Location"]
    during, status = during_a_request(bench, url, DATA[:8], lambda: sender.patch(url, 0, DATA), DATA[8:])
    assert (during.status_code, during.json()["reason"], status) == (423, "busy", 204)
    assert sender.offset(url) == len(DATA)


def test_how_much_is_held_is_not_told_while_it_changes(bench, sender):
    """The writer may be a connection that died at the car's end: who believed the answer would send all again."""
    url = sender.begin(DATA).headers["Location"]
    asked, status = during_a_request(bench, url, DATA[:8], lambda: sender.ask("HEAD", url), DATA[8:])
    assert (asked.status_code, asked.headers["Retry-After"], status) == (423, "20", 204)


def test_what_a_crash_left_of_an_upload_that_is_no_more_goes_with_the_next_start(bench, sender):
    url = sender.begin(DATA).headers["Location"]
    sender.patch(url, 0, DATA[:10])
    arriving = bench.root / "service/arriving"
    (arriving / "committed-before-the-crash").write_bytes(DATA)
    bench.close()
    bench.open()
    assert [path.name for path in arriving.iterdir()] == [url.split("/")[-1]]


def test_nothing_is_deleted_or_committed_while_it_is_written(bench, sender):
    url = sender.begin(DATA).headers["Location"]
    assert during_a_request(bench, url, DATA[:8], lambda: sender.ask("DELETE", url).status_code, DATA[8:]) == [423, 204]
    url = sender.begin(DATA, name="rear.mp4").headers["Location"]
    assert during_a_request(bench, url, DATA[:8], lambda: sender.commit("a" * 64).status_code, DATA[8:]) == [423, 204]
    url = sender.begin(DATA, name="left.mp4").headers["Location"]
    begun = during_a_request(bench, url, DATA[:8], lambda: sender.begin(DATA, name="right.mp4").status_code, DATA[8:])
    assert begun == [201, 204]


def test_what_arrived_before_a_break_is_kept_unless_a_checksum_binds_it(bench, sender):
    url = sender.begin(DATA).headers["Location"]
    during_a_request(bench, url, DATA[:8], lambda: None, None)
    assert sender.offset(url) == 8
    url = sender.begin(DATA, name="rear.mp4").headers["Location"]
    during_a_request(bench, url, DATA[:8], lambda: None, None, Upload_Checksum=checksum(DATA))
    assert sender.offset(url) == 0
    assert sender.patch(url, 0, DATA).status_code == 204


def creation(data, name="front.mp4", **more):
    told = metadata(clip="a" * 64, name=name, sha256=sha256(data).hexdigest())
    size = str(len(data))
    return {"method": "POST", "Content_Length": size, "Upload_Length": size, "Upload_Metadata": told} | more


def test_what_a_broken_creation_brought_is_found_by_the_next_one(bench, sender):
    assert during_a_request(bench, "/v1/uploads", DATA[:8], lambda: None, None, **creation(DATA)) == [None, 400]
    again = sender.begin(DATA)
    assert again.headers["Upload-Offset"] == "8"
    assert sender.patch(again.headers["Location"], 8, DATA[8:]).headers["Upload-Offset"] == str(len(DATA))


@pytest.mark.parametrize(
    ("sent", "more", "reason"),
    [
        (bytes(64), {}, "content"),
        (DATA, {"Upload_Checksum": checksum(bytes(64))}, "checksum"),
        (DATA + b"x", {}, "beyond_length"),
    ],
)
def test_a_creation_that_brought_the_wrong_bytes_leaves_nothing(bench, sender, sent, more, reason):
    told = {"Content_Type": "application/offset+octet-stream"} | creation(DATA, **more)
    answer = sender.ask(told.pop("method"), "/v1/uploads", sent, **told)
    assert answer.json()["reason"] == reason
    assert bench.service.waiting() == 0
    assert list((bench.root / "service/arriving").iterdir()) == []
    assert sender.begin(DATA).headers["Upload-Offset"] == "0"


def test_a_crash_leaves_no_bytes_that_nothing_tells_of(bench, sender):
    url = sender.begin(DATA).headers["Location"]
    sender.patch(url, 0, DATA[:8])
    bench.close()
    (bench.root / "service/arriving/of-a-creation-that-was-cut-off").write_bytes(DATA)
    bench.open()
    assert [path.name for path in (bench.root / "service/arriving").iterdir()] == [url.split("/")[-1]]
    assert sender.offset(url) == 8


def test_a_file_in_pieces_is_read_again_only_after_a_restart(bench, sender, monkeypatch):
    def unread(*_):
        raise AssertionError("read again")

    url = sender.begin(DATA).headers["Location"]
    with monkeypatch.context() as patched:
        patched.setattr("curate.service.writing.hashlib.file_digest", unread)
        sender.patch(url, 0, DATA[:20])
        assert sender.patch(url, 20, b"damaged", Upload_Checksum=checksum(DATA[20:27])).status_code == 460
        sender.patch(url, 20, DATA[20:40], Upload_Checksum=checksum(DATA[20:40]))
        assert sender.patch(url, 40, DATA[40:]).headers["Upload-Offset"] == str(len(DATA))
    url = sender.begin(DATA, name="rear.mp4").headers["Location"]
    sender.patch(url, 0, DATA[:20])
    bench.close()
    bench.open()
    assert sender.patch(url, 20, bytes(44)).json()["reason"] == "content"
    sender.patch(url, 0, DATA[:20])
    assert sender.patch(url, 20, DATA[20:]).status_code == 204


def test_one_who_sends_nothing_is_sent_away(make_bench):
    bench = make_bench(idle_s=0.01)
    sender = Sender(bench)
    url = sender.begin(DATA).headers["Location"]
    assert during_a_request(bench, url, DATA[:8], SILENCE) == [408]
    assert sender.offset(url) == 8


def test_a_device_may_leave_only_so_much_lying_about(make_bench):
    bench = make_bench(waiting_bytes=100)
    sender = Sender(bench)
    assert sender.begin(DATA).status_code == 201
    answer = sender.begin(DATA, name="rear.mp4")
    assert (answer.status_code, answer.json()["reason"]) == (429, "quota")
    assert int(answer.headers["Retry-After"]) > 0
    assert Sender(bench, "car-2").begin(DATA).status_code == 201


def test_what_is_on_its_way_counts_as_lying_about(make_bench):
    bench = make_bench(waiting_bytes=100)
    sender = Sender(bench)

    def begin():
        return sender.begin(DATA, name="rear.mp4").status_code

    assert during_a_request(bench, "/v1/uploads", DATA[:8], begin, DATA[8:], **creation(DATA)) == [429, 201]


def test_a_full_disk_is_said_and_changes_nothing(make_bench):
    bench = make_bench(free_bytes=1 << 60)
    sender = Sender(bench)
    answer = sender.begin(DATA)
    assert (answer.status_code, answer.json()["reason"]) == (507, "disk")
    assert bench.service.waiting() == 0
    assert bench.client.get("/readyz").status_code == 507


@pytest.mark.parametrize("where", ["fsync", "ftruncate"])
def test_a_disk_that_fills_up_meanwhile_promises_nothing(bench, sender, monkeypatch, where):
    url = sender.begin(DATA).headers["Location"]

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(f"curate.service.writing.os.{where}", full)
        assert sender.patch(url, 0, DATA).status_code == 507
    assert sender.offset(url) == 0
    assert sender.patch(url, 0, DATA).status_code == 204


def test_a_length_that_lies_cannot_reach_past_itself(bench, sender):
    """A body shorter than its Content-Length says is a broken connection, not a short file."""
    told = metadata(clip="a" * 64, name="front.mp4", sha256=sha256(DATA).hexdigest())
    url = sender.ask("POST", "/v1/uploads", Upload_Length="64", Upload_Metadata=told).headers["Location"]
    during_a_request(bench, url, DATA[:8], lambda: None, None, Content_Length="64")
    assert sender.offset(url) == 8
    assert isinstance(sender.patch(url, 8, DATA[8:]), httpx.Response)
    assert sender.offset(url) == 64
