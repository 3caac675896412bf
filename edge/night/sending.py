"""Send what was chosen until the receiver has acknowledged it: the baseline first, within the night's bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.clip import open_clip
from edge.durable import write_bytes
from edge.errors import BudgetSpent, ClipError, DriveError, EdgeError, PushError, Refused
from edge.night.budget import CHUNK_BYTES, wire_bytes
from edge.night.inclusion import offer_of, undecided
from edge.night.meter import Metered
from edge.night.nights import Night
from edge.night.queued import Lane, Queued, Reason, State
from edge.night.recovery import is_damaged
from edge.night.spool import Spool
from edge.night.terms import Terms
from edge.offer import OFFER
from edge.upload.destination import Destination
from edge.upload.push import push

REFUSALS = 3
"""Hand-overs that break off one after the other before the rest of a lane waits for the next round."""


@dataclass(frozen=True)
class Sender:
    """Sends what was chosen, baseline first.

    Attributes:
        tell: takes what went wrong with a clip.
    """

    spool: Spool
    to: Destination
    terms: Terms
    tell: Callable[[EdgeError], object]

    def send(self, night: Night) -> None:
        """Hand over until all is acknowledged, the lanes are spent, or nobody answers. Raises SpoolError."""
        for lane in Lane:
            chosen = [c for c in self.spool.clips(State.CHOSEN, State.SENT, State.ACKNOWLEDGED) if c.lane is lane]
            left = self.terms.limit(lane) - night.spent(lane)
            if chosen and left >= wire_bytes(CHUNK_BYTES):
                self._send_lane(lane, sorted(chosen, key=lambda c: (-c.value / max(c.bytes, 1), c.sequence)))

    def _send_lane(self, lane: Lane, chosen: list[Queued]) -> None:
        to = Metered(self.to, self.spool, lane, self.terms.limit(lane))
        refused = 0
        for clip in chosen:
            try:
                self.deliver(clip, to)
                refused = 0
            except BudgetSpent:
                return
            except (ClipError, DriveError) as error:
                self.tell(error)
                if is_damaged(error):
                    self.spool.drop([clip], Reason.DAMAGED)
            except Refused as error:
                self.tell(error)
            except (PushError, OSError) as error:
                self.tell(error if isinstance(error, PushError) else _out_of_reach(clip, error))
                refused += 1
                if refused >= REFUSALS:
                    return

    def deliver(self, clip: Queued, to: Destination) -> None:
        """Send one clip and drop the copy once its receipt was read back; one that must wait is passed over.

        Raises:
            BudgetSpent, PushError, OSError: not now. ClipError, DriveError: the copy cannot be read. SpoolError.
        """
        if clip.state is not State.ACKNOWLEDGED:
            of_drive = self.spool.clips_of(clip.drive)
            if undecided(clip, of_drive):
                return
            self._hand_over(clip, of_drive, to)
            clip = self.spool.mark(clip, State.ACKNOWLEDGED)
        self.spool.drop([clip], Reason.DELIVERED)

    def _hand_over(self, clip: Queued, of_drive: list[Queued], to: Destination) -> None:
        folder = self.spool.folder_of(clip)
        here = open_clip(folder)
        offer = offer_of(here, clip, of_drive)
        if offer != here.offer:
            write_bytes(folder / OFFER, offer.to_bytes())
        push(folder, to, self.terms.consent)
        self.spool.mark(clip, State.SENT)
        receipt = to.receipt(clip.clip_id)
        if receipt is None or receipt.digest != here.digest:
            raise PushError(
                f"the receipt of {clip.clip_id[:12]} cannot be read back", "one for the same bytes", "try again later"
            )


def _out_of_reach(clip: Queued, error: OSError) -> PushError:
    return PushError(f"clip {clip.folder}: {error}", "a destination within reach", "it is tried again")
