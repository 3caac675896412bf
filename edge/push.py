"""Hand clips over to a destination: with consent, resumable, and done only when the receiver says so."""

from __future__ import annotations

from pathlib import Path

from edge.clip import Clip, open_clip
from edge.destination import Destination, Receipt
from edge.errors import PushError

CHUNK_BYTES = 1024 * 1024


def push(folder: Path, to: Destination, consent: bool = False) -> Receipt:
    """Send one clip and return the receiver's receipt.

    Args:
        consent: the owner allows it now; needed where the recording itself does not say so.

    Raises:
        PushError: no consent, or the receiver refused. ClipError, DriveError: the clip is damaged here.
    """
    clip = open_clip(folder)
    _check_consent(clip, consent)
    clip.verify()
    known = to.receipt(clip.id)
    if known:
        return known
    for name in clip.names:
        _send(clip, name, to)
    return to.commit(clip.id)


def _check_consent(clip: Clip, granted: bool) -> None:
    if clip.manifest.consent is False:
        raise PushError(
            f"the recording of {clip.folder.name} says that it may not be shared", "consent", "leave it where it is"
        )
    if clip.manifest.consent is None and not granted:
        raise PushError(
            f"the recording of {clip.folder.name} does not say whether it may be shared",
            "consent",
            "add --consent if you may share it",
        )


def _send(clip: Clip, name: str, to: Destination) -> None:
    with (clip.folder / name).open("rb") as file:
        offset = to.held(clip.id, name)
        file.seek(offset)
        while data := file.read(CHUNK_BYTES):
            to.append(clip.id, name, offset, data)
            offset += len(data)
