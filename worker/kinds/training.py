"""Training: the snapshot's pictures go to the torch child; epochs, checkpoints and the finished LoRA come back."""

import asyncio
from importlib.metadata import version
from pathlib import Path

from core.domain.offering import Offering
from core.domain.run import Epoch
from core.domain.snapshot import Snapshot
from core.domain.value import Value
from core.kinds.training import Result
from core.services.trainings import Assignment
from worker.adapters.sheets import before_after
from worker.pipelines.tasks import (
    Checkpointed,
    EpochEnded,
    Progressed,
    Stopped,
    Trained,
    TrainingItem,
    TrainingTask,
)
from worker.task import HandedOver, Task
from worker.waiting import patiently

SAFETENSORS, PNG = "application/x-safetensors", "image/png"


async def work(task: Task) -> Result:
    """Train, from the last checkpoint if there is one.

    Raises:
        TaskFailed: What the recipe foresaw.
        HandedOver: The worker is leaving; the checkpoint is stored.
        LeaseLost: The attempt is stale.
    """
    assignment = await task.services.trainings.assignment(task.job)
    ordered = await _prepared(task, assignment)
    if task.stopping.is_set():
        raise HandedOver

    async def on_event(event: Value) -> None:
        await patiently(lambda: _heard(task, assignment, event))

    outcome: Trained | Stopped = await task.studio.call("train", ordered, on_event=on_event)
    if isinstance(outcome, Stopped):
        last = outcome.checkpoint
        await patiently(lambda: task.checkpointed(last))
        raise HandedOver
    trained = outcome
    return await patiently(lambda: _result(task, assignment, trained))


async def _heard(task: Task, assignment: Assignment, event: Value) -> None:
    match event:
        case Progressed(step=step, total=total, points=points):
            await task.progressed(step, total, doing="training", points=points)
        case EpochEnded():
            await _passed(task, assignment, event)
        case Checkpointed(path=path):
            await task.checkpointed(path)


async def _prepared(task: Task, assignment: Assignment) -> TrainingTask:
    run, offering, payload = assignment.run, assignment.offering, assignment.payload
    checkpoint = task.job.checkpoint
    return TrainingTask(
        folder=task.folder,
        architecture=offering.base.architecture,
        base=offering.base.location,
        recipe=run.recipe,
        hyperparameters=dict(run.hyperparameters),
        items=await _items(task, assignment.snapshot),
        trigger=payload.trigger,
        title=payload.name,
        author=payload.owner_name,
        seed=run.seed,
        sample_prompts=_prompts(offering, payload.trigger),
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


def _prompts(offering: Offering, trigger: str) -> tuple[str, ...]:
    return tuple(sample.format(trigger=trigger) for sample in offering.samples)


async def _passed(task: Task, assignment: Assignment, event: EpochEnded) -> None:
    name = f"{assignment.payload.name}-{event.number:02}"
    samples = [
        await task.store(path, name=f"{name}-{number}.png", media_type=PNG)
        for number, path in enumerate(event.samples, start=1)
    ]
    epoch = Epoch(
        number=event.number,
        step=event.step,
        loss=event.loss,
        artifact=await task.store(event.artifact, name=f"{name}.safetensors", media_type=SAFETENSORS),
        samples=tuple(samples),
    )
    await task.services.trainings.passed(task.job.id, task.token, epoch, run=assignment.run.id)


async def _result(task: Task, assignment: Assignment, trained: Trained) -> Result:
    name = assignment.payload.name
    grid: Path = await asyncio.to_thread(
        before_after, trained.before, trained.after, labels=("before", "after"), out=task.folder / "grid.png"
    )
    return Result(
        artifact=await task.store(trained.artifact, name=f"{name}.safetensors", media_type=SAFETENSORS),
        grid=await task.store(grid, name=f"{name}-before-after.png", media_type=PNG),
        base_hash=trained.base_hash,
        code_version=version("loraguild"),
        evaluation_before=trained.evaluation_before,
        evaluation_after=trained.evaluation_after,
    )
