"""Clips over real sockets, through a proxy that breaks a fifth of all connections: exactly once, hardly a byte twice.

    python tests/crash/sockets.py [--clips 200] [--seed N]

Every request has a connection of its own. Bytes are all that the car sends, requests and headers too.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

import httpx
from makers.clips import write_clip
from proxy import Proxy
from serving import car_at, listening, register, serving

from edge.clip import open_clip
from edge.errors import PushError
from edge.upload.device_key import new_device_key
from edge.upload.push import push

VIDEO_BYTES = 400_000
TIMEOUT = httpx.Timeout(2.0)
MOST_TWICE = 0.15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="swerve-sockets-") as name:
        folder = Path(name)
        key = new_device_key("car-1", folder / "car.pem")
        register(folder / "store", [key])
        on = listening()
        service = serving(folder / "store", on)
        proxy = Proxy(on.getsockname()[1], chosen.seed)
        car = car_at(proxy.port, key, TIMEOUT, max_keepalive_connections=0)
        car.draw = lambda: random.random() / 10  # pauses are drawn short; those that the service asks for are kept
        ids = {write_clip(folder / f"{n}", n, VIDEO_BYTES): folder / f"{n}" for n in range(chosen.clips)}
        left, nights = list(ids.values()), 0
        while left:
            nights += 1
            assert nights < 10, f"{len(left)} clips never arrive"
            left = [clip for clip in left if not delivered(clip, car)]
        service.kill()
        service.join()
        payload = sum(path.stat().st_size for clip in ids.values() for path in clip.iterdir())
        check(folder / "store", set(ids))
    share = proxy.up / payload
    assert share <= 1 + MOST_TWICE, f"{share:.3f} x the payload was sent"
    told = ", ".join(f"{n} {how}" for how, n in sorted(proxy.lost.items()))
    print(f"{chosen.clips} clips, {proxy.connections} connections, broken: {told}; {share:.3f} x the payload was sent")


def delivered(folder: Path, car: object) -> bool:
    try:
        return push(folder, car).digest == open_clip(folder).digest  # type: ignore[arg-type]
    except PushError:
        return False


def check(store: Path, ids: set[str]) -> None:
    there = {path.name: path for path in (store / "inbox").iterdir()}
    assert set(there) == ids, f"{len(ids - set(there))} did not arrive, {len(set(there) - ids)} are nobody's"
    for clip_id, folder in there.items():
        clip = open_clip(folder)
        clip.verify()
        assert clip.id == clip_id
    assert not list((store / "service/arriving").iterdir())


if __name__ == "__main__":
    main()
