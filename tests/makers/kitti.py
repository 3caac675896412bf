"""A KITTI raw drive: numbered files and a time for each."""

import cv2

from makers.picture import picture

NAME = "2011_09_26_drive_0001_sync"
T0_NS = 1_317_042_145_594_360_375  # 2011-09-26 13:02:25.594360375 UTC
STEP_NS = 100_000_000
FIRST_SAMPLE = (
    "49.015003823272 8.4342971002335 116.43032836914 0.035752 0.00903 -2.6087069803847 "
    "-6.811441479104 -11.275641809511 13.172716663769 -0.12475264293164 -0.032919903047354 "
    "-0.44519814607457 0.042957369847256 10.209865300506 -0.34030092211055 -0.31686915378551 10.209117821189 "
    "0.0090951755733632 -0.023140741253985 -0.017909034508194 0.0089018002187228 -0.022495299354602 "
    "-0.018809330937153 0.027658633371879 0.012727922061358 4 11 6 6 6"
)
"""The first sample of that drive, as its makers published it."""


def stamps(n, offset_ns=0):
    lines = []
    for i in range(n):
        ns = 25_594_360_375 + i * STEP_NS + offset_ns
        lines.append(f"2011-09-26 13:02:{ns // 10**9:02d}.{ns % 10**9:09d}")
    return lines


def write_stream(folder, files, lines):
    (folder / "data").mkdir(parents=True)
    (folder / "timestamps.txt").write_text("\n".join(lines) + "\n")
    for name, content in files.items():
        (folder / "data" / name).write_bytes(content)


def sample(**changed):
    numbers = FIRST_SAMPLE.split()
    for place, value in changed.items():
        numbers[int(place[1:])] = str(value)
    return " ".join(numbers).encode()


def write_kitti(folder, n=30, cameras=("image_02",), oxts=True):
    if oxts:
        write_stream(folder / "oxts", {f"{i:010d}.txt": sample() for i in range(n)}, stamps(n))
    for number, camera in enumerate(cameras):
        pictures = {f"{i:010d}.png": cv2.imencode(".png", picture(i))[1].tobytes() for i in range(n)}
        write_stream(folder / camera, pictures, stamps(n, offset_ns=7_000_000 - 10_000_000 * number))
    return folder
