"""How commands speak: JSON on standard output for scripts, problems in three parts on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from trigger.problem import Problem


def as_json(data: Any) -> None:
    """One JSON document on standard output. NaN, which JSON lacks, is refused: callers give None."""
    json.dump(data, sys.stdout, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def say(problem: Problem) -> None:
    """What was got, what was wanted, what to do."""
    text = Text.assemble(
        ("error: ", "bold red"),
        problem.got,
        "\n",
        ("wanted: ", "bold"),
        problem.wanted,
        "\n",
        ("do:     ", "bold"),
        problem.todo,
    )
    Console(stderr=True, soft_wrap=True).print(text)
