"""Hand clips over to a destination: with consent, resumable, and done only when the receiver says so."""

from __future__ import annotations

from pathlib import Path

from edge.clip import Clip, open_clip
from edge.errors import ClipError, PushError, Refused
from edge.night.budget import CHUNK_BYTES
from edge.upload.destination import Destination, Receipt


def push(folder: Path, to: Destination, consent: bool = False) -> Receipt:
    """Send one clip and return the receiver's receipt.

    Args:
        consent: the owner allows it now; needed where the recording itself does not say so.

    Raises:
        PushError: no consent, the receiver refused, or its receipt is for other bytes.
        ClipError, DriveError: the clip is damaged here.
    """
    clip = open_clip(folder)
    _check_consent(clip, consent)
    clip.verify()
    receipt = to.receipt(clip.id)
    if receipt is None:
        for name in clip.names:
            _send(clip, name, to)
        receipt = to.commit(clip.id)
    if receipt.digest != clip.digest:
        raise PushError(
            f"the receipt for {clip.id[:12]} names the digest {receipt.digest[:12]}",
            f"{clip.digest[:12]}, that of the files here",
            "keep the clip here and ask who runs the store",
        )
    return receipt


def _check_consent(clip: Clip, granted: bool) -> None:
    if clip.manifest.consent is False:
        raise Refused(
            f"the recording of {clip.folder.name} says that it may not be shared", "consent", "leave it where it is"
        )
    if clip.manifest.consent is None and not granted:
        raise Refused(
            f"the recording of {clip.folder.name} does not say whether it may be shared",
            "consent",
            "add --consent if you may share it",
        )


def _send(clip: Clip, name: str, to: Destination) -> None:
    entry = clip.entries[name]
    with (clip.folder / name).open("rb") as file:
        offset = to.held(clip.id, name, entry)
        while offset < entry.bytes:
            file.seek(offset)
            data = file.read(CHUNK_BYTES)
            if not data:
                raise ClipError(f"{clip.folder / name} ends at {offset}", f"{entry.bytes} bytes", "cut the clip again")
            offset = to.append(clip.id, name, offset, data)
