"""What can be wrong with a store or a dataset version.

Problem
└── CurateError
    ├── StoreError      not a store, or one in use
    └── DatasetError    a version that is missing, damaged or empty
"""

from __future__ import annotations

from trigger.problem import Problem


class CurateError(Problem):
    pass


class StoreError(CurateError):
    pass


class DatasetError(CurateError):
    pass
