"""Captions: the text of one picture, every state of it kept as a version with author and source."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from core.domain.value import Entity


class CaptionSource(StrEnum):
    """How a caption came to be."""

    UPLOAD = "upload"
    AUTOMATIC = "automatic"
    HAND = "hand"


class CaptionMode(StrEnum):
    """What automatic captioning does where a caption stands already."""

    IGNORE = "ignore"
    APPEND = "append"
    OVERWRITE = "overwrite"


class CaptionVersion(Entity):
    """One state of the text of one item; its id is `item:version`."""

    item: str
    version: int
    text: str
    author: str
    source: CaptionSource
    at: datetime


def succeeding(
    old: CaptionVersion | None, *, item: str, text: str, author: str, source: CaptionSource, now: datetime
) -> CaptionVersion:
    """The version of an item's caption that comes after the old one, or the first."""
    number = old.version + 1 if old else 1
    return CaptionVersion(
        id=f"{item}:{number}", item=item, version=number, text=text, author=author, source=source, at=now
    )


def composed(trigger: str, *, traits: Sequence[str] = (), scene: str = "") -> str:
    """Put a caption together: `trigger, traits, scene`; empty parts are left out, the trigger is never repeated."""
    parts = [part.strip() for text in (*traits, scene) for part in text.split(",")]
    return ", ".join([trigger, *(part for part in parts if part and part.casefold() != trigger.casefold())])


def distinctive(scenes: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Leave out of each scene the parts that all scenes share, and return what is left and what was shared.

    A word that stands in every caption takes the blame for what every picture has in common, and the trigger word
    learns nothing: the usual pruning of tags before a character is trained. A single scene stays whole.
    """
    parts = {item: [part.strip() for part in scene.split(",") if part.strip()] for item, scene in scenes.items()}
    first = next(iter(parts.values()), [])
    shared = [part for part in first if all(part in others for others in parts.values())] if len(parts) > 1 else []
    left = {item: ", ".join(part for part in own if part not in shared) for item, own in parts.items()}
    return left, tuple(shared)


def merged(trigger: str, old: str | None, scene: str, mode: CaptionMode) -> str | None:
    """The text that automatic captioning leaves, or None where it leaves the old one alone."""
    if not old or mode is CaptionMode.OVERWRITE:
        return composed(trigger, scene=scene)
    if mode is CaptionMode.IGNORE or scene in old:
        return None
    return f"{old}, {scene}"
