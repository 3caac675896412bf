"""A DonkeyCar tub, version 2."""

import json

import cv2

from makers.picture import picture


def write_tub(folder, n=100, step_ms=50, mode=lambda i: "user", deleted=()):
    (folder / "images").mkdir(parents=True)
    records = []
    for i in range(n):
        name = f"{i}_cam_image_array_.jpg"
        cv2.imwrite(str(folder / "images" / name), picture(i))
        records.append(
            {
                "_index": i,
                "_timestamp_ms": 1_600_000_000_000 + i * step_ms,
                "cam/image_array": name,
                "user/angle": 0.5 if i < n // 2 else -0.25,
                "user/throttle": 0.4 if i % 2 else -0.3,
                "user/mode": mode(i),
            }
        )
    (folder / "catalog_0.catalog").write_text("".join(json.dumps(r) + "\n" for r in records))
    head = [["cam/image_array"], ["image_array"], {}, {"created_at": 1.5}, {"deleted_indexes": list(deleted)}]
    (folder / "manifest.json").write_text("".join(json.dumps(line) + "\n" for line in head))
    return folder
