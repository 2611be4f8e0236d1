"""What stands beside pictures: captions in sidecars and tables, repeats in the names of kohya's folders."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from core.kinds.intake import FileOutcome, Verdict
from worker.adapters import tables, texts
from worker.adapters.archives import RawFile, shown
from worker.adapters.tables import Row
from worker.adapters.texts import TextRefused, on_one_line

FORMATS = ("imagefolder", "kohya", "sidecars", "pictures")  # what tells more goes first
SIDECARS = (".txt", ".caption")
MAX_CAPTION = 64 * 2**10
KOHYA = re.compile(r"(?:^|/)([1-9]\d{0,2})_[^/]+/[^/]+$")  # a picture right in a folder `10_token class`
FAULTS = 3  # faults of a table that are told
NO_PICTURE = "No picture of the same name came with this caption. Send both together."
ABSENT = "names «{name}», which did not come with it"
TWICE = "names «{name}» again"


class Label(NamedTuple):
    """What is said of a picture, and what was made of it on the way."""

    caption: str | None = None
    metadata: Mapping[str, str] = {}
    repairs: tuple[str, ...] = ()


class Labelled(NamedTuple):
    """The pictures of one bundle with their labels, the outcomes of other files, and the format of the whole."""

    pictures: tuple[tuple[RawFile, Label], ...] = ()
    outcomes: tuple[FileOutcome, ...] = ()
    source_format: str = "pictures"


def labelled(files: Sequence[RawFile]) -> Labelled:
    """Tell the pictures of a bundle from what is said of them, and put both together.

    Files come loose, in kohya's `10_token class/` folders or as an ImageFolder with a table, each of them as it is or
    in folders of their own. What a sidecar says goes before what a table says.
    """
    sheets = [file for file in files if tables.is_table(file)]
    sidecars = [file for file in files if is_sidecar(file)]
    pictures = [file for file in files if not tables.is_table(file) and not is_sidecar(file)]
    said, told = said_by(sheets, pictures)
    pairs, alone = paired(pictures, sidecars)
    labels = tuple((picture, label(picture, sidecar, said.get(picture.name))) for picture, sidecar in pairs)
    lonely = (FileOutcome(name=file.name, verdict=Verdict.REFUSED, words=NO_PICTURE) for file in alone)
    signs = bool(said), any(map(repeats, pictures)), any(sidecar for _, sidecar in pairs), True
    source_format = next(name for name, holds in zip(FORMATS, signs, strict=True) if holds)
    return Labelled(labels, (*told, *lonely), source_format)


def label(picture: RawFile, sidecar: RawFile | None, row: Row | None) -> Label:
    """Return what the sidecar and the table's row say of a picture, and what the name of its folder does."""
    caption, repairs = caption_in(sidecar) if sidecar else (None, ())
    metadata = {**repeats(picture), **(row.metadata if row else {})}
    if row and row.caption:
        if caption and caption != row.caption:
            repairs = (*repairs, "kept the caption of its sidecar, not the other one in the table")
        caption = caption or row.caption
    return Label(caption, metadata, repairs)


def repeats(picture: RawFile) -> Mapping[str, str]:
    """Return how often kohya's trainer would show a picture in an epoch, by the name of its folder, if not once."""
    found = KOHYA.search(picture.name)
    return {"repeats": found[1]} if found and found[1] != "1" else {}


def is_sidecar(file: RawFile) -> bool:
    """Say whether a file is a caption by its name."""
    return file.name.lower().endswith(SIDECARS)


def stem(file: RawFile) -> str:
    """Return what a picture and its sidecar have in common: folder and name without the suffix, whatever the case."""
    head, _, tail = file.name.rpartition(".")
    return (file.name if "/" in tail else head).casefold()


def paired(
    pictures: Sequence[RawFile], sidecars: Sequence[RawFile]
) -> tuple[tuple[tuple[RawFile, RawFile | None], ...], tuple[RawFile, ...]]:
    """Pair each picture with the sidecar of its folder and stem, and return the pairs and the sidecars left over.

    Where a picture has both, `.txt` goes before `.caption`.
    """
    by_stem: dict[str, RawFile] = {}
    for sidecar in sorted(sidecars, key=lambda file: not file.name.lower().endswith(SIDECARS[0])):
        by_stem.setdefault(stem(sidecar), sidecar)
    pairs = tuple((file, by_stem.get(stem(file))) for file in pictures)
    used = {sidecar.path for _, sidecar in pairs if sidecar}
    return pairs, tuple(sidecar for sidecar in sidecars if sidecar.path not in used)


def caption_in(sidecar: RawFile) -> tuple[str | None, tuple[str, ...]]:
    """Return the text of a sidecar on one line, None when it is blank or unreadable, and what was made of it."""
    try:
        content, was_utf_16 = texts.read(sidecar.path, limit=MAX_CAPTION)
    except TextRefused as refusal:
        return None, (f"left out its caption, which {refusal.words}",)
    return on_one_line(content), ("read its caption from UTF-16",) * was_utf_16


def said_by(sheets: Iterable[RawFile], pictures: Iterable[RawFile]) -> tuple[dict[str, Row], list[FileOutcome]]:
    """Return what the tables say by names of pictures, the first row of each, and a verdict on every table."""
    by_tail = defaultdict[str, list[str]](list)
    for picture in pictures:
        by_tail[posixpath.basename(picture.name).casefold()].append(picture.name)
    said: dict[str, Row] = {}
    told = []
    for sheet in sheets:
        before, faults = len(said), []
        try:
            for row in tables.rows(sheet):
                name = meant(row.file_name, posixpath.dirname(sheet.name), by_tail)
                if fault := row.fault or (ABSENT if name is None else TWICE if name in said else ""):
                    faults.append(f"line {row.line} {fault.format(name=shown(row.file_name))}")
                elif name:
                    said[name] = row
        except TextRefused as refusal:
            faults.append(f"it {refusal.words}")
        told.append(judged(sheet, len(said) - before, faults))
    return said, told


def meant(file_name: str, folder: str, by_tail: Mapping[str, Sequence[str]]) -> str | None:
    """Return the picture that a table in a folder names, by their names' last parts.

    Somebody may have moved the table out of the folder of its pictures, or the pictures out of theirs: then the
    only one whose name ends as the wanted one does, or the other way round, is meant.
    """
    relative = posixpath.normpath(file_name.replace("\\", "/")).casefold()
    path = posixpath.normpath(posixpath.join(folder.casefold(), relative))
    alike = by_tail.get(posixpath.basename(path), ())
    exact = [name for name in alike if name.casefold() == path]
    near = [
        name
        for name in alike
        if f"/{name.casefold()}".endswith(f"/{relative}") or f"/{path}".endswith(f"/{name.casefold()}")
    ]
    return exact[0] if exact else near[0] if len(near) == 1 else None


def judged(sheet: RawFile, used: int, faults: Sequence[str]) -> FileOutcome:
    """Return a table's outcome: refused when it says nothing of any picture."""
    if not faults and used:
        return FileOutcome(name=sheet.name, verdict=Verdict.TAKEN)
    more = f"; and {len(faults) - FAULTS} more" if len(faults) > FAULTS else ""
    why = "; ".join(faults[:FAULTS]) or "there is no row in it"
    verdict = Verdict.REPAIRED if used else Verdict.REFUSED
    words = f"Rows used: {used}. Left out: {why}{more}."
    return FileOutcome(name=sheet.name, verdict=verdict, words=words)
