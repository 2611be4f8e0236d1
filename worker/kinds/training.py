"""Training: what is in the snapshot goes to the torch child; epochs, checkpoints and the finished LoRA come back."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import structlog

from core.domain.artifact import Artifact
from core.domain.dataset import Kind
from core.domain.errors import LeaseLost
from core.domain.failure import remedy_for
from core.domain.offering import Offering
from core.domain.run import Epoch, Glimpse, Run
from core.domain.snapshot import Snapshot
from core.domain.steering import Steer
from core.domain.value import Value
from core.kinds.training import Result
from core.services.runs import Assignment
from worker.adapters import answers, sheets
from worker.pipelines.tasks import (
    BadCheckpoint,
    Checkpointed,
    EpochEnded,
    Extend,
    OutOfMemory,
    Preparing,
    Progressed,
    Sampled,
    SampleNow,
    Saved,
    SaveNow,
    StopEarly,
    Stopped,
    Trained,
    TrainingItem,
    TrainingTask,
)
from worker.task import HandedOver, Task
from worker.waiting import patiently, stopped

MEDIA = {
    ".safetensors": "application/x-safetensors",
    ".zip": "application/zip",
    ".png": "image/png",
    ".md": "text/markdown",
}
SHEETS = {Kind.IMAGES: (sheets.before_after, "grid.png"), Kind.CONVERSATIONS: (answers.before_after, "grid.md")}
SECONDS_BETWEEN_LOOKS = 1.0  # for wishes: one reaches the child within two seconds
SAID = {Steer.SAMPLE: SampleNow(), Steer.SAVE: SaveNow(), Steer.STOP: StopEarly()}

log = structlog.get_logger()


async def work(task: Task) -> Result:
    """Train, from the last checkpoint if there is one.

    Raises:
        TaskFailed: What the recipe foresaw.
        HandedOver: The worker is leaving; the checkpoint is stored.
        LeaseLost: The attempt is stale.
    """
    assignment = await task.services.runs.assignment(task.job)
    ordered = await _prepared(task, assignment)
    if task.stopping.is_set():
        raise HandedOver
    outcome = await _trained(task, assignment, ordered)
    task.presence.changed(base=assignment.offering.base.id, speed=task.pace)
    if isinstance(outcome, Stopped):
        if last := outcome.checkpoint:
            await patiently(lambda: task.checkpointed(last))
        raise HandedOver
    trained = outcome
    await patiently(task.reported)  # of one that was stopped early, the last second still waits
    return await patiently(lambda: _result(task, assignment, trained))


async def _trained(task: Task, assignment: Assignment, ordered: TrainingTask) -> Trained | Stopped:
    """Train in the child; where memory does not suffice, go on from the last checkpoint with the next remedy."""
    run = assignment.run

    async def on_event(event: Value) -> None:
        nonlocal ordered
        await patiently(lambda: _heard(task, assignment, event))
        if isinstance(event, Checkpointed):
            ordered = ordered.but(checkpoint=event.path)

    while True:
        listening = asyncio.create_task(_listen(task, run))
        try:
            outcome: Trained | Stopped = await task.studio.call("train", ordered, on_event=on_event)
        except OutOfMemory as error:
            run = await _remedied(task, run, error)
            ordered = ordered.but(hyperparameters=run.hyperparameters)
        except BadCheckpoint as error:
            if ordered.checkpoint is None:
                raise
            log.warning("checkpoint.unusable", why=error.words)
            ordered = ordered.but(checkpoint=None)
        else:
            return outcome
        finally:
            await stopped(listening)


async def _listen(task: Task, run: Run) -> None:
    """Tell the child what is wished; whatever keeps a look from coming through, the next one may."""
    told, extensions = set[str](), len(run.extra)
    while True:
        try:
            heard = await task.services.steerings.heard(task.job.id, task.token)
        except LeaseLost:
            return  # the next report says so to whoever has to know
        except Exception as error:  # noqa: BLE001 - no reason to stop the work
            log.warning("wishes.unheard", why=str(error))
        else:
            for wish in heard.wishes:
                if wish.key not in told:
                    task.studio.tell(SAID[wish.what])
            for steps in heard.extra[extensions:]:
                task.studio.tell(Extend(steps=steps))
            told |= {wish.key for wish in heard.wishes}
            extensions = len(heard.extra)
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


async def _remedied(task: Task, run: Run, error: OutOfMemory) -> Run:
    """The run with the next remedy.

    Raises:
        OutOfMemory: There is none.
    """
    remedy = remedy_for(run.hyperparameters)
    if remedy is None:
        raise error
    log.warning("memory.short", remedy=remedy, why=error.words)
    return await patiently(lambda: task.services.steerings.remedied(task.job.id, task.token, remedy))


async def _heard(task: Task, assignment: Assignment, event: Value) -> None:
    steerings, job, token, name = task.services.steerings, task.job.id, task.token, assignment.payload.name
    match event:
        case Preparing(done=done, total=total, doing=what):
            await task.progressed(done, total, doing=what)
        case Progressed(step=step, total=total, points=points):
            await task.progressed(step, total, doing="training", points=points)
        case EpochEnded():
            await _passed(task, assignment, event)
        case Checkpointed(path=path):
            with suppress(FileNotFoundError):  # it has gone for newer ones, which come next
                await task.checkpointed(path)
        case Sampled(step=step, samples=samples):
            shown = await _stored(task, samples, name=f"{name}-step-{step}")
            await steerings.sampled(job, token, Glimpse(step=step, samples=shown))
        case Saved(step=step, loss=loss, artifact=path):
            stored = await _kept(task, path, name=f"{name}-step-{step}")
            await steerings.saved(job, token, stored, step=step, loss=loss)


async def _prepared(task: Task, assignment: Assignment) -> TrainingTask:
    run, offering, payload = assignment.run, assignment.offering, assignment.payload
    checkpoint, snapshot = task.job.checkpoint, assignment.snapshot
    talks = offering.takes is Kind.CONVERSATIONS
    return TrainingTask(
        folder=task.folder,
        architecture=offering.base.architecture,
        base=offering.base.location,
        few_steps=offering.base.few_steps,
        recipe=run.recipe,
        hyperparameters=dict(run.hyperparameters),
        items=() if talks else await _items(task, snapshot),
        parts=await _parts(task, snapshot) if talks else (),
        trigger=payload.trigger,
        title=payload.name,
        author=payload.owner_name,
        seed=run.seed,
        sample_prompts=_prompts(offering, payload.trigger),
        start=await task.fetch(run.start, task.folder / "start.safetensors") if run.start else None,
        processes=offering.processes,
        checkpoint=await task.fetch(checkpoint.sha256, task.folder / "resume") if checkpoint else None,
        checkpoint_every=task.checkpoint_seconds,
        cache=task.cache,
    )


async def _items(task: Task, snapshot: Snapshot) -> tuple[TrainingItem, ...]:
    entries = snapshot.entries
    items = []
    for number, entry in enumerate(entries):
        path = await task.fetch(entry.sha256, task.folder / "items" / f"{number:05}")
        items.append(TrainingItem(picture=path, caption=entry.caption))
    return tuple(items)


async def _parts(task: Task, snapshot: Snapshot) -> tuple[Path, ...]:
    folder, entries = task.folder / "parts", enumerate(snapshot.entries)
    return tuple([await task.fetch(entry.sha256, folder / f"{number:05}.jsonl") for number, entry in entries])


def _prompts(offering: Offering, trigger: str) -> tuple[str, ...]:
    return tuple(sample.format(trigger=trigger) for sample in offering.samples)


async def _kept(task: Task, path: Path, *, name: str) -> Artifact:
    return await task.store(path, name=f"{name}{path.suffix}", media_type=MEDIA[path.suffix])


async def _stored(task: Task, samples: Sequence[Path], *, name: str) -> tuple[Artifact, ...]:
    numbered = enumerate(samples, start=1)
    return tuple([await _kept(task, path, name=f"{name}-{number}") for number, path in numbered])


async def _passed(task: Task, assignment: Assignment, event: EpochEnded) -> None:
    name = f"{assignment.payload.name}-{event.number:02}"
    epoch = Epoch(
        number=event.number,
        step=event.step,
        loss=event.loss,
        evaluation=event.evaluation,
        artifact=await _kept(task, event.artifact, name=name),
        samples=await _stored(task, event.samples, name=name),
    )
    await task.services.runs.passed(task.job.id, task.token, epoch, run=assignment.run.id)


async def _result(task: Task, assignment: Assignment, trained: Trained) -> Result:
    """What has come of it: the model as it is, or as it was after the epoch that its owner wants to keep."""
    name, artifact, evaluation, after = assignment.payload.name, None, trained.evaluation_after, trained.after
    if kept := await task.services.steerings.kept(task.job.id):
        artifact, evaluation = kept.artifact, evaluation if kept.evaluation is None else kept.evaluation
        folder = task.folder / "kept"
        files = ((one.sha256, folder / f"{number}{Path(one.name).suffix}") for number, one in enumerate(kept.samples))
        after = tuple([await task.fetch(sha256, path) for sha256, path in files])
    sheet, file = SHEETS[assignment.offering.takes]
    grid = await asyncio.to_thread(sheet, trained.before, after, labels=("before", "after"), out=task.folder / file)
    return Result(
        artifact=artifact or await _kept(task, trained.artifact, name=name),
        grid=await _kept(task, grid, name=f"{name}-before-after"),
        base_hash=trained.base_hash,
        code_version=version("loraguild"),
        evaluation_before=trained.evaluation_before,
        evaluation_after=evaluation,
        step=trained.step,
        notes=trained.notes,
    )
