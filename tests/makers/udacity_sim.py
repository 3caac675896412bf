"""A recording of Udacity's simulator."""

import cv2

from makers.picture import picture

T0_NS = 1_480_599_048_287_000_000  # 2016-12-01 13:30:48.287 UTC
STEP_MS = 100
HEADER = "center,left,right,steering,throttle,brake,speed"


def stamp(i):
    total = (13 * 3600 + 30 * 60 + 48) * 1000 + 287 + i * STEP_MS
    seconds, ms = divmod(total, 1000)
    return f"2016_12_01_{seconds // 3600:02d}_{seconds // 60 % 60:02d}_{seconds % 60:02d}_{ms:03d}"


def row(i, folder="C:\\Users\\ann lee\\sim\\IMG\\", steering=0.25, throttle=0.5, brake=0.0, speed=30.0):
    images = ", ".join(f"{folder}{camera}_{stamp(i)}.jpg" for camera in ("center", "left", "right"))
    return f"{images}, {steering}, {throttle}, {brake}, {speed}"


def write_sim(folder, n=40, rows=None, header=False, images=True):
    (folder / "IMG").mkdir(parents=True)
    for i in range(n if images else 0):
        for camera in ("center", "left", "right"):
            cv2.imwrite(str(folder / "IMG" / f"{camera}_{stamp(i)}.jpg"), picture(i))
    lines = [HEADER] * header + (rows or [row(i) for i in range(n)])
    (folder / "driving_log.csv").write_text("\n".join(lines) + "\n")
    return folder
