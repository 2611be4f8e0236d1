"""Snapshots: what exactly a run trains on, fixed at order time under the hash of its content."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Self

from core.domain.caption import MAIN
from core.domain.conversation import Part
from core.domain.dataset import Dataset
from core.domain.item import Item
from core.domain.value import Entity, Value


class SnapshotEntry(Value):
    """One picture by content, with the caption it is trained with and the version that caption is (0: none)."""

    item: str
    name: str
    sha256: str
    caption: str
    caption_version: int


class Snapshot(Entity):
    """An immutable manifest; its id is the sha256 of dataset, trigger, set and entries, so equal content is one row.

    Entries name pictures with the version of their caption in the `set`, or parts of conversations. After a purge or
    a withdrawn consent the bytes are gone (`erased_at`); hashes stay, and its runs cannot be repeated.
    """

    dataset: str
    trigger: str
    entries: tuple[SnapshotEntry, ...]
    taken_at: datetime
    set: str = MAIN
    erased_at: datetime | None = None

    @property
    def held(self) -> tuple[SnapshotEntry, ...]:
        """The entries whose bytes are here."""
        return tuple(entry for entry in self.entries if entry.name)

    def erased(self, most: int | None = None, *, now: datetime) -> Self:
        """Without the bytes and the words of so many entries, or of all; hashes and versions tell what runs used."""
        gone = {entry.item for entry in self.held[:most]}
        entries = tuple(entry.but(name="", caption="") if entry.item in gone else entry for entry in self.entries)
        return self.but(entries=entries, trigger="", erased_at=self.erased_at or now)


def taken(dataset: Dataset, items: Sequence[Item], parts: Sequence[Part] = (), *, now: datetime) -> Snapshot:
    """Fix a dataset as it is, without what consent was withdrawn for.

    A picture without a caption is trained as the trigger word alone.
    """
    pictures = sorted((item for item in items if not item.withdrawn_at), key=lambda item: item.position)
    entries = (*(_pictured(dataset, item) for item in pictures), *(_said(part) for part in parts))
    content = [dataset.id, dataset.trigger, dataset.default_set, [entry.model_dump() for entry in entries]]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return Snapshot(
        id=digest,
        dataset=dataset.id,
        trigger=dataset.trigger,
        entries=entries,
        taken_at=now,
        set=dataset.default_set,
    )


def _pictured(dataset: Dataset, item: Item) -> SnapshotEntry:
    caption = dataset.caption_of(item)
    return SnapshotEntry(
        item=item.id,
        name=item.artifact.name,
        sha256=item.artifact.sha256,
        caption=caption.text if caption else dataset.trigger,
        caption_version=caption.version if caption else 0,
    )


def _said(part: Part) -> SnapshotEntry:
    return SnapshotEntry(
        item=part.id, name=part.artifact.name, sha256=part.artifact.sha256, caption="", caption_version=0
    )
