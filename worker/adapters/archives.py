"""Zip archives from unknown hands, unpacked within bounds or refused whole."""

import errno
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from core.domain.value import Value

MAX_ENTRIES = 10_000
MAX_TOTAL = 2 * 2**30
MAX_RATIO = 100
MAX_NAME = 255
CHUNK = 2**20
ZIP_HEADS = (b"PK\x03\x04", b"PK\x05\x06")
ARCHIVE_HEADS = (*ZIP_HEADS, b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
ARCHIVE_SUFFIXES = (".zip", ".rar", ".7z", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".tar", ".jar", ".cbz")
PLAIN_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
JUNK = re.compile(r"(^|/)(__MACOSX/|\._[^/]*$|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, LookupError, OverflowError, MemoryError)


class ArchiveRefused(Exception):  # noqa: N818 a past participle, as every result here
    """An archive of which nothing is taken; `words` name the entry and say what to do."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class RawFile(Value):
    """A file as it came: where its bytes are, and the name its owner knows it by (with `/` inside an archive)."""

    path: Path
    name: str


def is_zip(path: Path) -> bool:
    """Say whether a file begins as a zip does; a picture with a zip glued to its end is a picture."""
    with path.open("rb") as file:
        return file.read(4) in ZIP_HEADS


def is_archive(path: Path) -> bool:
    """Say whether a file begins as an archive of any kind does."""
    with path.open("rb") as file:
        return file.read(max(map(len, ARCHIVE_HEADS))).startswith(ARCHIVE_HEADS)


def unpack(archive: Path, out: Path, *, beside: Sequence[RawFile] = ()) -> tuple[RawFile, ...]:
    """Write the entries of a zip into the new folder `out` under numbers, never under names of the archive.

    Everything that can be judged by the directory is refused before anything is written; sizes are counted while
    streaming, because headers lie. A refusal leaves nothing behind. The junk of desktops is skipped.

    Raises:
        ArchiveRefused: More than 10,000 entries or 2 GB, together with what other archives held `beside` it; more than
            100 times the archive's own size; an unsafe or repeated name, a link, an archive within, a password, an odd
            compression, damage.
    """
    out.mkdir()
    try:
        with zipfile.ZipFile(archive) as opened:
            files = wanted(opened.infolist(), most=MAX_ENTRIES - len(beside))
            return written(opened, files, out, limit=total_limit(archive, beside))
    except ArchiveRefused:
        shutil.rmtree(out)
        raise
    except (*DAMAGE, OSError) as reason:
        shutil.rmtree(out)
        if isinstance(reason, OSError) and reason.errno != errno.EINVAL:  # a full disk is no fault of the archive
            raise
        raise ArchiveRefused("The archive is damaged or cut off. Make it anew and send that.") from reason


def total_limit(archive: Path, beside: Sequence[RawFile] = ()) -> int:
    """Return the most bytes that an archive may unpack to."""
    left = MAX_TOTAL - sum(file.path.stat().st_size for file in beside)
    return min(left, MAX_RATIO * archive.stat().st_size)


def wanted(entries: Sequence[zipfile.ZipInfo], *, most: int = MAX_ENTRIES) -> dict[str, zipfile.ZipInfo]:
    """Return the files to unpack by their clean names, having judged every entry by the archive's directory.

    Raises:
        ArchiveRefused: As for `unpack`.
    """
    if len(entries) > MAX_ENTRIES:
        raise ArchiveRefused(f"The archive has {len(entries):,} entries, at most {MAX_ENTRIES:,} are taken. Split it.")
    if len(entries) > most:
        raise ArchiveRefused(f"All archives have more than {MAX_ENTRIES:,} entries. Send this one by itself.")
    files: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for entry in entries:
        name = entry.orig_filename.replace("\\", "/")
        fault = fault_of(entry, name)
        if fault is None and name.casefold() in seen:
            fault = "comes twice (or differs by case alone)"
        if fault is not None:
            raise ArchiveRefused(f"«{shown(name)}» in the archive {fault}. Make a plain one without it and send that.")
        seen.add(name.casefold())
        if not name.endswith("/") and not JUNK.search(name):
            files[name] = entry
    return files


def fault_of(entry: zipfile.ZipInfo, name: str) -> str | None:
    """Say what forbids an entry, as the end of a sentence that begins with its name."""
    faults = {
        "has an unprintable name": not name.isprintable() or not name,
        "has an endless name": len(name) > MAX_NAME,
        "has an absolute name": re.match(r"/|[A-Za-z]:", name) is not None,
        "points out of the archive": ".." in name.split("/"),
        "is a link or a device": stat.S_IFMT(entry.external_attr >> 16) not in {0, stat.S_IFREG, stat.S_IFDIR},
        "needs a password": entry.flag_bits & 1 == 1,
        "is compressed in an unusual way": entry.compress_type not in PLAIN_COMPRESSIONS,
        "is an archive itself": name.lower().endswith(ARCHIVE_SUFFIXES) and not JUNK.search(name),
    }
    return next((words for words, holds in faults.items() if holds), None)


def written(
    opened: zipfile.ZipFile, files: dict[str, zipfile.ZipInfo], out: Path, *, limit: int
) -> tuple[RawFile, ...]:
    """Stream each file into `out`, counting real bytes.

    Raises:
        ArchiveRefused: The files together outgrow `limit` bytes, or one of them is an archive whatever its name.
    """
    total = 0
    raws = []
    for number, (name, entry) in enumerate(files.items()):
        path = out / f"{number:05d}"
        with opened.open(entry) as source, path.open("wb") as target:
            while chunk := source.read(CHUNK):
                if not target.tell() and chunk.startswith(ARCHIVE_HEADS):
                    raise ArchiveRefused(f"«{shown(name)}» in the archive is an archive itself. Unpack it first.")
                total += len(chunk)
                if total > limit:
                    raise ArchiveRefused(
                        f"At «{shown(name)}» the archive outgrows {limit:,} bytes: at most 2 GB and {MAX_RATIO} times "
                        "its own size are unpacked. Split it, or send the files by themselves."
                    )
                target.write(chunk)
        raws.append(RawFile(path=path, name=name))
    return tuple(raws)


def shown(name: str) -> str:
    """Return a name that is safe and short enough to be shown."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)[:80]
