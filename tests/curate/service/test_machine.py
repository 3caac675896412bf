"""A car and a service that crash at will, beside a model of what must hold: nothing acknowledged is ever lost."""

import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from makers.clips import clip_files

from curate.service.limits import Limits
from service.conftest import Bench, Sender, checksum

CLIPS = 3


ALL = [clip_files(number, 97) for number in range(CLIPS)]
numbers = st.integers(0, CLIPS - 1)
names = st.sampled_from(["front.mp4", "telemetry.parquet", "drive.json", "offer.json"])


class ServiceMachine(RuleBasedStateMachine):
    """`promised`: offsets and receipts the service answered with; they may grow and never shrink."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.bench = Bench(Path(self.folder.name), Limits(free_bytes=0, burst=1_000_000))
        self.sender = Sender(self.bench)
        self.urls = {}
        self.promised = {}
        self.receipts = {}

    def teardown(self):
        self.bench.close()
        self.folder.cleanup()

    @rule(clip=numbers, name=names)
    def begin(self, clip, name):
        clip_id, files = ALL[clip]
        answer = self.sender.begin(files[name], clip_id, name)
        assert answer.status_code == 201
        self.urls[clip, name] = answer.headers["Location"]
        self.hear(clip, name, answer)

    @precondition(lambda self: self.urls)
    @rule(data=st.data(), share=st.floats(0, 1), lost=st.booleans(), bound=st.booleans())
    def send(self, data, share, lost, bound):
        (clip, name), url = data.draw(st.sampled_from(sorted(self.urls.items())))
        content = ALL[clip][1][name]
        offset = self.promised[clip, name]
        chunk = content[offset : offset + 1 + int(share * len(content))]
        answer = self.sender.patch(url, offset, chunk, **({"Upload_Checksum": checksum(chunk)} if bound else {}))
        if offset == len(content) or not chunk:
            assert answer.status_code in (204, 409)
        elif answer.status_code == 204 and not lost:
            self.hear(clip, name, answer)
        elif answer.status_code == 409:  # an answer was lost before
            self.hear(clip, name, self.sender.ask("HEAD", url))

    @precondition(lambda self: self.urls)
    @rule(data=st.data(), junk=st.binary(min_size=1, max_size=40))
    def send_damaged(self, data, junk):
        (clip, name), url = data.draw(st.sampled_from(sorted(self.urls.items())))
        answer = self.sender.patch(url, self.promised[clip, name], junk, Upload_Checksum=checksum(junk + b"!"))
        assert answer.status_code in (400, 409, 460) or self.upload(url).whole

    @rule(clip=numbers)
    def finish(self, clip):
        """The rest of every file of a clip."""
        clip_id, files = ALL[clip]
        for name, content in files.items():
            begun = self.sender.begin(content, clip_id, name)
            self.urls[clip, name] = begun.headers["Location"]
            self.hear(clip, name, begun)
            rest = content[self.promised[clip, name] :]
            if rest:
                self.hear(clip, name, self.sender.patch(self.urls[clip, name], self.promised[clip, name], rest))

    @rule(clip=numbers)
    def commit(self, clip):
        clip_id, files = ALL[clip]
        answer = self.sender.commit(clip_id)
        if answer.status_code == 200:
            assert answer.json()["bytes"] == sum(map(len, files.values()))
            assert self.receipts.setdefault(clip, answer.json()) == answer.json()
        else:
            assert answer.status_code == 409
            assert clip not in self.receipts

    @rule(torn=st.binary(max_size=30))
    def crash(self, torn):
        """The process ends at once, and what was never promised may lie in the files that are not whole."""
        unfinished = [u for u in map(self.upload, self.urls.values()) if not u.whole and u.offset]
        self.bench.close()
        for upload in unfinished:
            with (self.bench.root / "service/arriving" / upload.id).open("ab") as file:
                file.write(torn)
        self.bench.open()

    def upload(self, url):
        return self.bench.service.uploads.get("car-1", url.split("/")[-1])

    def hear(self, clip, name, answer):
        offset = int(answer.headers["Upload-Offset"])
        assert offset >= self.promised.get((clip, name), 0)
        self.promised[clip, name] = offset

    @invariant()
    def what_was_promised_is_there(self):
        for (clip, name), url in self.urls.items():
            held = self.sender.offset(url)
            assert held >= self.promised[clip, name]
            if clip not in self.receipts:
                content = (self.bench.root / "service/arriving" / url.split("/")[-1]) if held else None
                assert content is None or content.read_bytes()[:held] == ALL[clip][1][name][:held]

    @invariant()
    def every_clip_is_there_once_and_whole(self):
        visible = {p.name for p in (self.bench.root / "inbox").glob("*")}
        assert visible == {ALL[clip][0] for clip in self.receipts}
        for clip, receipt in self.receipts.items():
            clip_id, files = ALL[clip]
            folder = self.bench.root / "inbox" / clip_id
            assert {p.name: p.read_bytes() for p in folder.iterdir() if p.name in files} == files
            assert self.sender.ask("GET", f"/v1/clips/{clip_id}").json() == receipt


TestService = ServiceMachine.TestCase
TestService.settings = settings(
    max_examples=6, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
