"""Snapshots: what exactly a run trains on, fixed at order time under the hash of its content."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from core.domain.dataset import Dataset, Item
from core.domain.value import Entity, Value


class SnapshotEntry(Value):
    """One picture by content, with the caption it is trained with and the version that caption is (0: none)."""

    item: str
    name: str
    sha256: str
    caption: str
    caption_version: int


class Snapshot(Entity):
    """An immutable manifest; its id is the sha256 of dataset, trigger and entries, so equal content is one row."""

    dataset: str
    trigger: str
    entries: tuple[SnapshotEntry, ...]
    taken_at: datetime


def taken(dataset: Dataset, items: Sequence[Item], *, now: datetime) -> Snapshot:
    """Fix a dataset as it is; a picture without a caption is trained as the trigger word alone."""
    entries = tuple(
        SnapshotEntry(
            item=item.id,
            name=item.artifact.name,
            sha256=item.artifact.sha256,
            caption=item.caption.text if item.caption else dataset.trigger,
            caption_version=item.caption.version if item.caption else 0,
        )
        for item in sorted(items, key=lambda item: item.position)
    )
    content = [dataset.id, dataset.trigger, [entry.model_dump() for entry in entries]]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return Snapshot(id=digest, dataset=dataset.id, trigger=dataset.trigger, entries=entries, taken_at=now)
