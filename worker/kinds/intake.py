"""Intake: raw uploads are looked into in a limited child process, and what is clean is stored."""

import asyncio
import os
from collections.abc import Sequence

from core.domain.artifact import Artifact
from core.domain.dataset import Dataset
from core.domain.quota import Usage
from core.kinds.intake import Payload, Picture, Portion, Result
from worker.adapters import links
from worker.adapters.archives import RawFile
from worker.adapters.media import CleanPicture
from worker.adapters.portions import TakenPortion
from worker.adapters.progress import Progressed
from worker.adapters.unpacking import IntakeTask, Taken, TakenPicture
from worker.channel import TaskFailed
from worker.child import Child, ChildDied, ChildTimedOut
from worker.task import Task

SECONDS = 900
THREAD_MEMORY = 5 * 2**28  # bytes that a picture of 64 megapixels takes at worst, so that none starves another


class FilesTooDemanding(TaskFailed):
    """Looking into the files took more memory or time than anyone may have."""

    code = "files_too_demanding"


async def work(task: Task) -> Result:
    """Fetch, look, store.

    Raises:
        FilesTooDemanding: The child ran out of memory or time; nothing was taken.
        LeaseLost: The attempt is stale.
    """
    payload = Payload.model_validate(task.job.payload)
    dataset = await task.services.datasets.known(payload.dataset)
    raw = [
        RawFile(path=await task.fetch(file.sha256, task.folder / "raw" / str(number)), name=file.name)
        for number, file in enumerate(payload.files)
    ]
    files, outcomes = await links.gathered(raw, payload.links, task.folder / "links")
    room = await task.services.datasets.room(dataset.id)
    taken = await _looked_into(task, files, dataset, room)
    return Result(
        pictures=tuple([await _picture(task, picture) for picture in taken.pictures]),
        portions=tuple([await _portion(task, portion) for portion in taken.portions]),
        outcomes=(*outcomes, *taken.outcomes),
        errors=taken.errors,
        error_count=taken.error_count,
        source_format=taken.source_format,
    )


async def _looked_into(task: Task, files: Sequence[RawFile], dataset: Dataset, room: Usage) -> Taken:
    """Read files for a dataset in a fresh child with limited memory and time; what is clean lies in the task's folder.

    Raises:
        FilesTooDemanding: The child ran out of memory or time.
    """
    out = task.folder / "clean"
    await asyncio.to_thread(out.mkdir, parents=True, exist_ok=True)
    threads = max(1, min(os.cpu_count() or 1, task.memory // THREAD_MEMORY))
    asked = IntakeTask(files=tuple(files), out=out, dataset=dataset.name, kind=dataset.kind, room=room, threads=threads)

    async def on_event(event: Progressed) -> None:
        await task.progressed(event.done, event.total, doing="looking at files")

    async with Child("worker.adapters.unpacking:Unpacking", memory=task.memory, seconds=SECONDS) as child:
        try:
            taken: Taken = await child.call("take", asked, on_event=on_event)
        except (ChildDied, ChildTimedOut) as error:
            words = "Looking into these files took too much memory or time. Send smaller ones, or fewer at once."
            raise FilesTooDemanding(words) from error
    return taken


async def stored(task: Task, picture: CleanPicture, *, name: str) -> tuple[Artifact, Artifact | None]:
    """Store a picture, and its thumbnail if it has one."""
    artifact = await task.store(picture.path, name=name, media_type=picture.media_type)
    small = picture.thumbnail
    return artifact, await task.store(small, name="thumbnail.webp", media_type="image/webp") if small else None


async def _picture(task: Task, picture: TakenPicture) -> Picture:
    artifact, thumbnail = await stored(task, picture, name=picture.name)
    return Picture(
        artifact=artifact,
        thumbnail=thumbnail,
        original_sha256=picture.original_sha256,
        width=picture.width,
        height=picture.height,
        phash=picture.phash,
        sharpness=picture.sharpness,
        caption=picture.caption,
        metadata=picture.metadata,
    )


async def _portion(task: Task, portion: TakenPortion) -> Portion:
    artifact = await task.store(portion.path, name=portion.path.name, media_type="application/jsonl")
    return Portion(artifact=artifact, count=portion.count, facts=portion.facts)
