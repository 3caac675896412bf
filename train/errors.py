"""What can be wrong with samples, a policy or a figure about it.

Problem
└── TrainError
    ├── SampleError      nothing to learn from, or a clip that cannot be used
    ├── PolicyError      a policy folder that is missing, damaged or foreign
    ├── FitError         training that went wrong, or settings that cannot work
    ├── EvaluationError  nothing to examine, or predictions that do not fit the samples
    ├── WorldError       a world that cannot be built, or that died
    └── FlywheelError    terms that cannot be met, or a night that cannot go on
"""

from __future__ import annotations

from trigger.problem import Problem


class TrainError(Problem):
    pass


class SampleError(TrainError):
    pass


class PolicyError(TrainError):
    pass


class FitError(TrainError):
    pass


class EvaluationError(TrainError):
    pass


class WorldError(TrainError):
    pass


class FlywheelError(TrainError):
    pass
