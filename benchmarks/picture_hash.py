"""The hash of a picture of 640 x 480: swerve beside imagehash and OpenCV (area, DCT), each from decoded luma in memory.

    pip install imagehash
    python benchmarks/picture_hash.py [--pictures 200] [--runs 5]

Prints the least processor time a picture of several runs on one thread. In the night a picture is looked at anyway
(`curate.look`), so that only the last line is added to it.
"""

from __future__ import annotations

import argparse
import sys

from measured import least_cpu_s

# isort: split
import av
import numpy as np

from curate.phash import picture_hashes
from curate.thumbs import thumb

try:
    import cv2
    import imagehash
    from PIL import Image
except ImportError as missing:
    sys.exit(f"error: {missing.name} is not installed; wanted imagehash and OpenCV; do: pip install imagehash")


def opencv(luma: np.ndarray) -> np.ndarray:
    low = cv2.dct(cv2.resize(luma, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32))[:8, :8]
    return np.packbits(low > np.median(low))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    lumas = list(np.random.default_rng(0).integers(0, 256, (chosen.pictures, 480, 640), np.uint8))
    frames = [av.VideoFrame.from_ndarray(luma, format="gray") for luma in lumas]
    images = [Image.fromarray(luma) for luma in lumas]
    thumbs = np.stack([thumb(frame) for frame in frames])
    took = least_cpu_s(
        {
            "imagehash.phash": lambda: [imagehash.phash(image) for image in images],
            "OpenCV, area and DCT": lambda: [opencv(luma) for luma in lumas],
            "swerve, with thumbs": lambda: picture_hashes(np.stack([thumb(frame) for frame in frames])),
            "swerve, from thumbs": lambda: picture_hashes(thumbs),
        },
        chosen.runs,
    )
    for name, cpu_s in took.items():
        ratio = cpu_s / took["imagehash.phash"]
        print(f"{name:22} {cpu_s / chosen.pictures * 1e3:7.3f} ms a picture   {ratio:5.2f} x imagehash")


if __name__ == "__main__":
    main()
