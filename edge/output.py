"""How commands speak: JSON on standard output for scripts, problems in three parts on standard error.

What draws on a terminal is imported when something is drawn: the agent mostly has nothing to say.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from trigger.problem import Problem


def as_json(data: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json_bytes(data).decode())


def json_bytes(data: Any) -> bytes:
    """One JSON document. NaN, which JSON lacks, is refused: callers give None."""
    return (json.dumps(data, indent=2, allow_nan=False) + "\n").encode()


def grid(*columns: str, title: str = "") -> Table:
    """An empty table in the one style all commands share."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(*columns, title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)


def show(table: Table) -> None:
    """Print a table with one line a row: never folded, also where the terminal is narrower."""
    from rich.console import Console

    console = Console(markup=False)
    needed = console.measure(table, options=console.options.update(max_width=10_000)).maximum
    Console(width=max(console.width, needed), markup=False).print(table)


def say(problem: Problem) -> None:
    """What was got, what was wanted, what to do."""
    from rich.console import Console
    from rich.text import Text

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
