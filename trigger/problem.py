"""An error in three parts: what was got, what was wanted, what to do about it.

Each room derives its own small tree from `Problem`; the front door prints the three parts and exits with
`exit_code`. Nothing else is caught there, so a traceback always means a defect in swerve.
"""

from __future__ import annotations


class Problem(Exception):
    """Raised for bad input or a state the user can mend.

    Args:
        got: what was found, with the name of the file, drive or clip it was found in.
        wanted: what would have been right.
        todo: the next step for the person who reads it.
    """

    exit_code = 2

    def __init__(self, got: str, wanted: str, todo: str) -> None:
        super().__init__(f"{got}; wanted {wanted}; {todo}")
        self.got, self.wanted, self.todo = got, wanted, todo

    def __reduce__(self) -> tuple[type[Problem], tuple[str, str, str]]:
        return type(self), (self.got, self.wanted, self.todo)
