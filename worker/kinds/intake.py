"""Intake: raw uploads are looked into in a limited child process, and what is clean is stored."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from core.domain.artifact import Artifact
from core.domain.rating import Rating
from core.kinds.intake import FileOutcome, Payload, Picture, Result, Verdict
from worker.adapters import sheets, unpacking
from worker.adapters.archives import RawFile
from worker.adapters.unpacking import IntakeTask, Progressed, Taken, TakenPicture
from worker.channel import TaskFailed
from worker.child import Child, ChildDied, ChildTimedOut
from worker.task import Task

SECONDS = 900


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
    raw = [
        RawFile(path=await task.fetch(file.sha256, task.folder / "raw" / str(number)), name=file.name)
        for number, file in enumerate(payload.files)
    ]
    taken = await looked_into(task, raw)
    pictures = [await _stored(task, picture) for picture in taken.pictures]
    sheet, preview = await _sheets(task, payload.dataset, taken.contact_sheet)
    return Result(pictures=tuple(pictures), outcomes=tuple(_flat(taken.outcomes)), sheet=sheet, preview=preview)


async def looked_into(task: Task, files: Sequence[RawFile]) -> Taken:
    """Decode files in a fresh child with limited memory and time; the pictures lie in the task's folder.

    Raises:
        FilesTooDemanding: The child ran out of memory or time.
    """
    out = task.folder / "clean"
    await asyncio.to_thread(out.mkdir, parents=True, exist_ok=True)

    async def on_event(event: Progressed) -> None:
        await task.progressed(event.done, event.total, doing="looking at pictures")

    async with Child("worker.adapters.unpacking:Unpacking", memory=task.memory, seconds=SECONDS) as child:
        try:
            taken: Taken = await child.call("take", IntakeTask(files=tuple(files), out=out), on_event=on_event)
        except (ChildDied, ChildTimedOut) as error:
            words = "Looking into these files took too much memory or time. Send smaller pictures, or fewer at once."
            raise FilesTooDemanding(words) from error
    return taken


async def _stored(task: Task, picture: TakenPicture) -> Picture:
    return Picture(
        artifact=await task.store(picture.path, name=picture.name, media_type=picture.media_type),
        original_sha256=picture.original_sha256,
        width=picture.width,
        height=picture.height,
        phash=picture.phash,
        sharpness=picture.sharpness,
        caption=picture.caption,
    )


async def _sheets(task: Task, dataset: str, sheet: Path | None) -> tuple[Artifact | None, Artifact | None]:
    """The stored contact sheet, and for moderators the blurred one, each where there is one."""
    if sheet is None:
        return None, None
    stored = await task.store(sheet, name="contact-sheet.png", media_type="image/png")
    if await task.services.datasets.rating(dataset) is Rating.SFW:
        return stored, None
    blurred = await asyncio.to_thread(sheets.blurred, sheet, sheet.with_name("preview.png"))
    return stored, await task.store(blurred, name="preview.png", media_type="image/png")


def _flat(outcomes: Iterable[unpacking.FileOutcome]) -> Iterator[FileOutcome]:
    """Outcomes in a row, those in an archive after it; what was plainly taken needs no words."""
    for outcome in outcomes:
        words = "" if outcome.verdict is Verdict.TAKEN else outcome.words
        yield FileOutcome(name=outcome.name, verdict=outcome.verdict, words=words)
        yield from _flat(outcome.inside)
