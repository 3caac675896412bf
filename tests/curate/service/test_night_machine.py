"""A car's queue and a service that crash at will, with the link between them: nothing lost, nothing twice, ever.

The agent's real round over HTTP to the real application, in one process. A fuse blows before the n-th time something
would reach a disk or the link, and takes the car, the service, or both with it.
"""

import tempfile
from contextlib import contextmanager
from pathlib import Path

import httpx
import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from makers.clips import write_clip
from makers.lossy import LossyLink

from curate.service.limits import Limits
from edge.clip import open_clip
from edge.errors import EdgeError
from edge.night.agent import Agent
from edge.night.queued import Reason
from edge.night.recovery import recover
from edge.night.spool import CLIPS, QUEUE, Spool, open_spool, read_spool
from edge.night.terms import Terms
from edge.upload.http_destination import HttpDestination
from service.conftest import Bench

MOST_CLIPS = 4
TERMS = Terms(reserve=0, bytes_a_night=10**12, baseline=0.5)


class Crash(BaseException):
    """The power goes."""


class Fuse:
    """`left` steps until it blows; None: never."""

    left: int | None = None

    def step(self):
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                raise Crash


FUSE = Fuse()


class FusedLink(httpx.BaseTransport):
    """Blows before a request arrives, or before its answer does."""

    def __init__(self, inner):
        self.inner = inner

    def handle_request(self, request):
        FUSE.step()
        answer = self.inner.handle_request(request)
        FUSE.step()
        return answer


class FusedSpool(Spool):
    @contextmanager
    def change(self):
        FUSE.step()
        with super().change() as database:
            yield database

    def remove(self, folders):
        FUSE.step()
        super().remove(folders)


class NightMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.bench = Bench(self.root, Limits(free_bytes=0, burst=1_000_000))
        self.spool = self.root / "spool"
        (self.spool / CLIPS).mkdir(parents=True)
        (self.root / "watched").mkdir()
        self.made = set()
        self.delivered = set()

    def teardown(self):
        """With the power back, all of it arrives."""
        self.a_night(None)
        assert self.delivered_now() == self.made == self.there()
        self.bench.close()
        self.folder.cleanup()

    @precondition(lambda self: len(self.made) < MOST_CLIPS)
    @rule()
    def a_clip_is_cut(self):
        number = len(self.made)
        self.made.add(write_clip(self.spool / CLIPS / f"clip-{number}", number))

    @rule(
        steps=st.none() | st.integers(1, 60),
        both=st.booleans(),
        loss=st.sampled_from([0.0, 0.3]),
        seed=st.integers(0, 99),
    )
    def a_night(self, steps, both=False, loss=0.0, seed=0):
        """One start of the agent, over a link that may lose requests; the crash may take the service, too."""
        FUSE.left = steps
        link = LossyLink(FusedLink(self.bench.transport), loss, seed)
        client = httpx.Client(transport=link, base_url="https://service")
        key, clock = self.bench.key(), self.bench.clock
        to = HttpDestination(client, key, pause=lambda _: None, draw=lambda: 0.0, now_s=clock)
        told = []
        try:
            with open_spool(self.spool) as plain:
                spool = FusedSpool(plain.root, plain.database)
                recover(spool)
                Agent(spool, self.root / "watched", lambda: to, TERMS, told.append, lambda: True, runner=map).round()
        except Crash:
            if both:
                self.the_service_crashes()
        finally:
            FUSE.left = None
        assert not told or loss

    @rule()
    def the_service_crashes(self):
        self.bench.close()
        self.bench.open()

    def there(self):
        return set(self.bench.folders("inbox"))

    def delivered_now(self):
        if not (self.spool / QUEUE).exists():
            return set()
        with read_spool(self.spool) as spool:
            clips = spool.clips()
        assert len({clip.clip_id for clip in clips}) == len(clips)
        assert {clip.reason for clip in clips} <= {None, Reason.DELIVERED}
        return {clip.clip_id for clip in clips if clip.delivered}

    @invariant()
    def what_is_acknowledged_is_there_and_the_rest_is_still_here(self):
        now = self.delivered_now()
        assert self.delivered <= now <= self.there() <= self.made
        self.delivered = now
        for clip_id in self.there():
            open_clip(self.bench.root / "inbox" / clip_id).verify()
        here = set()
        for folder in (self.spool / CLIPS).iterdir():
            try:
                here.add(open_clip(folder).id)
            except EdgeError:
                continue  # on its way out
        assert self.made <= here | self.there()


TestNight = NightMachine.TestCase
TestNight.settings = settings(
    max_examples=6, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
