"""One step of an exported policy, as a car runs it: onnxruntime, one thread, and nothing of torch.

`python -m train.onnx_step < FILE` measures it and prints JSON: `median_ms` and `p95_ms` of a step, and `memory_mib`,
the most that the process ever held.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

WARM_UP, STEPS = 5, 100
KINDS = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32, "tensor(int64)": np.int64}


def open_session(content: bytes) -> Any:
    """An onnxruntime session on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def measure(content: bytes) -> dict[str, float]:
    session = open_session(content)
    inputs = {each.name: np.zeros(each.shape, KINDS[each.type]) for each in session.get_inputs()}
    seconds = []
    for _ in range(WARM_UP + STEPS):
        start = time.perf_counter()
        session.run(None, inputs)
        seconds.append(time.perf_counter() - start)
    median, p95 = np.percentile(np.array(seconds[WARM_UP:]) * 1e3, [50, 95])
    return {"median_ms": round(median, 3), "p95_ms": round(p95, 3), "memory_mib": round(_peak_mib(), 1)}


def _peak_mib() -> float:
    # Linux counts the parent's peak into ru_maxrss; macOS has no /proc, and counts bytes.
    try:
        status = Path("/proc/self/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    print(json.dumps(measure(sys.stdin.buffer.read())))
