"""Duplicates on real drives: every planted copy is found, and no two different stretches are taken for one."""

import io
from dataclasses import replace

import av
import numpy as np
import pytest

from curate.duplicates import duplicates
from curate.embed.encoder import SIDE, encoder_named
from curate.embed.vector import vector_of
from curate.likeness import likenesses
from curate.look import Seen
from curate.portrait import Portrait
from curate.thumbs import thumb
from curate.traits import traits_of
from edge.drive import open_drive

S = 1_000_000_000
CLIP_S = 10


def portrait(name, frames, telemetry, window):
    """Of decoded frames, as `curate.look` would have seen them."""
    seen = [(t_ns, frame) for t_ns, frame in frames if window[0] <= t_ns < window[1]]
    thumbs = np.stack([thumb(frame.reformat(320, 240, "yuv420p", interpolation="AREA")) for _, frame in seen])
    traits = traits_of(Seen(np.array([t_ns for t_ns, _ in seen]), thumbs, (), None, None), telemetry, window)
    stills = [seen[at][1] for at in (0, len(seen) // 2, -1)]
    encoder = encoder_named("lite0")
    features = [encoder.features(f.reformat(SIDE, SIDE, "rgb24", interpolation="AREA").to_ndarray()) for f in stills]
    return Portrait(
        clip_id=name,
        seconds=(window[1] - window[0]) // S,
        events={},
        drive_id=f"drive of {name}",
        start_ns=window[0],
        end_ns=window[1],
        video=f"video of {name}",
        traits=traits,
        vector=vector_of(features, traits.summary),
    )


def encoded_again(frames, size, crf, gain=1.0, offset=0.0):
    """The frames smaller, coarser and brighter, on the same clock."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=20)
        (stream.width, stream.height), stream.pix_fmt = size, "yuv420p"
        stream.options = {"crf": str(crf), "preset": "ultrafast", "threads": "1"}
        for number, (_, frame) in enumerate(frames):
            planes = frame.reformat(*size, "yuv420p").to_ndarray()
            planes[: size[1]] = np.clip(planes[: size[1]] * gain + offset, 16, 235)
            changed = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            changed.pts = number
            container.mux(stream.encode(changed))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        return [(t_ns, frame) for (t_ns, _), frame in zip(frames, container.decode(video=0), strict=True)]


def stretches(drive, camera, starts):
    for start in starts:
        window = (drive.t0_ns + start * S, drive.t0_ns + (start + CLIP_S) * S)
        yield start, window, list(drive.cameras[camera].frames(*window))


@pytest.mark.real
def test_every_planted_copy_is_found_and_nothing_else(real):
    winding, tub = open_drive(real / "udacity_ch2_001"), open_drive(real / "donkeycar_tub" / "tub")
    originals, copies = [], []
    for start, window, frames in stretches(winding, "front", range(0, 60, CLIP_S)):
        originals.append(portrait(f"{start}", frames, winding.telemetry, window))
        if start % 40 == 0:
            brighter = encoded_again(frames, (640, 480), 23, 1.2, 10)
            darker = encoded_again(frames, (320, 240), 32, 0.7)
            copies.append(portrait(f"{start} brighter", brighter, winding.telemetry, window))
            copies.append(portrait(f"{start} darker", darker, winding.telemetry, window))
            copies.append(portrait(f"{start} trimmed", frames, winding.telemetry, (window[0] + S, window[1])))
    for start, window, frames in stretches(tub, next(iter(tub.cameras)), range(0, 30, CLIP_S)):
        originals.append(portrait(f"tub {start}", frames, tub.telemetry, window))
    assert duplicates(originals, likenesses(originals, [])) == {}
    every = [*originals, *copies]
    told = duplicates(every, likenesses(every, []))
    groups = {frozenset((clip_id.split()[0], duplicate.of.split()[0])) for clip_id, duplicate in told.items()}
    assert len(told) == len(copies) == 6
    assert groups == {frozenset(["0"]), frozenset(["40"])}
    braking = [replace(clip, events={"harsh_braking": 1.0}) if clip.clip_id == "0 trimmed" else clip for clip in every]
    assert "0 trimmed" not in duplicates(braking, likenesses(braking, []))
