"""Campaign files on disk: read one, publish one, read all that were published to a folder.

A folder of published campaigns holds:
    <name>.toml                        what is listened to
    <name>.backtest.json               the record of its back-test on recorded drives
    revisions/<name>.<revision>.toml   every text that was ever published, so that its events can be found again

A campaign without a record, or changed since, is not listened to: nobody knows what it would send.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from edge.durable import write_bytes
from edge.errors import CampaignFileError
from trigger.campaign import Campaign, read
from trigger.campaign_file import MAX_BYTES, CampaignError
from trigger.event import TRIGGER_VERSION
from trigger.listening import as_triggers

RECORD, REVISIONS = ".backtest.json", "revisions"
FORMAT = "swerve-backtest/1"


@dataclass(frozen=True)
class CampaignFile:
    """A campaign and its text, to whose digest a back-test is bound."""

    path: Path
    text: str
    campaign: Campaign

    @property
    def digest(self) -> str:
        return self.campaign.digest


def today() -> date:
    """The UTC day, by which a campaign ends."""
    return datetime.now(UTC).date()


def read_file(path: Path) -> CampaignFile:
    """Raises CampaignFileError for what is not a campaign, with the line."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode()
    except OSError as error:
        raise CampaignFileError(f"{path}: {error.strerror}", "a campaign file", "check the path") from None
    except UnicodeDecodeError as error:
        raise CampaignFileError(f"{path}: byte {error.start} is no UTF-8", "a text file", "save it as UTF-8") from None
    try:
        return CampaignFile(path, text, read(text))
    except CampaignError as error:
        raise CampaignFileError(f"{path}: {error.got}", error.wanted, error.todo) from None


def listened_to(paths: Sequence[Path], today: date) -> tuple[Campaign, ...]:
    """The campaigns of files, and those published to folders; what has ended is left out.

    Raises:
        CampaignFileError: not a campaign; or in a folder, one without a back-test of its own.
    """
    found = []
    for path in paths:
        if path.is_dir():
            published = sorted(path.glob("*.toml"))
            if not published:
                raise CampaignFileError(f"{path} holds no campaign", "published ones", "publish one, or leave it out")
            found += [_published(toml) for toml in published]
        else:
            found.append(read_file(path))
    return together(f.campaign for f in found if f.campaign.ends is None or today <= f.campaign.ends)


def together(campaigns: Iterable[Campaign]) -> tuple[Campaign, ...]:
    """Campaigns that can be listened to at once. Raises CampaignFileError where names collide."""
    found = tuple(campaigns)
    try:
        as_triggers(found)
    except CampaignError as error:
        raise CampaignFileError(error.got, error.wanted, error.todo) from None
    return found


def publish(file: CampaignFile, record: Path, to: Path) -> Path:
    """Put a campaign and the record of its back-test into a folder.

    Raises:
        CampaignFileError: the record is of another campaign, another text or other triggers, or nothing was played.
    """
    data = _record(record)
    _check(file, record, data)
    name, text = file.campaign.name, file.text.encode()
    write_bytes(to / REVISIONS / f"{name}.{file.campaign.revision}.toml", text)  # known before a car listens to it
    write_bytes(to / f"{name}{RECORD}", record.read_bytes())
    target = to / f"{name}.toml"
    write_bytes(target, text)
    return target


def ever_published(folder: Path) -> tuple[Campaign, ...]:
    """All revisions of all campaigns of a folder; none where there is no folder.

    Raises:
        CampaignFileError: one that cannot be read.
    """
    former, present = sorted(folder.glob(f"{REVISIONS}/*.toml")), sorted(folder.glob("*.toml"))
    return tuple(read_file(path).campaign for path in (*former, *present))


def _published(path: Path) -> CampaignFile:
    file, record = read_file(path), path.with_suffix(RECORD)
    _check(file, record, _record(record))
    return file


def _record(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise CampaignFileError(
            f"{path} is no record of a back-test",
            "what swerve trigger backtest wrote",
            "run swerve trigger backtest CAMPAIGN DRIVES --out RECORD",
        )
    return data


def _check(file: CampaignFile, record: Path, data: dict[str, Any]) -> None:
    bound = {"campaign": file.campaign.name, "digest": file.digest, "triggers": TRIGGER_VERSION}
    other = [key for key, value in bound.items() if data.get(key) != value]
    if other:
        raise CampaignFileError(
            f"{record} is the back-test of another {', '.join(other)} than {file.path}",
            "a back-test of this very file",
            "run swerve trigger backtest again",
        )
    if not data.get("hours"):
        raise CampaignFileError(f"{record} played no drive", "drives it can run on", "back-test it on your recordings")
