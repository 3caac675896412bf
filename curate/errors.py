"""What can be wrong with a store or a dataset version.

Problem
└── CurateError
    ├── StoreError      not a store, or one that does not answer
    │   └── StoreBusy   another run is at work: later it may not be
    ├── DatasetError    a version that is missing, damaged or empty
    └── EncoderError    what turns pictures into vectors is not there, or not usable
"""

from __future__ import annotations

from trigger.problem import Problem


class CurateError(Problem):
    pass


class StoreError(CurateError):
    pass


class StoreBusy(StoreError):
    exit_code = 75
    """EX_TEMPFAIL of sysexits.h."""


class DatasetError(CurateError):
    pass


class EncoderError(CurateError):
    pass
