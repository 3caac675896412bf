"""Clips over links that break: exactly once, and hardly a byte twice. The link is seeded and in this process."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import httpx
import pytest
from makers.lossy import LossyLink

from edge.clip import content_digest, open_clip
from edge.errors import PushError
from edge.offer import Offer
from edge.upload.http_destination import HttpDestination
from edge.upload.push import push


def tiny_clips(clip, folder, number):
    """Clips that differ in their id and offer alone, so that many are made at once."""
    for n in range(number):
        made = folder / f"{n}"
        made.mkdir(parents=True)
        data = clip.manifest.to_bytes().replace(b'"engagement":""', f'"engagement":"{n}"'.encode(), 1)
        (made / "drive.json").write_bytes(data)
        for name in clip.manifest.files:
            (made / name).write_bytes((clip.folder / name).read_bytes())
        (made / "offer.json").write_bytes(Offer(sha256(data).hexdigest(), 1.0, clip.offer.inclusion).to_bytes())
        yield open_clip(made)


def over(bench, transport, device="car-1"):
    client = httpx.Client(transport=transport, base_url="https://service")
    return HttpDestination(client, bench.key(device), pause=lambda _: None, draw=lambda: 0.0, now_s=bench.clock)


def check_arrived(bench, clips):
    assert bench.folders("inbox") == sorted(clip.id for clip in clips)
    for clip in clips:
        folder = bench.root / "inbox" / clip.id
        arrived = {n: sha256((folder / n).read_bytes()).hexdigest() for n in clip.names}
        assert content_digest(arrived) == clip.digest
    assert list((bench.root / "service/arriving").iterdir()) == []


def test_80_clips_over_a_link_that_loses_a_fifth_arrive_exactly_once(make_bench, make_clip, tmp_path):
    bench = make_bench(burst=1_000_000)
    clips = list(tiny_clips(make_clip(), tmp_path / "tiny", 80))
    link = LossyLink(bench.transport, loss=0.2, seed=5)
    car, left, nights = over(bench, link), list(clips), 0
    while left:
        nights += 1
        assert nights < 5
        left = [clip for clip in left if not delivered(clip, car)]
    check_arrived(bench, clips)
    assert link.lost.total() > 80
    assert link.sent <= 1.15 * sum(clip.bytes for clip in clips)


def delivered(clip, car):
    try:
        return push(clip.folder, car).digest == clip.digest
    except PushError:
        return False  # another night


def test_16_cars_at_once(make_bench, make_clip, tmp_path):
    bench = make_bench(burst=1_000_000)
    clips = list(tiny_clips(make_clip(), tmp_path / "tiny", 64))
    cars = [over(bench, LossyLink(bench.transport, 0.05, seed), f"car-{seed}") for seed in range(16)]
    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda n: push(clips[n].folder, cars[n // 4]), range(64)))
    assert {receipt.clip_id for receipt in done} == {clip.id for clip in clips}
    check_arrived(bench, clips)


def test_the_same_clip_from_8_cars_at_once_is_one_clip(bench, make_clip):
    clip = make_clip()
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: push(clip.folder, bench.car(f"car-{n}")), range(8)))
    assert {receipt.digest for receipt in done} == {clip.digest}
    assert bench.folders("inbox") == [clip.id]


class Answering(httpx.BaseTransport):
    """Answers in place of the service whatever `rule` gives; None lets the request through."""

    def __init__(self, inner, rule):
        self.inner, self.rule, self.asked = inner, rule, 0

    def handle_request(self, request):
        self.asked += 1
        return self.rule(request) or self.inner.handle_request(request)


@pytest.mark.parametrize("status", [400, 403, 413, 415, 422])
def test_a_refusal_is_said_at_once_and_is_no_success(bench, make_clip, status):
    link = Answering(bench.transport, lambda r: httpx.Response(status) if r.method == "PATCH" else None)
    with pytest.raises(PushError, match=str(status)):
        push(make_clip().folder, over(bench, link))
    assert link.asked == 3  # receipt, creation, the first chunk
    assert bench.folders("inbox") == []


@pytest.mark.parametrize("status", [404, 409, 410, 423, 429, 460, 500, 503])
def test_what_never_gets_better_is_given_up_for_tonight(bench, make_clip, status):
    link = Answering(bench.transport, lambda r: httpx.Response(status) if r.method == "PATCH" else None)
    with pytest.raises(PushError, match=str(status)):
        push(make_clip().folder, over(bench, link))
    assert link.asked < 50


def test_a_service_that_is_gone_is_said(bench, make_clip):
    with pytest.raises(PushError, match="cannot be reached"):
        push(make_clip().folder, over(bench, LossyLink(bench.transport, 1.0, 0)))


@pytest.mark.parametrize(
    "lie",
    [
        {"clip": "0" * 64, "digest": "0" * 64, "bytes": 1},
        {"digest": 5},
        [],
        "no",
    ],
)
def test_what_is_no_receipt_is_not_taken_for_one(bench, make_clip, lie):
    link = Answering(bench.transport, lambda r: httpx.Response(200, json=lie) if "clips" in str(r.url) else None)
    with pytest.raises(PushError, match="no receipt"):
        push(make_clip().folder, over(bench, link))


def test_a_receipt_for_other_bytes_is_not_enough(bench, make_clip):
    clip = make_clip()
    lie = {"clip": clip.id, "digest": "0" * 64, "bytes": clip.bytes}
    link = Answering(bench.transport, lambda r: httpx.Response(200, json=lie) if "clips" in str(r.url) else None)
    with pytest.raises(PushError, match="names the digest"):
        push(clip.folder, over(bench, link))


@pytest.mark.parametrize("url", ["https://elsewhere/v1/uploads/x", "//elsewhere/x", "", "/other"])
def test_the_token_is_sent_nowhere_else(bench, make_clip, url):
    def elsewhere(request):
        return httpx.Response(201, headers={"Location": url}) if request.method == "POST" else None

    link = Answering(bench.transport, elsewhere)
    with pytest.raises(PushError, match="names the upload"):
        push(make_clip().folder, over(bench, link))
    assert link.asked == 2


def test_an_upload_that_expired_under_way_starts_again(bench, make_clip):
    clip, swept = make_clip(), []

    def expire(request):
        if request.method == "PATCH" and not swept:
            swept.append(True)
            bench.clock.now_s += bench.limits.unfinished_s + 1
            bench.service.uploads.sweep()

    assert push(clip.folder, over(bench, Answering(bench.transport, expire))).digest == clip.digest
    assert swept


def test_no_token_leaves_over_an_open_wire(bench):
    with pytest.raises(PushError, match="https, or this very machine"):
        HttpDestination.to("http://example.org", bench.key())
    with pytest.raises(PushError, match="no device key"):
        HttpDestination.to("https://example.org", None)
    HttpDestination.to("http://127.0.0.1:8080", bench.key()).client.close()
