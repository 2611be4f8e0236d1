"""Captions: the text of one picture, every state of it kept as a version with author and source."""

from collections.abc import Sequence
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


def composed(trigger: str, *, traits: Sequence[str] = (), scene: str = "") -> str:
    """Put a caption together: `trigger, traits, scene`; empty parts are left out, the trigger is never repeated."""
    parts = [part.strip() for part in (*traits, scene) if part.strip()]
    while parts and parts[0].casefold() == trigger.casefold():
        parts.pop(0)
    return ", ".join([trigger, *parts])


def merged(trigger: str, old: str | None, scene: str, mode: CaptionMode) -> str | None:
    """The text that automatic captioning leaves, or None where it leaves the old one alone."""
    if not old or mode is CaptionMode.OVERWRITE:
        return composed(trigger, scene=scene)
    if mode is CaptionMode.IGNORE or scene in old:
        return None
    return f"{old}, {scene}"
