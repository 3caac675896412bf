"""From one recording to the clips of both lanes: what the agent does in a child process.

Event clips and baseline clips are cut apart, so that the draw of one never decides over the other. A second that both
hold is stored twice: at the default rate that is under 6 % of the event clips' bytes, paid from the baseline's lane.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from edge.clip import open_clip
from edge.cut import cut, fingerprint
from edge.drive import recorder_named
from edge.driven import Driven, Source, Standing
from edge.errors import EdgeError
from edge.queued import Queued, identity
from edge.scan import Scan, scan
from trigger.baseline import KIND as BASELINE


@dataclass(frozen=True)
class TakenIn:
    """What became of a recording; `driven` is None, and `standing` BEGUN, where the disk refused."""

    standing: Standing
    driven: Driven | None = None
    clips: tuple[Queued, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Intake:
    """Open a recording, scan it, cut its clips into `out`.

    Attributes:
        rate: of its baseline. consent: the owner grants it where the recording does not say.
        known: (identity, seconds) of recordings that were taken in before.
    """

    source: Source
    out: Path
    rate: float
    consent: bool
    position: bool
    known: frozenset[tuple[str, int]] = frozenset()

    def __str__(self) -> str:
        return self.source.path

    def run(self) -> TakenIn:
        """Raises DriveError for what cannot be read."""
        drive = recorder_named(self.source.recorder).open(Path(self.source.path))
        driven = Driven.of(drive, identity(drive.id, fingerprint(drive)), self.rate)
        if (driven.identity, driven.seconds) in self.known:
            return TakenIn(Standing.KNOWN, driven)
        if drive.consent is False:
            return TakenIn(Standing.WITHHELD, driven)
        if drive.consent is None and not self.consent:
            return TakenIn(Standing.NOT_GIVEN, driven)
        found = scan(drive, self.rate)
        written = [w for lane in _lanes(found) for w in cut(lane, self.out, self.position)]
        clips = tuple(Queued.of(open_clip(w.folder)) for w in written)
        return TakenIn(Standing.SCANNED, driven, clips, "; ".join(drive.lost))


def take_in(intake: Intake) -> TakenIn:
    """The job. Raises DriveError for what cannot be read; where a disk refused it is still open what to think of it."""
    try:
        return intake.run()
    except (EdgeError, OSError) as error:
        if isinstance(error, OSError) or isinstance(error.__cause__, OSError):
            return TakenIn(Standing.BEGUN, why=str(error))
        raise


def _lanes(found: Scan) -> tuple[Scan, Scan]:
    events = tuple(e for e in found.events if e.kind != BASELINE)
    drawn = tuple(e for e in found.events if e.kind == BASELINE)
    return replace(found, events=events), replace(found, events=drawn)
