"""Smaller copies of a camera's video: the proxy that training reads, and the preview that a browser plays.

A proxy is H.264 with every frame of the window and its time, to the nanosecond: it keeps the ticks of the clip's own
video. Few frames build on one another, so that a training sample anywhere costs a few decoded frames.

The picture is stretched to the size of the proxy, by at most half of `STEP` rows; nothing is cropped, as what a policy
looks at is its own affair.

Measured on the head of Udacity's CH2 (640x480, 20 Hz, 220 frames), for crf 20.25 without B-frames at 256x192; processor
time to encode, size, PSNR of the luma, and processor time to open the file and decode one frame anywhere in it. Quick:

    preset             key frames   encode   size     PSNR      one frame
    veryfast           every 10     0.25 s   524 KB   39.7 dB   5.1 ms
    veryfast           every 5      0.28 s   607 KB   39.7 dB   3.6 ms
    veryfast, quick    every 10     0.22 s   561 KB   39.5 dB   2.4 ms
    veryfast, quick    every 5      0.22 s   639 KB   39.5 dB   1.8 ms
    veryfast, quick    every 2      0.21 s   883 KB   39.6 dB   1.5 ms
    superfast, quick   every 5      0.13 s   810 KB   40.4 dB   1.9 ms

At crf 20.25 it takes less room than LeRobot's own encoding and shows more (`benchmarks/loader.py`).
"""

from __future__ import annotations

from av.video.frame import VideoFrame

from edge.video.encode import Encoding

PROXY = Encoding(crf=20.25, preset="veryfast", key_every=5, b_frames=0, quick=True)
PREVIEW = Encoding(crf=26, preset="superfast", key_every=30, b_frames=0)
PROXY_WIDTH = 256
"""In pixels: what the policies here look at is half of it, and image encoders take 224."""
PREVIEW_WIDTH = 960
WIDTH_STEP, STEP = 32, 16
"""Widths and heights are multiples: what convolutions halve five times, and H.264's macroblock."""
PLAYED = ("yuv420p", "yuvj420p")
"""Pictures that browsers play H.264 of."""


def proxy_size(size: tuple[int, int], width: int = PROXY_WIDTH) -> tuple[int, int]:
    """Width and height in pixels of the proxy of a video of this size; never wider than it, nor below one step."""
    narrow = max(WIDTH_STEP, min(width, size[0]) // WIDTH_STEP * WIDTH_STEP)
    return narrow, max(STEP, round(narrow * size[1] / size[0] / STEP) * STEP)


def preview_size(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height in pixels, even, at most `PREVIEW_WIDTH` wide and in the aspect of the video."""
    width = max(2, min(PREVIEW_WIDTH, size[0]) // 2 * 2)
    return width, max(2, round(width * size[1] / size[0] / 2) * 2)


def plays_in_browsers(codec: str, frame: VideoFrame) -> bool:
    return codec == "h264" and frame.format.name in PLAYED
