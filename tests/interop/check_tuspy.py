"""tuspy, the tus client for Python, uploads a file to a running service in pieces, with a new client between.

pip install tuspy requests
python tests/interop/check_tuspy.py http://127.0.0.1:8080 DEVICE KEY_FILE
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import time
from pathlib import Path

from tusclient.client import TusClient

from edge.upload.device_key import read_device_key


def main(url: str, device: str, key: str) -> None:
    data = os.urandom(1_000_000)
    told = {"clip": hashlib.sha256(data).hexdigest(), "name": "front.mp4", "sha256": hashlib.sha256(data).hexdigest()}
    token = read_device_key(device, Path(key)).token(time.time())
    location = None
    for pieces in (1, 2, None):
        client = TusClient(f"{url}/v1/uploads", headers={"Authorization": f"Bearer {token}"})
        uploader = client.uploader(
            file_stream=io.BytesIO(data), url=location, chunk_size=200_000, metadata=told, upload_checksum=True
        )
        before = uploader.offset if location else 0
        for _ in range(pieces or 100):
            if uploader.offset < len(data):
                uploader.upload_chunk()
        location = uploader.url
        print(f"{before} -> {uploader.offset} bytes")
    assert uploader.offset == len(data), uploader.offset
    print("tuspy: the whole file was taken")


if __name__ == "__main__":
    main(*sys.argv[1:])
