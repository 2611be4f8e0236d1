"""What a message carries: pictures and files, as far as the place takes them, and words for what stays behind."""

import io
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import discord

from bots.chat.reply import Reply
from bots.discord.escaping import written
from core.domain.account import Place
from core.domain.artifact import Artifact
from core.domain.errors import BlobGone
from core.domain.rating import Rating
from core.ports.blobs import Blobs

MOST = 10  # files in a message
NAME, LINE = 60, 250  # characters of a file's name, and of an error, that are kept
MB = 2**20
TOTAL = 50 * MB  # of all files of a message, since they are in memory while they are sent
FOR_ADULTS = "The pictures are for adults: they are shown in age-restricted channels."


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where a message stands: the place, whether one person alone sees it, how many bytes a file may have."""

    place: Place
    private: bool
    limit: int


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """Files for one message, the one that the embed shows, and notes in Discord's markup."""

    files: Sequence[discord.File] = ()
    image: str | None = None
    notes: Sequence[str] = ()


async def packed(reply: Reply, frame: Frame, blobs: Blobs, *, link: Callable[[Artifact], str]) -> Parcel:
    """Read what a message of this frame carries; `link` makes an address for what is too large."""
    adult = reply.rating is Rating.NSFW
    shown = reply.pictures if frame.place.shows(reply.rating) else ()
    notes = [] if len(shown) == len(reply.pictures) else [FOR_ADULTS]
    files: dict[Artifact, discord.File] = {}
    room = TOTAL
    for artifact in dict.fromkeys((*shown, *reply.files)):
        if artifact.size > min(frame.limit, room) or len(files) == MOST:
            notes.append(_left_behind(artifact, frame, link=link))
            continue
        try:
            content = io.BytesIO(b"".join([chunk async for chunk in blobs.open(artifact.sha256)]))
        except BlobGone as error:
            notes.append(written(str(error), limit=LINE))
            continue
        name = _file_name(artifact, {file.filename for file in files.values()})
        files[artifact] = discord.File(content, filename=name, spoiler=adult and artifact in shown)
        room -= artifact.size
    if reply.link:
        notes.append(f"<{reply.link}>" if frame.private else "The link is yours alone: ask again in our private chat.")
    image = next((files[picture].filename for picture in shown if picture in files), None)
    return Parcel(files=tuple(files.values()), image=None if adult else image, notes=tuple(notes))


def _left_behind(artifact: Artifact, frame: Frame, *, link: Callable[[Artifact], str]) -> str:
    name, size = written(artifact.name, limit=NAME), artifact.size / MB
    where = f"<{link(artifact)}>" if frame.private else "`/model download` in our private chat gives a link."
    return f"«{name}» ({size:.0f} MB) is too large to post here: {where}"


def _file_name(artifact: Artifact, taken: Collection[str]) -> str:
    """A name that Discord leaves as it is, so that the embed finds it, and that nothing else in the message has."""
    path = Path(re.sub(r"[^A-Za-z0-9._-]+", "-", artifact.name))
    stem, suffix = path.stem.strip(".-_")[:NAME] or "file", path.suffix[:NAME]
    names = (f"{stem}{number}{suffix}" for number in ("", *(f"-{again}" for again in range(2, MOST + 1))))
    return next(name for name in names if not {name, f"SPOILER_{name}"} & set(taken))
