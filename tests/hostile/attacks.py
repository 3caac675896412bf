"""Requests that must be refused without a trace: who asks, under which name, how long, where, and with what bytes.

Each is drawn from a seeded source and says with which statuses and reasons it may be refused. Two clips are there to be
attacked: one that is committed, one whose video has half arrived.
"""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

import jwt
from makers.clips import clip_files

from edge.upload.device_key import DeviceKey

OFFSET_STREAM = "application/offset+octet-stream"
BEFORE = 700
"""Bytes of the attacked upload that have arrived."""


@dataclass(frozen=True)
class Attacked:
    """`committed`: a clip's number. `begun`: another's; `url` is its video's upload. `now_s`: the service's clock."""

    committed: int
    begun: int
    url: str
    committed_url: str
    key: DeviceKey
    stranger: DeviceKey
    now_s: int


@dataclass
class Attack:
    """A request, and how it may be answered: pairs of status and reason; a reason of "" where there is no body."""

    name: str
    method: str
    url: str
    expected: set[tuple[int, str]]
    headers: dict[str, bytes] = field(default_factory=dict)
    body: bytes = b""
    token: str | None = None


def metadata(**told: str | bytes) -> bytes:
    def text(value: str | bytes) -> bytes:
        return b64encode(value if isinstance(value, bytes) else value.encode())

    return b",".join(key.encode() + b" " + text(value) for key, value in told.items())


def creation(kind: str, luck: random.Random, expected: set[tuple[int, str]], **changed: str | bytes) -> Attack:
    """A request to begin an upload, with one thing in it changed."""
    told: dict[str, str | bytes] = {"clip": f"{luck.getrandbits(256):064x}", "name": "front.mp4", "sha256": "b" * 64}
    length = changed.pop("length", str(luck.randrange(1, 10**9)))
    headers = {
        "Upload-Metadata": metadata(**(told | changed)),
        "Upload-Length": length if isinstance(length, bytes) else str(length).encode(),
    }
    return Attack(kind, "POST", "/v1/uploads", expected, headers)


def traversal(at: Attacked, luck: random.Random) -> Attack:
    """Names that would lead elsewhere, or pass for more than a name."""
    never = ["/", "../", "\\", "%2e%2e/", "\0", "~", ":", "\n", "\u202e", "‥", "$(x)", "é"]
    harmless = ["..", ".", "etc", "passwd", "front.mp4", "drive.json", "con", " ", "a" * 130]
    pieces = [luck.choice(never + harmless) for _ in range(luck.randint(0, 6))]
    pieces.insert(luck.randint(0, len(pieces)), luck.choice(never) * luck.randint(1, 9))
    bad = "".join(pieces)
    return creation("traversal", luck, {(400, "bad_name")}, **{luck.choice(["name", "name", "clip", "sha256"]): bad})


def damaged_metadata(_: Attacked, luck: random.Random) -> Attack:
    good = metadata(clip="a" * 64, name="front.mp4", sha256="b" * 64)
    header = luck.choice(
        [
            lambda: good + b"," + metadata(clip="a" * 64),
            lambda: good + b"," + metadata(**{f"k{luck.randrange(99)}": "x"}),
            lambda: good.replace(b" ", luck.choice([b"", b"  ", b"\t", b"="])),
            lambda: metadata(clip=b"\xff\xfe" + luck.randbytes(8), name="front.mp4", sha256="b" * 64),
            lambda: good[: luck.randrange(len(good) - 1)],
            lambda: b"clip " + luck.randbytes(20).hex().encode() + b"!," + good[5:],
            lambda: b"," * luck.randint(1, 50),
            lambda: luck.randbytes(luck.randint(1, 60)).hex().encode(),
        ]
    )()
    headers = {"Upload-Metadata": header, "Upload-Length": b"10"}
    expected = {(400, "bad_header"), (400, "bad_name")}
    return Attack("metadata", "POST", "/v1/uploads", expected, headers)


def lying_length(_: Attacked, luck: random.Random) -> Attack:
    if luck.random() < 0.4:
        length = str(luck.choice([2 * 1024**3 + luck.randint(1, 10**6), 10 ** luck.randint(10, 17)]))
        return creation("length", luck, {(413, "too_large")}, length=length)
    bad = ["-1", "", " ", "0", "1e3", "0x10", "1_000", "+5", "5.0", "NaN", "9" * luck.randint(19, 400), "١٢", "10, 20"]
    return creation("length", luck, {(400, "bad_header")}, length=luck.choice(bad).encode())


def lying_offset(at: Attacked, luck: random.Random) -> Attack:
    good = luck.random() < 0.5
    offset = (
        str(luck.choice([0, BEFORE - 1, BEFORE + 1, luck.randrange(10**17)]))
        if good
        else luck.choice(["-1", "", "x", "9" * 30])
    )
    if offset == str(BEFORE):
        offset = "0"
    headers = {"Upload-Offset": offset.encode(), "Content-Type": OFFSET_STREAM.encode()}
    return Attack(
        "offset", "PATCH", at.url, {(409, "offset") if good else (400, "bad_header")}, headers, luck.randbytes(20)
    )


def too_many_bytes(at: Attacked, luck: random.Random) -> Attack:
    video = clip_files(at.begun)[1]["front.mp4"]
    body = video[BEFORE:] + luck.randbytes(luck.randint(1, 5000))
    headers = {"Upload-Offset": str(BEFORE).encode(), "Content-Type": OFFSET_STREAM.encode()}
    return Attack("beyond length", "PATCH", at.url, {(400, "beyond_length")}, headers, body)


def damaged_chunk(at: Attacked, luck: random.Random) -> Attack:
    """Bytes that are not what their checksum says; a checksum that cannot be one."""
    body = luck.randbytes(luck.randint(1, 900))
    algorithm = luck.choice(["sha1", "sha256"])
    size = 20 if algorithm == "sha1" else 32
    if luck.random() < 0.6:
        checksum, expected = f"{algorithm} {b64encode(luck.randbytes(size)).decode()}", (460, "checksum")
    else:
        checksum, expected = (
            luck.choice(["md5 AAAA", "sha256", f"{algorithm} ????", f"{algorithm} AAAA", "", " "]),
            (400, "bad_header"),
        )
    headers = {"Upload-Offset": str(BEFORE), "Content-Type": OFFSET_STREAM, "Upload-Checksum": checksum}
    return Attack("checksum", "PATCH", at.url, {expected}, {k: v.encode() for k, v in headers.items()}, body)


def replayed(at: Attacked, luck: random.Random) -> Attack:
    """What was sent before, sent again: it is there already, or belongs to a committed clip."""
    name, data = luck.choice(sorted(clip_files(at.committed)[1].items()))
    if luck.random() < 0.5:
        headers = {"Upload-Offset": b"0", "Content-Type": OFFSET_STREAM.encode()}
        return Attack("replay", "PATCH", at.committed_url, {(409, "offset")}, headers, data)
    other = luck.randbytes(luck.randint(1, 2000))
    told = metadata(clip=clip_files(at.committed)[0], name=name, sha256=sha256(other).hexdigest())
    headers = {"Upload-Metadata": told, "Upload-Length": str(len(other)).encode()}
    return Attack("replay", "POST", "/v1/uploads", {(403, "committed")}, headers)


def undone(at: Attacked, luck: random.Random) -> Attack:
    """A committed clip's file deleted, a clip committed that is not whole or was never begun."""
    if luck.random() < 0.3:
        return Attack("undone", "DELETE", at.committed_url, {(403, "committed")})
    clip = luck.choice([clip_files(at.begun)[0], f"{luck.getrandbits(256):064x}"])
    return Attack("undone", "POST", f"/v1/clips/{clip}", {(409, "incomplete")})


def nowhere(at: Attacked, luck: random.Random) -> Attack:
    """Uploads and clips that there are not, by names that lead elsewhere."""
    where = luck.choice(
        ["..%2f..%2fservice.db", "%00", "x" * luck.randint(1, 300), luck.randbytes(8).hex(), "~root", "*"]
    )
    if luck.random() < 0.5:
        method = luck.choice(["HEAD", "PATCH", "DELETE"])
        headers = {"Upload-Offset": b"0", "Content-Type": OFFSET_STREAM.encode()}
        expected = {(404, "not_found"), (404, "")}
        return Attack("nowhere", method, f"/v1/uploads/{where}", expected, headers, b"x" if method == "PATCH" else b"")
    method = luck.choice(["GET", "POST"])
    return Attack("nowhere", method, f"/v1/clips/{where}", {(400, "bad_name"), (404, "not_found"), (404, "")})


def not_tus(at: Attacked, luck: random.Random) -> Attack:
    offset = {"Upload-Offset": str(BEFORE).encode()}
    if luck.random() < 0.5:
        kind = luck.choice([b"", b"application/json", b"multipart/form-data; boundary=x", b"application/octet-stream"])
        return Attack("not tus", "PATCH", at.url, {(415, "content_type")}, offset | {"Content-Type": kind}, b"x")
    version = luck.choice([b"", b"0.2.2", b"1.0.1", b"2.0.0", b"1.0.0, 1.0.0", luck.randbytes(4).hex().encode()])
    headers = offset | {"Content-Type": OFFSET_STREAM.encode(), "Tus-Resumable": version}
    return Attack("not tus", "PATCH", at.url, {(412, "tus_version")}, headers, b"x")


def wrong_token(at: Attacked, luck: random.Random) -> Attack:
    """No token, somebody else's, one that ended, one that was signed otherwise, one of which a letter was changed."""
    good = at.key.token(at.now_s)
    claims = {"sub": at.key.device, "iat": at.now_s, "exp": at.now_s + 600}
    kid = jwt.get_unverified_header(good)
    place = luck.randrange(len(good) - 2)
    changed = good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :]
    token = luck.choice(
        [
            lambda: "",
            lambda: at.stranger.token(at.now_s),
            lambda: at.key.token(at.now_s - luck.randint(601, 10**9)),
            lambda: at.key.token(at.now_s + luck.randint(62, 10**9)),
            lambda: jwt.encode(claims, at.stranger.private, algorithm="EdDSA", headers=kid),
            lambda: jwt.encode(claims, luck.randbytes(32).hex(), algorithm="HS256", headers={"kid": kid["kid"]}),
            lambda: jwt.encode(claims, "", algorithm="none", headers={"kid": kid["kid"]}),
            lambda: jwt.encode(claims | {"sub": "car-2"}, at.key.private, algorithm="EdDSA", headers=kid),
            lambda: jwt.encode(
                claims | {"exp": at.now_s + luck.randint(901, 10**9)}, at.key.private, algorithm="EdDSA", headers=kid
            ),
            lambda: luck.randbytes(luck.randint(1, 3000)).hex(),
            lambda: changed,
        ]
    )()
    method, url = luck.choice(
        [("HEAD", at.url), ("DELETE", at.url), ("POST", f"/v1/clips/{clip_files(at.committed)[0]}")]
    )
    reasons = ("no_token", "bad_token", "token_expired", "unknown_device", "")
    return Attack("token", method, url, {(401, reason) for reason in reasons}, token=token)


KINDS: tuple[Callable[[Attacked, random.Random], Attack], ...] = (
    traversal, damaged_metadata, lying_length, lying_offset, too_many_bytes, damaged_chunk, replayed, undone, nowhere,
    not_tus, wrong_token,
)  # fmt: skip
