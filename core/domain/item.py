"""Items: one picture in a dataset, with its captions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from core.domain.artifact import Artifact
from core.domain.caption import MAIN, CaptionVersion
from core.domain.value import Entity


class Item(Entity):
    """One picture in a dataset; sizes in pixels, `phash` 64 bits in hex, `position` the order shown.

    `captions` are the present versions by caption set; there is no `thumbnail` of what is as small itself, or
    came in before there were any. What `withdrawn_at` marks is no longer trained on: somebody depicted does not
    consent any more.
    """

    dataset: str
    position: int
    artifact: Artifact
    original_sha256: str
    width: int
    height: int
    phash: str
    sharpness: float
    captions: Mapping[str, CaptionVersion] = {}
    metadata: Mapping[str, str] = {}
    thumbnail: Artifact | None = None
    withdrawn_at: datetime | None = None

    @property
    def small(self) -> Artifact:
        """What is shown of it among others."""
        return self.thumbnail or self.artifact

    @property
    def files(self) -> tuple[str, ...]:
        """The sha256 of all that is stored of it."""
        return tuple(stored.sha256 for stored in (self.artifact, self.thumbnail) if stored)

    def caption(self, set: str = MAIN) -> CaptionVersion | None:  # noqa: A002 - the word of the domain
        """The caption in a set; None where there is none, or none any more."""
        version = self.captions.get(set)
        return version if version and version.text else None

    def captioned(self, version: CaptionVersion) -> Self:
        """With another present version in its set."""
        return self.but(captions={**self.captions, version.set: version})
