"""Opening one openpilot segment of 60 s, beside a bare loop of the library over the same file.

    python benchmarks/open.py [SEGMENT] [--runs 20]

The bare loop unpacks the file, has the library read every message and asks each for its kind: what any reader built on
it pays before it looks at a field. Processor time, the least of the runs, of one process; without SEGMENT
of a log that is made on the spot (`openpilot_segment.py`).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import zstandard
from openpilot_segment import EVENT, minute

from edge.formats.openpilot_segments import RLOGS
from edge.recorders import openpilot


def bare_loop(log: Path) -> int:
    with (
        log.open("rb") as packed,
        zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as reader,
    ):
        data = reader.read()
    return sum(bool(message.which()) for message in EVENT.read_multiple_bytes(data))


def least_cpu_ms(work: Callable[[Path], object], path: Path, runs: int) -> float:
    times = []
    for _ in range(runs):
        begin = time.process_time()
        work(path)
        times.append(time.process_time() - begin)
    return 1000 * min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("segment", type=Path, nargs="?", help="a segment's folder with rlog.zst")
    parser.add_argument("--runs", type=int, default=20)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        segment = chosen.segment or Path(folder) / "00000000--0123456789--0"
        if not chosen.segment:
            segment.mkdir()
            (segment / RLOGS[0]).write_bytes(zstandard.ZstdCompressor(10).compress(minute()))
        messages = bare_loop(segment / RLOGS[0])
        bare = least_cpu_ms(bare_loop, segment / RLOGS[0], chosen.runs)
        ours = least_cpu_ms(openpilot.open, segment, chosen.runs)
    print(f"{messages} messages\nlibrary, bare loop {bare:7.1f} ms\nswerve, open       {ours:7.1f} ms")
    print(f"difference         {ours - bare:7.1f} ms")


if __name__ == "__main__":
    main()
