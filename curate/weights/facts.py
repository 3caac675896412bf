"""What other steps of the night know of the clips and their drivers, as plain mappings; none of it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Facts:
    """A clip or device that is not named is an ordinary one.

    Attributes:
        density: clip id to the mean likeness of its vector to its neighbours', its own drive left out; -1 to 1.
        duplicate: clip id to what its weight is multiplied with, as other clips show the same; 0 to 1.
        error: clip id to a policy's mean error, see `curate.surprise`.
        driven: device to miles driven, where they are known and need not be estimated.
    """

    density: Mapping[str, float] = field(default_factory=dict)
    duplicate: Mapping[str, float] = field(default_factory=dict)
    error: Mapping[str, float] = field(default_factory=dict)
    driven: Mapping[str, float] = field(default_factory=dict)
