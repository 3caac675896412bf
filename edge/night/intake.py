"""From one recording to the clips of both lanes: what the agent does in a child process.

Event clips and baseline clips are cut apart, so that the draw of one never decides over the other. A second that both
hold is stored twice: at the default rate that is under 6 % of the event clips' bytes, paid from the baseline's lane.

What reads and cuts is imported when the job runs, so that the agent, which only hands it over, stays small.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import EdgeError
from edge.night.driven import Driven, Source, Standing
from edge.night.queued import Queued, identity

if TYPE_CHECKING:
    from edge.drive import Drive
    from edge.scan import Scan
    from trigger.campaign import Campaign


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
        campaigns: listened for, too, decided before it is read; each keeps all of its events, as the night draws by
            itself.
    """

    source: Source
    out: Path
    rate: float
    consent: bool
    position: bool
    known: frozenset[tuple[str, int]] = frozenset()
    campaigns: tuple[Campaign, ...] = ()

    def __str__(self) -> str:
        return self.source.path


def take_in(intake: Intake) -> TakenIn:
    """The job. Raises DriveError for what cannot be read; where a disk refused it is still open what to think of it."""
    from edge.cut import fingerprint
    from edge.drive import recorder_named

    try:
        drive = recorder_named(intake.source.recorder).open(Path(intake.source.path))
        driven = Driven.of(drive, identity(drive.id, fingerprint(drive)), intake.rate)
        if (driven.identity, driven.seconds) in intake.known:
            return TakenIn(Standing.KNOWN, driven)
        if drive.consent is False:
            return TakenIn(Standing.WITHHELD, driven)
        if drive.consent is None and not intake.consent:
            return TakenIn(Standing.NOT_GIVEN, driven)
        return TakenIn(Standing.SCANNED, driven, _cut(drive, intake), "; ".join(drive.lost))
    except (EdgeError, OSError) as error:
        if isinstance(error, OSError) or isinstance(error.__cause__, OSError):
            return TakenIn(Standing.BEGUN, why=str(error))
        raise


def _cut(drive: Drive, intake: Intake) -> tuple[Queued, ...]:
    from edge.clip import open_clip
    from edge.cut import cut
    from edge.scan import scan

    lanes = _lanes(scan(drive, intake.rate, intake.campaigns))
    written = [clip for lane in lanes for clip in cut(lane, intake.out, intake.position)]
    return tuple(Queued.of(open_clip(clip.folder)) for clip in written)


def _lanes(found: Scan) -> tuple[Scan, Scan]:
    from trigger.baseline import KIND as BASELINE

    events = tuple(e for e in found.events if e.kind != BASELINE)
    drawn = tuple(e for e in found.events if e.kind == BASELINE)
    return replace(found, events=events), replace(found, events=drawn)
