"""A fork of this process that does one thing and ends, if told so under `strace`.

What the work needs is imported before, so that the calls disturbed or recorded are the work's and none of Python's
own. What starts threads must only ever run in a child: the process that forks has none.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

CRASHED = 70
"""Exit code of work that ended with a traceback."""
PR_SET_PTRACER, ANYBODY = 0x59616D61, ctypes.c_ulong(-1)


def in_child(work: Callable[[], int], said: Path, strace: tuple[object, ...] = ()) -> int:
    """The exit code of `work`, negative for a signal; what it says goes to the file `said`."""
    child = os.fork()
    if child == 0:
        _work(work, said, bool(strace))
    if strace:
        os.waitpid(child, os.WUNTRACED)
        command = ["strace", "-f", *map(str, strace), "-p", str(child)]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert tracer.stderr
        line = tracer.stderr.readline()
        if "attached" not in line:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise SystemExit(f"SKIPPED: strace cannot attach here: {line.strip()}")
        os.kill(child, signal.SIGCONT)
    _, status = os.waitpid(child, 0)
    if strace:
        tracer.communicate()
    return os.waitstatus_to_exitcode(status)


def _work(work: Callable[[], int], said: Path, traced: bool) -> None:
    code = CRASHED
    try:
        os.dup2(os.open(said, os.O_CREAT | os.O_TRUNC | os.O_WRONLY), 2)
        if traced:
            ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY, 0, 0, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def import_what_it_imports(work: Callable[[], int], folder: Path) -> None:
    """Names come from a child that does the work once, undisturbed. `folder` is made for what it leaves."""
    names, said = folder / "modules", folder / "said"

    def noted() -> int:
        code = work()
        names.write_text("\n".join(sys.modules))
        return code

    code = in_child(noted, said)
    assert code == 0, f"undisturbed it ends with {code}: {said.read_text()}"
    for name in names.read_text().splitlines():
        importlib.import_module(name)


def need_strace() -> None:
    if not shutil.which("strace"):
        raise SystemExit("SKIPPED: strace is not installed, so no system call was disturbed")
