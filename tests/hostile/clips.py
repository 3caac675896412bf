"""Clips that are not what they say: files of which one was changed, mixed up with another clip's, or made to lie.

Two kinds. What the service can see (files that do not fit each other) it refuses at the commit. What only shows when a
clip is opened (a video of absurd size, rate or length; damaged telemetry) it takes into custody, and the nightly
admission refuses it, without decoding a frame where the container says enough. Either way the reason is a code.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from makers.clips import clip_files

from edge.manifest import FileEntry, Manifest, canonical_json
from edge.offer import Offer

Files = dict[str, bytes]


@dataclass(frozen=True)
class Hostile:
    """Files sent as clip `clip_id`, and the codes one of which must be the reason."""

    name: str
    clip_id: str
    files: Files
    expected: tuple[str, ...]


def mixed_up(number: int, luck: random.Random) -> Hostile:
    """A file of another clip in place of its own, or beside them."""
    clip_id, files = clip_files(number)
    other = clip_files(number + 1_000_000)[1]
    name = luck.choice([*files, "rear.mp4"])
    expected = {"drive.json": "wrong_clip", "offer.json": "bad_offer"}.get(name, "wrong_file")
    more = {name: other.get(name, other["front.mp4"])}
    return Hostile("mixed up", clip_id, files | more, (expected,))


def damaged(number: int, luck: random.Random) -> Hostile:
    """One bit changed, or the end cut off; of an offer the end alone, as another number in it is another offer."""
    clip_id, files = clip_files(number)
    name = luck.choice(list(files))
    data, at = files[name], luck.randrange(len(files[name]))
    cut = at > 0 and (name == "offer.json" or luck.random() < 0.4)
    changed = data[:at] if cut else data[:at] + bytes([data[at] ^ 1 << luck.randrange(8)]) + data[at + 1 :]
    expected = {"drive.json": ("bad_manifest", "wrong_clip"), "offer.json": ("bad_offer",)}.get(name, ("wrong_file",))
    return Hostile("damaged", clip_id, files | {name: changed}, expected)


def lying_json(number: int, luck: random.Random) -> Hostile:
    """Keys that stand twice, numbers that are none, nesting without end, other encodings, other types."""
    clip_id, files = clip_files(number)
    name, code = luck.choice([("drive.json", "bad_manifest"), ("offer.json", "bad_offer")])
    told = json.loads(files[name])
    key = luck.choice(sorted(told))
    first = f'{{"{key}":{json.dumps(told[key])},'.encode()
    changed = luck.choice(
        [
            lambda: first + files[name][1:],
            lambda: first + first[1:] + files[name][1:],
            lambda: files[name].replace(b":", luck.choice([b":NaN,", b":1e999,", b":Infinity,"]), 1),
            lambda: b"[" * luck.randint(1_000, 200_000),
            lambda: b'{"a":' * luck.randint(1_000, 50_000),
            lambda: luck.choice(["utf-16", "utf-32", "latin-1"]).encode() + b"\xff\xfe" + files[name],
            lambda: canonical_json({k: v for k, v in told.items() if k != "format"}),
            lambda: canonical_json(told | {"format": luck.choice([None, 1, [], "swerve-drive/2"])}),
            lambda: luck.randbytes(luck.randint(1, 300)),
        ]
    )()
    return Hostile("json", clip_id, files | {name: changed}, (code,))


def lying_manifest(number: int, luck: random.Random) -> Hostile:
    """A manifest whose own id is right and whose values lead elsewhere."""
    _, files = clip_files(number)
    told: dict[str, Any] = json.loads(files["drive.json"])
    camera = {
        "file": "front.mp4", "t0_ns": 0, "pts_origin": 0, "width": 64, "height": 48, "codec": "h264", "frames": 10,
        "key_frame_spacing_s": 1.0,
    }  # fmt: skip
    elsewhere = luck.choice(["../x.mp4", "/etc/passwd", "a/b.mp4", "..", "a\\b", "x\0y"])
    told |= luck.choice(
        [
            lambda: {"files": told["files"] | {elsewhere: {"sha256": "0" * 64, "bytes": 1}}},
            lambda: {"cameras": {"front": camera | {"file": elsewhere}}},
            lambda: {
                "cameras": {"front": camera | {luck.choice(["width", "frames", "t0_ns"]): 1 << luck.randint(63, 900)}}
            },
            lambda: {"id": elsewhere},
            lambda: {"t0_ns": luck.choice([1.5, "0", None, 1 << 70])},
            lambda: {
                "cut": luck.choice([{}, [], None, told["cut"] | {"window_ns": [1]}, told["cut"] | {"events": [1]}])
            },
            lambda: {"vehicle": {"wheelbase_m": -1.0, "steering_ratio": None}},
        ]
    )()
    manifest = canonical_json(told)
    clip_id = sha256(manifest).hexdigest()
    offer = Offer(clip_id, 1.0, ((0, 1, 1.0),)).to_bytes()
    return Hostile("manifest", clip_id, files | {"drive.json": manifest, "offer.json": offer}, ("bad_manifest",))


COMMITS: tuple[Callable[[int, random.Random], Hostile], ...] = (mixed_up, damaged, lying_json, lying_manifest)


def bound(manifest: Manifest, files: Files) -> tuple[str, Files]:
    """The clip that these files are, whatever they say: a manifest that names them, and an offer that names it."""
    entries = {name: FileEntry(sha256(data).hexdigest(), len(data)) for name, data in files.items()}
    manifest = replace(manifest, files=entries)
    assert manifest.cut
    first, end = (t_ns // 1_000_000_000 for t_ns in manifest.cut.window_ns)
    offer = Offer(manifest.digest, 1.0, ((0, max(int(end - first), 1), 1.0),))
    return manifest.digest, {**files, "drive.json": manifest.to_bytes(), "offer.json": offer.to_bytes()}
