"""What a message carries: pictures and files, as far as the place takes them, and words for what stays behind."""

import io
import re
from collections.abc import Callable, Sequence
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
NAME = 60  # characters of a file's name that are kept
MB = 2**20


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
    carried, notes = list[discord.File](), list[str]()
    if len(shown) < len(reply.pictures):
        notes.append("The pictures are for adults: they are shown in age-restricted channels.")
    for artifact in dict.fromkeys((*shown, *reply.files)):
        if artifact.size > frame.limit or len(carried) == MOST:
            notes.append(_left_behind(artifact, frame, link=link))
            continue
        try:
            content = io.BytesIO(b"".join([chunk async for chunk in blobs.open(artifact.sha256)]))
        except BlobGone as error:
            notes.append(written(str(error), limit=NAME * 4))
            continue
        name = _file_name(artifact, len(carried))
        carried.append(discord.File(content, filename=name, spoiler=adult and artifact in shown))
    if reply.link:
        notes.append(f"<{reply.link}>" if frame.private else "The link is yours alone: ask again in our private chat.")
    first = carried[0].filename if carried and shown and not adult and shown[0].size <= frame.limit else None
    return Parcel(files=carried, image=first, notes=notes)


def _left_behind(artifact: Artifact, frame: Frame, *, link: Callable[[Artifact], str]) -> str:
    name = written(artifact.name, limit=NAME)
    if artifact.size <= frame.limit:
        return f"«{name}» does not fit into this message any more."
    where = f"<{link(artifact)}>" if frame.private else "`/model download` in our private chat gives a link."
    return f"«{name}» ({artifact.size / MB:.0f} MB) is too large to post here: {where}"


def _file_name(artifact: Artifact, number: int) -> str:
    """A name that Discord leaves as it is, so that the embed finds it, and that nothing else in the message has."""
    path = Path(re.sub(r"[^A-Za-z0-9._-]+", "-", artifact.name))
    stem = path.stem.strip(".-_")[:NAME] or "file"
    return f"{stem}{f'-{number + 1}' if number else ''}{path.suffix[:NAME]}"
