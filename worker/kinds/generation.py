"""Generation: the torch child makes the pictures of a prompt with a model."""

from core.kinds.generation import Result
from worker.pipelines.tasks import Generated, GenerationTask, WeightedAdapter
from worker.task import Task


async def work(task: Task) -> Result:
    """Fetch the LoRA, make the pictures, store them.

    Raises:
        TaskFailed: What the pipeline foresaw.
        LeaseLost: The attempt is stale.
    """
    assignment = await task.services.generations.assignment(task.job)
    wanted, model = assignment.generation, assignment.model
    adapter = await task.fetch(model.artifact.sha256, task.folder / "adapter.safetensors")
    await task.progressed(0, wanted.count, doing="drawing")
    ordered = GenerationTask(
        folder=task.folder,
        base=assignment.offering.base.location,
        adapters=(WeightedAdapter(artifact=adapter),),
        prompt=wanted.prompt,
        seed=wanted.seed,
        steps=wanted.steps,
        guidance=wanted.guidance,
        width=wanted.size,
        height=wanted.size,
        count=wanted.count,
    )
    made: Generated = await task.studio.call("generate", ordered)
    pictures = [
        await task.store(path, name=f"{model.slug}-{wanted.seed + number}.png", media_type="image/png")
        for number, path in enumerate(made.pictures)
    ]
    return Result(pictures=tuple(pictures))
