"""Many devices at once over real sockets: every clip is acknowledged once, and stands under the device that sent it.

    python tests/crash/fleet.py [--devices 64] [--clips 50]

Each device has a key, a token, a connection and a thread of its own; all begin at the same moment.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from makers.clips import write_clip
from serving import car_at, listening, register, serving

from edge.clip import open_clip
from edge.upload.device_key import DeviceKey, new_device_key
from edge.upload.push import push


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=64)
    parser.add_argument("--clips", type=int, default=50)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="swerve-fleet-") as name:
        folder, numbers = Path(name), range(chosen.clips)
        keys = [new_device_key(f"car-{d}", folder / f"car-{d}.pem") for d in range(chosen.devices)]
        register(folder / "store", keys)
        sender = {
            write_clip(folder / key.device / f"{n}", d * chosen.clips + n): key.device
            for d, key in enumerate(keys)
            for n in numbers
        }
        on = listening()
        service = serving(folder / "store", on)
        together = threading.Barrier(chosen.devices)

        def hand_over(key: DeviceKey) -> list[bool]:
            car = car_at(on.getsockname()[1], key)
            together.wait()
            return [push(folder / key.device / f"{n}", car).known for n in numbers]

        with ThreadPoolExecutor(chosen.devices) as pool:
            known = [each for all_of_one in pool.map(hand_over, keys) for each in all_of_one]
        service.kill()
        service.join()
        check(folder / "store", sender)
    assert not any(known), "a clip was there before it was sent"
    print(f"{chosen.devices} devices, {len(known)} clips acknowledged, each once, under its own device")


def check(store: Path, sender: dict[str, str]) -> None:
    there = {path.name: path for path in (store / "inbox").iterdir()}
    assert set(there) == set(sender), f"{len(sender.keys() ^ there.keys())} clips are missing or nobody's"
    for clip_id, folder in there.items():
        open_clip(folder).verify()
        assert json.loads((folder / "receipt.json").read_bytes())["device"] == sender[clip_id], clip_id
    assert not list((store / "service/arriving").iterdir())


if __name__ == "__main__":
    main()
