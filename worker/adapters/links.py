"""Links that somebody sent instead of files, by themselves or listed in a text: what lies behind them is fetched."""

import asyncio
import re
import time
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from core.domain.errors import LinkRefused
from core.domain.upload import LIMIT
from core.kinds.intake import FileOutcome, Verdict
from worker.adapters import texts
from worker.adapters.archives import MAX_TOTAL, RawFile
from worker.adapters.fetching import fetched
from worker.adapters.labels import is_sidecar, stem
from worker.adapters.texts import TextRefused

MOST = 1_000
MAX_LIST = 2 * 2**20
TOGETHER = 8  # links that are fetched at a time
SECONDS = 1800.0  # for all of them; those whose turn has not come by then are refused
TOO_SLOW = "The links before it took too long. Send it once more by itself."
LINK = re.compile(r"https?://\S+", re.IGNORECASE)
TOO_MANY = f"At most {MOST:,} links are followed at a time. Send the others by themselves."


class Fetch(Protocol):
    """How a link is fetched."""

    def __call__(self, url: str, path: Path, *, limit: int) -> Awaitable[str]:
        """Write what lies behind a link to a file and return its name.

        Raises:
            LinkRefused: It brings no file within bounds.
        """
        ...


class Gathered(NamedTuple):
    """Files to look into, with what links brought, and the outcomes of lists and of links that brought nothing."""

    files: tuple[RawFile, ...]
    outcomes: tuple[FileOutcome, ...]


async def gathered(files: Sequence[RawFile], links: Sequence[str], out: Path, *, fetch: Fetch = fetched) -> Gathered:
    """Fetch what lies behind links, and behind those in lists of links among the files, into the new folder `out`.

    Of all that is fetched at most 2 GB are taken, 500 MB behind one link.
    """
    lists = await asyncio.to_thread(listed, files)
    said = list(dict.fromkeys((*links, *(link for found in lists.values() for link in found))))
    await asyncio.to_thread(out.mkdir, parents=True)
    brought: list[RawFile | FileOutcome] = []
    left, until = MAX_TOTAL, time.monotonic() + SECONDS
    for start in range(0, min(len(said), MOST), TOGETHER):
        group = list(enumerate(said[:MOST]))[start : start + TOGETHER]
        if time.monotonic() > until:
            brought += [FileOutcome(name=link, verdict=Verdict.REFUSED, words=TOO_SLOW) for _, link in group]
            continue
        limit = min(LIMIT, left // len(group))
        found = await asyncio.gather(*(_brought(link, out / str(number), limit, fetch) for number, link in group))
        left -= sum(one.path.stat().st_size for one in found if isinstance(one, RawFile))
        brought += found
    outcomes = [FileOutcome(name=file.name, verdict=Verdict.TAKEN) for file in files if file.path in lists]
    outcomes += [one for one in brought if isinstance(one, FileOutcome)]
    if len(said) > MOST:
        outcomes.append(FileOutcome(name=f"{len(said) - MOST:,} more links", verdict=Verdict.REFUSED, words=TOO_MANY))
    kept = [file for file in files if file.path not in lists]
    return Gathered((*kept, *(one for one in brought if isinstance(one, RawFile))), tuple(outcomes))


def listed(files: Sequence[RawFile]) -> dict[Path, tuple[str, ...]]:
    """Return the links in each text that holds nothing else and is no picture's caption."""
    stems = {stem(file) for file in files if not is_sidecar(file)}
    texts_alone = (file for file in files if file.name.lower().endswith(".txt") and stem(file) not in stems)
    return {file.path: found for file in texts_alone if (found := links_in(file))}


def links_in(file: RawFile) -> tuple[str, ...]:
    """Return the links in a text, one a line, or nothing when it says anything else."""
    try:
        lines = tuple(filter(None, map(str.strip, texts.read(file.path, limit=MAX_LIST).content.splitlines())))
    except TextRefused:
        return ()
    return lines if all(map(LINK.fullmatch, lines)) else ()


async def _brought(link: str, path: Path, limit: int, fetch: Fetch) -> RawFile | FileOutcome:
    try:
        return RawFile(path=path, name=await fetch(link, path, limit=limit))
    except LinkRefused as refusal:
        return FileOutcome(name=refusal.link, verdict=Verdict.REFUSED, words=str(refusal))
