"""Smaller copies of a camera's video: the proxy that training reads, and the preview that a browser plays.

A proxy is H.264 with every frame of the window and its time, to the nanosecond: it keeps the ticks of the clip's own
video. Few frames build on one another, so that a training sample anywhere costs a few decoded frames.

The picture is stretched to the size of the proxy, by at most half of `STEP` rows; nothing is cropped, as what a policy
looks at is its own affair.

Measured on the head of Udacity's CH2 (640x480, 20 Hz, 220 frames), for crf 20 without B-frames at 256x192; processor
time to encode, size, PSNR of the luma, and processor time to open the file and decode one frame anywhere in it:

    preset      key frames   encode   size     PSNR      one frame
    veryfast    every 10     0.29 s   634 KB   37.8 dB   6.0 ms
    superfast   every 5      0.19 s   931 KB   38.8 dB   4.6 ms
    superfast   every 10     0.21 s   845 KB   38.8 dB   6.7 ms
    superfast   every 20     0.18 s   798 KB   38.8 dB   8.3 ms
    ultrafast   every 10     0.13 s   1304 KB  39.9 dB   4.6 ms

At crf 21 it takes less room than LeRobot's own encoding and shows more (`benchmarks/loader.py`).
"""

from __future__ import annotations

from av.video.frame import VideoFrame

from edge.video.encode import Encoding

PROXY = Encoding(crf=21, preset="superfast", key_every=10, b_frames=0)
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
