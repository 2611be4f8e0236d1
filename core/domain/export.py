"""Exports: a dataset as one file, in a format that other tools read."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import PurePosixPath

from core.domain.artifact import Artifact
from core.domain.dataset import Dataset, Kind
from core.domain.errors import BadValue
from core.domain.item import Item
from core.domain.value import Entity, Value

KEPT = timedelta(days=7)
SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png"}
REPEATS = "repeats"  # the item's metadata that kohya's folders carry in their names
RESERVED = {"file_name", "text"}


class Format(StrEnum):
    """What a dataset can be given out as."""

    ZIP = "zip"
    KOHYA = "kohya"
    IMAGEFOLDER = "imagefolder"
    CONVERSATIONS = "conversations"
    OPENAI = "openai"

    @property
    def kind(self) -> Kind:
        """What kind of dataset it is for."""
        return Kind.CONVERSATIONS if self in {Format.CONVERSATIONS, Format.OPENAI} else Kind.IMAGES


class Export(Entity):
    """A file that was made of a dataset; its id is the job's. It can be fetched for a week."""

    owner: str
    dataset: str
    format: Format
    artifact: Artifact
    created_at: datetime
    expires_at: datetime


class Entry(Value):
    """One file in an archive: where it stands there, and a stored picture's sha256, or a text."""

    path: str
    sha256: str = ""
    text: str = ""


def formats(kind: Kind | None) -> tuple[Format, ...]:
    """What a dataset of this kind can be given out as, the usual first."""
    return tuple(one for one in Format if one.kind is kind)


def chosen(dataset: Dataset, wished: Format | None) -> Format:
    """The format that was wished for, or the usual one.

    Raises:
        BadValue: It is for datasets of another kind.
    """
    fitting = formats(dataset.kind)
    if wished and wished not in fitting:
        why = f"«{dataset.name}» holds {dataset.kind}: take {' or '.join(fitting)}"
        raise BadValue(what="format", value=wished, why=why)
    return wished or fitting[0]


def laid_out(dataset: Dataset, items: Sequence[Item], wished: Format) -> Iterator[Entry]:
    """The entries of an archive of pictures, in order.

    `zip`: pictures with a `.txt` beside each that has a caption. `kohya`: the same in folders `REPEATS_TRIGGER` (the
    layout of kohya's sd-scripts). `imagefolder`: pictures and `metadata.jsonl` (Hugging Face's ImageFolder).
    """
    named = list(zip(items, names(items), strict=True))
    for item, name in named:
        folder = f"{item.metadata.get(REPEATS, '1')}_{dataset.trigger}/" if wished is Format.KOHYA else ""
        yield Entry(path=folder + name, sha256=item.artifact.sha256)
        caption = dataset.caption_of(item)
        if caption and wished is not Format.IMAGEFOLDER:
            yield Entry(path=str(PurePosixPath(folder + name).with_suffix(".txt")), text=f"{caption.text}\n")
    if wished is Format.IMAGEFOLDER:
        rows = "".join(f"{_row(dataset, item, name)}\n" for item, name in named)
        yield Entry(path="metadata.jsonl", text=rows)


def names(items: Sequence[Item]) -> tuple[str, ...]:
    """A file name for each picture: its own where that can stand in any folder, told apart where several share one."""
    taken: set[str] = set()
    found = []
    for item in items:
        stem = _stem(item)
        number, unique = 1, stem
        while unique.casefold() in taken:
            number += 1
            unique = f"{stem}-{number}"
        taken.add(unique.casefold())
        found.append(unique + SUFFIXES.get(item.artifact.media_type, ".png"))
    return tuple(found)


def placed(dataset: Dataset, wished: Format, *, job: str, suffix: str) -> str:
    """The path in a cloud folder; a second attempt at the same job takes the same."""
    name = _safe(dataset.name.replace("/", "_").replace("\\", "_"))
    return f"/{name or dataset.id}-{wished}-{job}{suffix}"


def _stem(item: Item) -> str:
    plain = PurePosixPath(item.artifact.name.replace("\\", "/")).stem
    return _safe(plain) or f"{item.position + 1:05}"


def _safe(name: str) -> str:
    return "".join(letter if letter.isprintable() and letter not in '<>:"|?*' else "_" for letter in name).strip(" .")


def _row(dataset: Dataset, item: Item, name: str) -> str:
    caption = dataset.caption_of(item)
    extra = {key: value for key, value in item.metadata.items() if key not in RESERVED}
    row = {"file_name": name, "text": caption.text if caption else ""} | extra
    return json.dumps(row, ensure_ascii=False)
