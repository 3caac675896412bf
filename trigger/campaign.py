"""A campaign: a trigger written as data, for the cars that may meet what it asks for.

    name = "braking_at_speed"
    expression = "speed_mps > kmh(72) and rate(brake_fraction) > 3"
    quota_bytes = "200 MB"
    ends = 2027-03-31

`read` is pure: text in, a campaign or CampaignError out. Signing and sending it, counting its bytes and asking whether
it has ended is done elsewhere. One that is published again under its name is another revision of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from trigger.campaign_file import CampaignError, Table, parsed
from trigger.campaign_rules import DAY, HOURS, NAME, PROBABILITY, QUOTA, TEXT, number
from trigger.event import version_of
from trigger.excursion import Limits
from trigger.expression import Expression, parse
from trigger.hours import Hours
from trigger.language.syntax import ExpressionError
from trigger.region import Box, Circle, Region
from trigger.signals import POSITION

MAX_BEFORE_S = 20.0
"""With the 10 s that an expression may look back, or a hold last, no more than the 30 s a car and a clip have."""
MAX_AFTER_S = 30.0
MAX_HOLD_S = 10.0
MAX_REFRACTORY_S = 20.0
MAX_RADIUS_M = 1e6
SECOND_NS = 1_000_000_000
REVISION_DIGITS = 12
"""48 bits: enough to tell apart the texts that one owner publishes under one name."""


@dataclass(frozen=True)
class Campaign:
    """One campaign.

    Attributes:
        name: what its events are called.
        hold_s, refractory_s: as in `trigger.excursion.Limits`. before_s, after_s: what a clip keeps around an event.
        region, hours: where and when it listens; None: everywhere, always.
        quota_bytes: most that one car may send for it in all, under whatever revision; None: no limit of its own.
        ends: the last UTC day on which it runs; None: it runs until it is withdrawn.
        probability: share of its events that are kept.
        digest: sha256 of its text, in hex; "" where it was not read from one.
    """

    name: str
    expression: Expression
    hold_s: float = 0.1
    refractory_s: float = 2.0
    before_s: float = 5.0
    after_s: float = 5.0
    region: Region | None = None
    hours: Hours | None = None
    quota_bytes: int | None = None
    ends: date | None = None
    probability: float = 1.0
    digest: str = ""

    @property
    def revision(self) -> str:
        """What tells its texts apart: how `sha256sum` of its file begins."""
        return self.digest[:REVISION_DIGITS]

    @property
    def version(self) -> str:
        """Of its events."""
        return version_of(self.revision)

    @property
    def limits(self) -> Limits:
        """When the expression's severity is an event: from 1 on, without hysteresis."""
        return Limits(1.0, f"campaign {self.name}", off=1.0, hold_s=self.hold_s, refractory_s=self.refractory_s)

    def keeps(self, drive_id: str, t0_ns: int, t_ns: int) -> bool:
        """Whether an event at t_ns of a drive that begins at t0_ns, both int ns, is of the share that is kept.

        Each second of a drive is drawn on its own, by a hash of (drive, campaign, second): the same on every machine.
        """
        drawn = f"{drive_id}\0{self.name}\0{(t_ns - t0_ns) // SECOND_NS}".encode()
        digest = hashlib.blake2b(drawn, digest_size=8, person=b"swerve-campaign").digest()
        return int.from_bytes(digest, "big") < int(self.probability * 2.0**64)

    def in_region(self, lat_deg: float, lon_deg: float) -> bool:
        """Whether it listens at a place; NaN, a place that is not known, lies in no region."""
        return self.region is None or self.region.contains(lat_deg, lon_deg)

    def in_hours(self, unix_ns: int) -> bool:
        """Whether it listens at a time, int ns since 1970 in UTC."""
        return self.hours is None or self.hours.contains(unix_ns)


def read(text: str) -> Campaign:
    """A campaign from its TOML. Raises CampaignError, which names the line."""
    table = parsed(text)
    campaign = Campaign(
        name=table.need("name", NAME),
        expression=_expression(table),
        hold_s=table.get("hold_s", number(0.0, MAX_HOLD_S), Campaign.hold_s),
        refractory_s=table.get("refractory_s", number(0.0, MAX_REFRACTORY_S), Campaign.refractory_s),
        before_s=table.get("before_s", number(0.0, MAX_BEFORE_S), Campaign.before_s),
        after_s=table.get("after_s", number(0.0, MAX_AFTER_S), Campaign.after_s),
        region=_region(table),
        hours=table.get("hours", HOURS, None),
        quota_bytes=table.get("quota_bytes", QUOTA, None),
        ends=table.get("ends", DAY, None),
        probability=table.get("probability", PROBABILITY, 1.0),
        digest=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
    )
    table.finish()
    around_s = campaign.before_s + campaign.after_s
    if "refractory_s" in table and campaign.refractory_s > around_s:  # what is joined must lie in one clip
        raise table.refusal("refractory_s", f"no more than before_s + after_s, {around_s:g} s")
    return campaign


def _expression(table: Table) -> Expression:
    text = table.need("expression", TEXT)
    try:
        expression = parse(text)
    except ExpressionError as error:
        line = table.line("expression")
        raise CampaignError(
            f"{error.got}, in the expression that begins at line {line} of the file", error.wanted, error.todo
        ) from None
    if told := expression.signals & set(POSITION):
        wanted = f"no {', '.join(sorted(told))}: its evidence would tell a place"
        raise table.refusal("expression", wanted, "say where it listens with region")
    return expression


def _region(campaign: Table) -> Region | None:
    table = campaign.table("region")
    if table is None:
        return None
    lat, lon = number(-90.0, 90.0), number(-180.0, 180.0)
    region: Region
    if "radius_m" in table:
        radius_m = table.need("radius_m", number(1.0, MAX_RADIUS_M))
        region = Circle(table.need("lat_deg", lat), table.need("lon_deg", lon), radius_m)
    else:
        south, north = table.need("south_deg", lat), table.need("north_deg", lat)
        region = Box(south, table.need("west_deg", lon), north, table.need("east_deg", lon))
        if south >= north:
            raise table.refusal("south_deg", "south_deg below north_deg")
    table.finish()
    return region
