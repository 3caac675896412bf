"""Videos of numbered pictures: in a container, and as a raw HEVC stream."""

import av
import numpy as np

from makers.picture import picture

CREATED = "2020-01-02T03:04:05.000000Z"
FRAMES = 30


def write_video(path, codec="libx264", created=CREATED, first_pts=0, audio=False, frames=FRAMES):
    """Numbered pictures at 10 Hz; the same bytes every time."""
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        if created:
            container.metadata["creation_time"] = created
        sound = container.add_stream("aac", rate=8000) if audio else None
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(i), format="rgb24").reformat(format=stream.pix_fmt)
            frame.pts = first_pts + i
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            silence.rate = 8000
            container.mux(sound.encode(silence))
            container.mux(sound.encode(None))
    return path


def write_hevc(path, numbers):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="hevc") as container:
        stream = container.add_stream("libx265", rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"x265-params": "bframes=0:keyint=20:log-level=0"}
        for number in numbers:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="rgb24")))
        container.mux(stream.encode(None))
