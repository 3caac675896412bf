"""What can be wrong with a recording, a clip or a destination.

Problem
└── EdgeError
    ├── DriveError      the recording as a whole: missing, unknown, malformed
    │   └── VideoError  one video or image of it
    ├── CampaignFileError  a campaign, or the record of its back-test
    ├── LabelError      a file of labels that cannot be meant as it is written
    ├── ClipError       a clip that does not match its manifest
    ├── PushError       a hand-over that was refused or broke off
    ├── SpoolError      the queue of clips: a full or failing disk, a second agent, a newer format
    └── BudgetSpent     the bytes of this night are used up
"""

from __future__ import annotations

from trigger.problem import Problem


class EdgeError(Problem):
    pass


class DriveError(EdgeError):
    pass


class VideoError(DriveError):
    pass


class CampaignFileError(EdgeError):
    pass


class LabelError(EdgeError):
    pass


class ClipError(EdgeError):
    pass


class PushError(EdgeError):
    pass


class Refused(PushError):
    """This one clip is not taken, or may not be given; the others may be."""


class SpoolError(EdgeError):
    pass


class BudgetSpent(EdgeError):
    pass
