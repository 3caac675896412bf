"""Which campaigns are listened to: the bytes each has brought, against its quota, from the rows of the queue alone.

Rules:
- A campaign has used what its clips cost (`edge.night.charges`) that were sent or may still be: bytes on the disk, over
  all nights and revisions. A clip that was dropped before it was delivered costs nothing any more.
- One that has used its quota is silent. Who is silent in a recording is decided before anything of it is read, and
  written down with it (`Spool.begin`): what it holds has no say, and a start after a crash listens as the first did.
  So a quota is passed by no more than the clips of the recordings that were begun and not finished: one, but where the
  disk failed amid several.
- What became of each campaign is remembered, so that each change is said once, and nothing is counted twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from edge.night.queued import Reason, State
from edge.night.spool import Spool

if TYPE_CHECKING:
    from trigger.campaign import Campaign


class Hearing(StrEnum):
    """Whether a campaign is listened to, and if not, why."""

    HEARD = "heard"
    USED = "quota used"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Quota:
    """One campaign as it was last told of; `ends` is its last UTC day, as YYYY-MM-DD."""

    name: str
    quota_bytes: int | None
    ends: str | None
    hearing: Hearing
    used_bytes: int = 0

    def __str__(self) -> str:
        match self.hearing:
            case Hearing.HEARD:
                return f"campaign {self.name} is listened to again"
            case Hearing.USED:
                why = f"{self.used_bytes:,} bytes of its {self.quota_bytes:,} are used"
            case Hearing.ENDED:
                why = f"it ended on {self.ends}"
            case Hearing.WITHDRAWN:
                why = "it was withdrawn"
        return f"campaign {self.name} is no longer listened to: {why}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def quotas(spool: Spool) -> list[Quota]:
    """Every campaign the car was ever told of, by name, and what it has used."""
    used = _used(spool)
    rows = spool.rows("SELECT name, quota_bytes, ends, hearing FROM campaigns ORDER BY name")
    return [Quota(name, limit, ends, Hearing(hearing), used[name]) for name, limit, ends, hearing in rows]


def silent(spool: Spool) -> frozenset[str]:
    """Names of the campaigns whose quota was used when they were last reviewed."""
    return frozenset(name for (name,) in spool.rows("SELECT name FROM campaigns WHERE hearing = ?", (Hearing.USED,)))


def review(spool: Spool, campaigns: Sequence[Campaign], today: date) -> list[Quota]:
    """Write down how each campaign stands now.

    Args:
        campaigns: those that run. today: the UTC day.

    Returns:
        Those that are listened to no longer, or again.
    """
    before = {quota.name: quota for quota in quotas(spool)}
    used = _used(spool)
    now = {campaign.name: _running(campaign, used[campaign.name]) for campaign in campaigns}
    now |= {name: _gone(quota, today) for name, quota in before.items() if name not in now}
    changed = [quota for name, quota in now.items() if quota != before.get(name)]
    if changed:
        with spool.change() as database:
            rows = [(quota.name, quota.quota_bytes, quota.ends, quota.hearing) for quota in changed]
            database.executemany("INSERT OR REPLACE INTO campaigns VALUES (?,?,?,?)", rows)
    heard = {name for name in now if name not in before or before[name].hearing is Hearing.HEARD}
    return [quota for quota in changed if (quota.hearing is Hearing.HEARD) != (quota.name in heard)]


def _running(campaign: Campaign, used_bytes: int) -> Quota:
    quota_bytes, ends = campaign.quota_bytes, campaign.ends.isoformat() if campaign.ends else None
    is_used = quota_bytes is not None and used_bytes >= quota_bytes
    return Quota(campaign.name, quota_bytes, ends, Hearing.USED if is_used else Hearing.HEARD, used_bytes)


def _gone(quota: Quota, today: date) -> Quota:
    has_ended = quota.ends is not None and quota.ends < today.isoformat()
    return replace(quota, hearing=Hearing.ENDED if has_ended else Hearing.WITHDRAWN)


def _used(spool: Spool) -> Counter[str]:
    """Bytes by name of campaign."""
    used: Counter[str] = Counter()
    for (charges,) in spool.rows(
        "SELECT charges FROM clips WHERE charges <> '{}' AND (state <> ? OR reason = ?)",
        (State.DROPPED, Reason.DELIVERED),
    ):
        used.update(json.loads(charges))
    return used
