"""Validation: the doctor reads what is stored of a dataset, counts it, and makes the sheets that show it."""

import asyncio
import os
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.domain.artifact import Artifact
from core.domain.dataset import Dataset, Kind
from core.domain.doctor import conversations_examined, examined, trained
from core.domain.errors import BlobGone
from core.domain.finding import ERRORS
from core.domain.item import Item
from core.domain.likeness import lookalikes
from core.domain.rating import Rating
from core.kinds.validation import Payload, Result
from worker.adapters.conversations import Examined
from worker.adapters.examining import Counted, Glance, Parts, Pictures, Texts, Unreadable
from worker.adapters.progress import Progressed
from worker.adapters.sheets import MAX_ON_SHEET, Numbered, blurred, contact_sheet, side_by_side
from worker.child import Child
from worker.kinds.intake import THREAD_MEMORY
from worker.task import HandedOver, StoredFileDamaged, Task

SECONDS = 900
BATCH = 32  # pictures that lie on the worker's disk at a time
PAGES, PAIRS = 10, 10  # of previews, and on the sheet of near duplicates


async def work(task: Task) -> Result:
    """Look at pictures, or at conversations, in a limited child.

    Raises:
        HandedOver: The worker is leaving; the next one begins anew.
        LeaseLost: The attempt is stale.
    """
    payload = Payload.model_validate(task.job.payload)
    dataset = await task.services.datasets.known(payload.dataset)
    async with Child("worker.adapters.examining:Examining", memory=task.memory, seconds=SECONDS) as child:
        if dataset.kind is Kind.CONVERSATIONS:
            return await _read(task, child, dataset)
        return await _seen(task, child, dataset, deep=payload.deep)


async def _seen(task: Task, child: Child, dataset: Dataset, *, deep: bool) -> Result:
    items = await task.services.datasets.items(dataset.id)
    pairs = (await asyncio.to_thread(lookalikes, trained(items), kept=dataset.kept))[:PAIRS]
    pages = _pages(dataset, items)
    shown = {item.artifact.sha256 for group in (*pages, *pairs) for item in trained(group)}
    suspects = {name for finding in dataset.findings if finding.code == "unreadable" for name in finding.items}
    looked = {item.artifact.sha256 for item in items if deep or item.id in suspects} | shown
    bad = await _decoded(task, child, sorted(looked), shown=shown)
    unreadable = [item.id for item in items if item.artifact.sha256 in bad]
    findings, statistics = await asyncio.to_thread(examined, dataset, items, unreadable=unreadable)
    drawn = Drawn(task=task, visible=shown - bad)
    return Result(
        revision=dataset.revision,
        findings=findings,
        statistics=statistics,
        sheets=tuple([await drawn.sheet(page) for page in pages[:1]]),
        previews=tuple([await drawn.preview(page) for page in pages if dataset.rating is Rating.NSFW]),
        pairs=await drawn.pairs(pairs) if pairs else None,
        tokens=await _counted(task, child, dataset, items),
    )


def _pages(dataset: Dataset, items: Sequence[Item]) -> list[Sequence[Item]]:
    """The pictures of the contact sheet, and of a dataset for adults those of all previews."""
    pages = [items[first : first + MAX_ON_SHEET] for first in range(0, len(items), MAX_ON_SHEET)]
    return pages[: PAGES if dataset.rating is Rating.NSFW else 1]


async def _decoded(task: Task, child: Child, hashes: Sequence[str], *, shown: Collection[str]) -> set[str]:
    """Decode stored pictures, with thumbnails of those that are shown; return which of them cannot be."""
    raw, bad = task.folder / "raw", set[str]()
    threads = max(1, min(os.cpu_count() or 1, task.memory // THREAD_MEMORY))
    await asyncio.to_thread(_thumbnail(task, "").parent.mkdir, exist_ok=True)
    for first in range(0, len(hashes), BATCH):
        if task.stopping.is_set():
            raise HandedOver
        here: dict[Path, str] = {}
        for sha256 in hashes[first : first + BATCH]:
            try:
                here[await task.fetch(sha256, raw / sha256)] = sha256
            except (BlobGone, StoredFileDamaged):
                bad.add(sha256)
        glances = [
            Glance(path=path, thumbnail=_thumbnail(task, sha256) if sha256 in shown else None)
            for path, sha256 in here.items()
        ]
        wanted = Pictures(glances=tuple(glances), threads=threads)
        unreadable: Unreadable = await child.call("look", wanted)
        bad |= {here[path] for path in unreadable.paths}
        await asyncio.to_thread(shutil.rmtree, raw)
        await task.progressed(min(first + BATCH, len(hashes)), len(hashes), doing="looking at pictures")
    return bad


async def _counted(task: Task, child: Child, dataset: Dataset, items: Sequence[Item]) -> Mapping[str, int]:
    """The tokens of captions that nobody has counted, by caption version."""
    captions = [caption for item in items if (caption := dataset.caption_of(item)) and caption.tokens is None]
    if not captions:
        return {}
    texts = {caption.id: caption.text for caption in captions}
    counted: Counted = await child.call("count", Texts(texts=texts, tokenizer=task.settings.caption_tokenizer))
    return counted.tokens


async def _read(task: Task, child: Child, dataset: Dataset) -> Result:
    paths, lost = [], 0
    for part in await task.services.datasets.parts(dataset.id):
        if task.stopping.is_set():
            raise HandedOver
        try:
            paths.append(await task.fetch(part.artifact.sha256, task.folder / part.id))
        except (BlobGone, StoredFileDamaged):
            lost += part.count

    async def on_event(event: Progressed) -> None:
        await task.progressed(event.done, event.total, doing="reading conversations")

    wanted = Parts(paths=tuple(paths), tokenizer=task.settings.conversation_tokenizer)
    found: Examined = await child.call("read", wanted, on_event=on_event)
    findings, statistics = conversations_examined(
        dataset, found.facts, tokens=found.tokens, duplicates=found.duplicates, unreadable=lost
    )
    return Result(
        revision=dataset.revision,
        findings=findings,
        statistics=statistics,
        faults=(*found.errors, *found.flagged)[:ERRORS],
        samples=found.samples,
    )


def _thumbnail(task: Task, sha256: str) -> Path:
    return task.folder / "thumbnails" / f"{sha256}.png"


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Sheets as stored files. Only pictures whose sha256 is among the `visible` have thumbnails; others stay blank."""

    task: Task
    visible: Collection[str]

    async def sheet(self, page: Sequence[Item]) -> Artifact:
        """The contact sheet of some pictures."""
        return await self._stored(await asyncio.to_thread(contact_sheet, self._numbered(page), self._path("sheet")))

    async def preview(self, page: Sequence[Item]) -> Artifact:
        """The same, blurred."""
        sharp = await asyncio.to_thread(contact_sheet, self._numbered(page), self._path("sharp"))
        return await self._stored(await asyncio.to_thread(blurred, sharp, self._path("preview")))

    async def pairs(self, pairs: Sequence[tuple[Item, Item]]) -> Artifact:
        """Near duplicates side by side, the better one first."""
        rows = [self._numbered(pair) for pair in pairs]
        return await self._stored(await asyncio.to_thread(side_by_side, rows, self._path("pairs")))

    def _numbered(self, items: Iterable[Item]) -> list[Numbered]:
        hashes = [(item.position + 1, item.artifact.sha256) for item in items]
        return [(number, _thumbnail(self.task, one) if one in self.visible else None) for number, one in hashes]

    def _path(self, name: str) -> Path:
        return self.task.folder / f"{name}.png"

    async def _stored(self, path: Path) -> Artifact:
        return await self.task.store(path, name=path.name, media_type="image/png")
