"""Many clips over a link that loses a fifth of all requests: each arrives exactly once, and hardly a byte twice.

    python tests/crash/lossy.py [--clips 10000] [--seed N]

The service's whole application is in this process; the link between it and the car is `makers.lossy`. Bytes are those
of bodies. What a night does not deliver the next one does.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import closing
from pathlib import Path

import httpx
from makers.clips import write_clip
from makers.lossy import LossyLink
from service.conftest import Bench

from curate.service.limits import Limits
from edge.clip import open_clip
from edge.errors import PushError
from edge.upload.http_destination import HttpDestination
from edge.upload.push import push

LOSS, MOST_TWICE = 0.2, 0.15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="swerve-lossy-") as name:
        folder = Path(name)
        folders = [folder / f"clip-{n}" for n in range(chosen.clips)]
        ids = {write_clip(path, n): path for n, path in enumerate(folders)}
        with closing(Bench(folder, Limits(free_bytes=0, burst=10**9))) as bench:
            link = LossyLink(bench.transport, LOSS, chosen.seed)
            nights = deliver_all(bench, link, folders)
            check(bench, ids)
            payload = sum(path.stat().st_size for clip in folders for path in clip.iterdir())
    share = link.sent / payload
    assert share <= 1 + MOST_TWICE, f"{share:.3f} x the payload was sent"
    told = ", ".join(f"{n} {how}" for how, n in sorted(link.lost.items()))
    print(f"{chosen.clips} clips in {nights} nights, lost: {told}; {share:.3f} x the payload was sent; 0 violations")


def deliver_all(bench: Bench, link: LossyLink, folders: list[Path]) -> int:
    """How many nights it took."""
    client = httpx.Client(transport=link, base_url="https://service")
    car = HttpDestination(client, bench.key(), pause=lambda _: None, draw=lambda: 0.0, now_s=bench.clock)
    nights = 0
    while folders:
        nights += 1
        assert nights < 10, f"{len(folders)} clips never arrive"
        folders = [folder for folder in folders if not delivered(folder, car)]
    return nights


def delivered(folder: Path, car: HttpDestination) -> bool:
    try:
        return push(folder, car).digest == open_clip(folder).digest
    except PushError:
        return False


def check(bench: Bench, ids: dict[str, Path]) -> None:
    """Each clip is there, whole, once, and nothing else is."""
    assert set(bench.folders("inbox")) == set(ids)
    for clip_id in ids:
        clip = open_clip(bench.root / "inbox" / clip_id)
        clip.verify()
        assert clip.id == clip_id
    assert bench.folders("quarantine") == bench.folders("service/arriving") == []
    receipts = bench.service.state.rows("SELECT clip FROM receipt")
    assert sorted(str(row["clip"]) for row in receipts) == sorted(ids)


if __name__ == "__main__":
    main()
