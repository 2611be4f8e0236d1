"""Generation: the torch child makes the pictures of a prompt with any number of models, or of none."""

from functools import partial

from core.kinds.generation import Result
from core.services.generations import Assignment
from worker.batch import Wish
from worker.pipelines.tasks import Drawing, Look, WeightedAdapter
from worker.task import HandedOver, Task


async def work(task: Task) -> Result:
    """Fetch what is needed, draw together with the others of the batch, store the pictures.

    Raises:
        TaskFailed: What the pipeline foresaw.
        HandedOver: The worker is leaving and has not begun to draw.
        LeaseLost: The attempt is stale.
    """
    assignment = await task.services.generations.assignment(task.job)
    wanted = assignment.generation
    wish = Wish(
        look=await _look(task, assignment),
        drawing=Drawing(
            folder=task.folder,
            prompt=wanted.prompt,
            negative=wanted.negative,
            seed=wanted.seed,
            count=wanted.count,
            source=await task.fetch(wanted.source.sha256, task.folder / "source") if wanted.source else None,
        ),
        on_picture=partial(task.progressed, total=wanted.count, doing="drawing"),
    )
    await task.progressed(0, wanted.count, doing="drawing")
    if task.stopping.is_set():
        raise HandedOver
    drawn = await task.batch.draw(wish)
    task.presence.changed(base=assignment.offering.base.id)
    pictures = [
        await task.store(path, name=f"{wanted.id}-{wanted.seed + number}.png", media_type="image/png")
        for number, path in enumerate(drawn)
    ]
    return Result(pictures=tuple(pictures))


async def _look(task: Task, assignment: Assignment) -> Look:
    """How it is drawn; adapters are put on in an order of their own, whichever the prompt called first."""
    wanted, base = assignment.generation, assignment.offering.base
    worn = zip(wanted.adapters, assignment.models, strict=True)
    adapters = [
        WeightedAdapter(
            artifact=await task.shared(model.artifact.sha256), name=model.slug, weight=adapter.percent / 100
        )
        for adapter, model in sorted(worn, key=lambda one: one[0].model)
    ]
    return Look(
        architecture=base.architecture,
        base=base.location,
        few_steps=base.few_steps,
        adapters=tuple(adapters),
        steps=wanted.steps,
        guidance=wanted.guidance,
        width=wanted.width,
        height=wanted.height,
        strength=wanted.strength if wanted.source else None,
    )
