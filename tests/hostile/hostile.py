"""Attack the service and the admission; all is refused with its reason, and nothing changes.

    python tests/hostile/hostile.py [--cases 10000] [--seed N]

Four fifths of the cases are requests, every twentieth of them two that write at once: each must be refused as
`attacks.py` says, and the whole state, rows and files, must be as it was before. The others are clips sent whole:
those whose files do not fit each other are refused at the commit and kept in quarantine with the reason; those that lie
inside a video or in telemetry are taken into custody and refused by the admission, in a child with limits. Nothing
ever appears among the admitted clips, or outside the store.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import tempfile
from base64 import b64encode
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from attacks import BEFORE, KINDS, OFFSET_STREAM, Attack, Attacked
from clips import COMMITS, Files, Hostile, bound
from makers.clips import clip_files
from service.conftest import Bench, Sender
from videos import good, lying_clip

from curate.admit import admit
from curate.service.app import make_app
from curate.service.limits import Limits
from curate.store import open_store
from edge.upload.device_key import new_device_key

COMMITTED, BEGUN = 2_000_000, 2_000_001
TABLES = ("upload", "receipt", "device_key")


class Target:
    """A service with one clip committed and one begun."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bench = Bench(folder, Limits(free_bytes=0, burst=10**9, waiting_bytes=1 << 50))
        self.sender = Sender(self.bench)
        committed_id, files = clip_files(COMMITTED)
        urls = send(self.sender, committed_id, files)
        assert self.sender.commit(committed_id).status_code == 200
        begun_id, files = clip_files(BEGUN)
        url = self.sender.begin(files["front.mp4"], begun_id).headers["Location"]
        assert self.sender.patch(url, 0, files["front.mp4"][:BEFORE]).status_code == 204
        stranger = new_device_key("car-1", folder / "stranger.pem")
        key, now_s = self.bench.key(), int(self.bench.clock())
        self.at = Attacked(COMMITTED, BEGUN, url, urls["front.mp4"], key, stranger, now_s)

    def digest(self) -> str:
        """Of all rows, and of all files here but the database's own; of an upload the bytes that were promised."""
        state = self.bench.service.state
        promised = {row["id"]: row["offset"] for row in state.rows("SELECT id, offset FROM upload")}
        rows = [list(map(tuple, state.rows(f"SELECT * FROM {table} ORDER BY 1"))) for table in TABLES]
        told = hashlib.sha256(repr(rows).encode())
        for path in sorted(self.folder.rglob("*")):
            if not path.name.startswith("service.db"):
                told.update(f"{path} ".encode())
                told.update(path.read_bytes()[: promised.get(path.name)] if path.is_file() else b"")
        return told.hexdigest()


def send(sender: Sender, clip_id: str, files: Files) -> dict[str, str]:
    """Names to the URLs of their uploads."""
    urls = {}
    for name, data in files.items():
        urls[name] = sender.begin(data, clip_id, name).headers["Location"]
        assert sender.patch(urls[name], 0, data).status_code == 204
    return urls


def answered(target: Target, attack: Attack) -> tuple[int, str]:
    """Status and reason."""
    token = target.at.key.token(target.at.now_s) if attack.token is None else attack.token
    headers = {"Tus-Resumable": b"1.0.0", "Authorization": f"Bearer {token}".encode()} | attack.headers
    answer = target.bench.client.request(attack.method, attack.url, headers=headers, content=attack.body)
    try:
        return answer.status_code, str(answer.json()["reason"])
    except ValueError:
        return answer.status_code, ""


def two_writers(target: Target, luck: random.Random) -> tuple[int, str]:
    """One sends a part of a chunk whose length lies, another writes meanwhile, then the first breaks off."""
    video = clip_files(BEGUN)[1]["front.mp4"]
    part = video[BEFORE : BEFORE + luck.randint(1, 500)]
    during: list[tuple[int, str]] = []
    messages = [{"type": "http.request", "body": part, "more_body": True}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        headers = {"Upload-Offset": str(BEFORE).encode(), "Content-Type": OFFSET_STREAM.encode()}
        second = Attack("second writer", "PATCH", target.at.url, set(), headers, video[BEFORE:])
        during.append(await asyncio.to_thread(answered, target, second))
        return {"type": "http.disconnect"}

    async def quiet(_: Any) -> None:
        pass

    told = target.bench.headers(
        Upload_Offset=str(BEFORE),
        Content_Type=OFFSET_STREAM,
        Content_Length=str(luck.randint(len(part) + 1, 10**9)),
        Upload_Checksum=f"sha256 {b64encode(hashlib.sha256(part).digest()).decode()}",
    )
    raw = [(name.lower().encode(), value.encode()) for name, value in told.items()]
    path = target.at.url
    scope = {"type": "http", "method": "PATCH", "path": path, "raw_path": path.encode(), "query_string": b""}
    asyncio.run(make_app(target.bench.service)({**scope, "headers": raw, "http_version": "1.1"}, receive, quiet))
    return during[0]


def attack_requests(target: Target, cases: int, luck: random.Random) -> Counter[str]:
    done: Counter[str] = Counter()
    before = target.digest()
    for number in range(cases):
        if number % 20 == 0:
            attack = Attack("two writers", "PATCH", target.at.url, {(423, "busy")})
            got = two_writers(target, luck)
        else:
            attack = luck.choice(KINDS)(target.at, luck)
            got = answered(target, attack)
        assert got in attack.expected, f"case {number}: {attack} is answered {got}"
        after = target.digest()
        assert after == before, f"case {number}: {attack} changed the state"
        done[attack.name] += 1
    return done


def attack_commits(target: Target, cases: int, luck: random.Random) -> Counter[str]:
    done: Counter[str] = Counter()
    inbox, quarantine = target.bench.folders("inbox"), target.bench.root / "quarantine"
    for number in range(cases):
        hostile = luck.choice(COMMITS)(number, luck)
        send(target.sender, hostile.clip_id, hostile.files)
        answer = target.sender.commit(hostile.clip_id)
        told = answer.json()
        assert (answer.status_code, told["reason"] in hostile.expected) == (422, True), f"{hostile}: {told}"
        (aside,) = quarantine.glob(f"{hostile.clip_id}.*")
        assert json.loads((aside / "reason.json").read_bytes())["reason"] == told["reason"]
        assert {name: (aside / name).read_bytes() for name in hostile.files} == hostile.files
        assert target.sender.ask("GET", f"/v1/clips/{hostile.clip_id}").status_code == 404
        aside.rename(target.folder / "seen" / f"{number}")  # so that the next one is alone
        done[hostile.name] += 1
    assert target.bench.folders("inbox") == inbox
    assert target.bench.folders("service/arriving") == [target.at.url.rpartition("/")[2]]
    return done


def attack_admission(target: Target, cases: int, luck: random.Random) -> Counter[str]:
    """All at once; a good clip among them is admitted, so that not everything is refused."""
    root = target.bench.root
    admit(open_store(root))
    sent: dict[str, Hostile] = {}
    for number in range(cases):
        hostile = lying_clip(number, luck)
        sent[hostile.clip_id] = hostile
        send(target.sender, hostile.clip_id, hostile.files)
        assert target.sender.commit(hostile.clip_id).status_code == 200
    whole = bound(*good())
    send(target.sender, *whole)
    assert target.sender.commit(whole[0]).status_code == 200
    for admission in admit(open_store(root)):
        if admission.clip_id == whole[0]:
            assert not admission.code, admission
            continue
        hostile = sent[admission.clip_id]
        assert admission.code in hostile.expected, f"{hostile.name}: {admission}"
        assert (root / "quarantine" / admission.clip_id / "reason.json").is_file()
    assert target.bench.folders("clips") == [whole[0]]
    assert target.bench.folders("inbox") == []
    return Counter(hostile.name for hostile in sent.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    luck = random.Random(chosen.seed)
    admissions, commits = max(7, chosen.cases // 25), chosen.cases * 4 // 25
    with tempfile.TemporaryDirectory(prefix="swerve-hostile-") as name:
        (Path(name) / "seen").mkdir()
        target = Target(Path(name))
        with closing(target.bench):
            done = attack_requests(target, chosen.cases - commits - admissions, luck)
            done += attack_commits(target, commits, luck)
            done += attack_admission(target, admissions, luck)
    print(*(f"{n:6} {kind}" for kind, n in sorted(done.items())), f"{done.total()} cases, 0 violations", sep="\n")


if __name__ == "__main__":
    main()
