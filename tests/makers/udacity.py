"""Labels of Udacity's challenge, with a video or with images."""

import cv2
import numpy as np

from edge.video.encode import encode
from makers.picture import picture

T0 = 1_479_425_441_182_877_835
STEP = 50_000_000


def rows(n=100, angle=lambda i: 0.2 * np.sin(i / 20)):
    return [(T0 + i * STEP, angle(i)) for i in range(n)]


def write_labels(folder, name="labels.csv", labels=None, header="frame_id,steering_angle,public"):
    lines = [header] + [f"{t},{a},1" for t, a in (labels or rows())]
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder / name


def write_video(folder, n=100):
    encode(folder / "front.mp4", ((T0 + i * STEP, picture(i)) for i in range(n)))


def write_images(folder, n=20):
    folder.mkdir()
    for i in range(n):
        cv2.imwrite(str(folder / f"{T0 + i * STEP}.jpg"), picture(i))
