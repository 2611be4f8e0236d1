"""Validation: every stored picture of a dataset is read and decoded again."""

from core.kinds.validation import Payload, Result
from worker.adapters.unpacking import Verdict
from worker.kinds.intake import looked_into
from worker.task import Task


async def work(task: Task) -> Result:
    """Decode each picture once more; which ones cannot be, the doctor will say.

    Raises:
        FilesTooDemanding: The child ran out of memory or time.
        LeaseLost: The attempt is stale.
    """
    items = await task.services.datasets.items(Payload.model_validate(task.job.payload).dataset)
    taken = await looked_into(task, [item.artifact.but(name=item.id) for item in items])
    refused = {outcome.name for outcome in taken.outcomes if outcome.verdict is Verdict.REFUSED}
    return Result(unreadable=tuple(item.id for item in items if item.id in refused))
