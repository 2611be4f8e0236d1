"""Export: the items of a dataset are fetched and written into one file, which also goes to a cloud on request."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TypeVar

from core.domain.dataset import Kind
from core.domain.errors import (
    BlobGone,
    CloudFull,
    CloudNotSetUp,
    CloudRevoked,
    CloudUnavailable,
    ExtraMissing,
    NotConnected,
)
from core.domain.export import Format, laid_out, placed
from core.kinds.export import Payload, Result
from core.services.exports import Manifest
from worker.adapters import exports
from worker.channel import TaskFailed
from worker.task import HandedOver, Task

T = TypeVar("T")

KEPT_BACK = (CloudFull, CloudNotSetUp, CloudRevoked, CloudUnavailable, ExtraMissing, NotConnected)


class ExportIncomplete(TaskFailed):
    """Something that belongs into the file is gone."""

    code = "export_incomplete"


async def work(task: Task) -> Result:
    """Write one file, item after item, and store it; it is kept here also where it does not get to a cloud.

    Raises:
        ExportIncomplete: Stored bytes are gone; something was deleted for good meanwhile.
        HandedOver: The worker is leaving; the next one begins anew.
        LeaseLost: The attempt is stale.
    """
    payload = Payload.model_validate(task.job.payload)
    manifest = await task.services.exports.manifest(payload.dataset, owner=task.job.owner)
    write = _said if payload.format.kind is Kind.CONVERSATIONS else _pictured
    try:
        path, media_type = await write(task, manifest, payload.format)
    except BlobGone as error:
        words = f"A file of «{manifest.dataset.name}» is gone. Have the doctor look, and export again."
        raise ExportIncomplete(words) from error
    name = f"{manifest.dataset.name}-{payload.format}{path.suffix}"
    count = len(manifest.items) + sum(part.count for part in manifest.parts)
    result = Result(artifact=await task.store(path, name=name, media_type=media_type), count=count)
    if not payload.provider:
        return result
    there = placed(manifest.dataset, payload.format, job=task.job.id, suffix=path.suffix)
    try:
        return result.but(path=await _sent(task, path, there, size=result.artifact.size))
    except KEPT_BACK as error:
        return result.but(missed=str(error))


async def _sent(task: Task, path: Path, there: str, *, size: int) -> str:
    """Send a file to its owner's cloud, while the worker stays."""

    async def progressed(count: int) -> None:
        if task.stopping.is_set():
            raise HandedOver
        await task.progressed(count, size, doing="sending it to your Dropbox")

    return await task.services.connections.upload(task.job.owner, path, path=there, progressed=progressed)


async def _pictured(task: Task, manifest: Manifest, wished: Format) -> tuple[Path, str]:
    path = task.folder / "export.zip"
    with exports.archive(path) as archive:
        async for entry in _each(task, list(laid_out(manifest.dataset, manifest.items, wished))):
            if entry.sha256:
                picture = await task.fetch(entry.sha256, task.folder / "picture")
                await asyncio.to_thread(archive.add, entry.path, picture)
            else:
                await asyncio.to_thread(archive.write, entry.path, entry.text)
    return path, "application/zip"


async def _said(task: Task, manifest: Manifest, wished: Format) -> tuple[Path, str]:
    path = task.folder / "export.jsonl"
    async for part in _each(task, manifest.parts):
        fetched = await task.fetch(part.artifact.sha256, task.folder / "part")
        await asyncio.to_thread(exports.append, fetched, path, wished)
    return path, "application/jsonl"


async def _each(task: Task, things: Sequence[T]) -> AsyncIterator[T]:
    """One after the other, while the worker stays, told as progress."""
    for number, thing in enumerate(things, start=1):
        if task.stopping.is_set():
            raise HandedOver
        yield thing
        await task.progressed(number, len(things), doing="writing the file")
