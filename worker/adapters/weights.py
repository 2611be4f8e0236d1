"""Safetensors files: reads what they say of themselves and writes them anew with other words, tensors untouched.

The format is eight bytes of length, a JSON header with an entry for each tensor, and the tensors' bytes without gaps
(https://github.com/huggingface/safetensors#format). The hashes are ModelSpec's and those of kohya-ss/sd-scripts
(`library/train_util.py`, `precalculate_safetensors_hashes`).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from worker.pipelines.tasks import BadAdapter

CHUNK = 2**20
LENGTH, ALIGNED = 8, 8  # bytes
LONGEST_HEADER = 100_000_000  # bytes; no reader takes more
METADATA = "__metadata__"
HASHES = ("modelspec.hash_sha256", "sshs_model_hash", "sshs_legacy_hash")
LEGACY_WINDOW = slice(0x100000, 0x110000)  # the bytes of a file that the oldest hash looks at


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a file says: of itself, of its tensors (format, shape, place), and how many bytes it takes to say it."""

    metadata: Mapping[str, str]
    tensors: Mapping[str, Mapping[str, Any]]
    size: int


def header(path: Path) -> Header:
    """Read the header of a file.

    Raises:
        BadAdapter: It is no safetensors file, or a part of it is missing.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH), "little")
        text = file.read(length) if length <= LONGEST_HEADER else b""
    try:
        entries = json.loads(text)
        metadata = entries.pop(METADATA, {})
        places = sorted((first, last) for first, last in (entry["data_offsets"] for entry in entries.values()))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadAdapter(f"{path.name} is no safetensors file.") from error
    end = path.stat().st_size - LENGTH - length
    if any(before[1] != after[0] for before, after in pairwise([(0, 0), *places, (end, end)])):
        raise BadAdapter(f"{path.name} is damaged: its tensors do not fill it.")
    return Header(metadata=metadata, tensors=entries, size=LENGTH + length)


def content_hash(path: Path) -> str:
    """Return the sha256, in hex, of a file's tensors: all behind the header, whatever the metadata (AutoV3)."""
    with path.open("rb") as file:
        file.seek(LENGTH + int.from_bytes(file.read(LENGTH), "little"))
        return hashlib.file_digest(file, "sha256").hexdigest()


def rewritten(path: Path, out: Path, metadata: Mapping[str, str]) -> str:
    """Write a file's tensors to `out` under other metadata, to which its hashes are added; `out` is whole or not there.

    Returns:
        The sha256 of the tensors, in hex.

    Raises:
        BadAdapter: The file is no whole safetensors file, or was written badly.
    """
    known = header(path)
    whole = content_hash(path)
    hashes = (f"0x{whole}", whole, _legacy_hash(path, known, metadata))
    said = dict(metadata) | dict(zip(HASHES, hashes, strict=True))
    part = out.with_suffix(".part")
    with part.open("wb") as file:
        file.write(_header(known.tensors, said))
        file.writelines(_chunks(path, known.size))
    written = header(part)
    if (written.tensors, written.metadata, content_hash(part)) != (known.tensors, said, whole):
        raise BadAdapter(f"{out.name} was written badly. Try again.")
    part.replace(out)
    return whole


def _header(tensors: Mapping[str, Mapping[str, Any]], metadata: Mapping[str, str]) -> bytes:
    entries = {METADATA: dict(sorted(metadata.items())), **tensors}
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    padded = text.ljust(-(-len(text) // ALIGNED) * ALIGNED)
    return len(padded).to_bytes(LENGTH, "little") + padded


def _legacy_hash(path: Path, known: Header, metadata: Mapping[str, str]) -> str:
    """Return the first digits of the hash of a window into the file, as if it said nothing but how it was trained."""
    trained = {name: text for name, text in metadata.items() if name.startswith("ss_")}
    head = _header(known.tensors, trained)
    start, stop = (max(0, edge - len(head)) for edge in (LEGACY_WINDOW.start, LEGACY_WINDOW.stop))
    with path.open("rb") as file:
        file.seek(known.size + start)
        return hashlib.sha256(head[LEGACY_WINDOW] + file.read(stop - start)).hexdigest()[:8]


def _chunks(path: Path, start: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while chunk := file.read(CHUNK):
            yield chunk
