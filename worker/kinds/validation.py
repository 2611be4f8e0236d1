"""Validation: every stored picture of a dataset is read and decoded again."""

from core.domain.errors import BlobGone
from core.kinds.intake import Verdict
from core.kinds.validation import Payload, Result
from worker.adapters.archives import RawFile
from worker.kinds.intake import looked_into
from worker.task import StoredFileDamaged, Task


async def work(task: Task) -> Result:
    """Decode each picture once more, copies once; which ones cannot be, the doctor will say.

    Raises:
        FilesTooDemanding: The child ran out of memory or time.
        LeaseLost: The attempt is stale.
    """
    items = await task.services.datasets.items(Payload.model_validate(task.job.payload).dataset)
    whole, bad = [], set()
    for sha256 in dict.fromkeys(item.artifact.sha256 for item in items):
        try:
            whole.append(RawFile(path=await task.fetch(sha256, task.folder / "raw" / sha256), name=sha256))
        except (BlobGone, StoredFileDamaged):
            bad.add(sha256)
    taken = await looked_into(task, whole)
    bad |= {outcome.name for outcome in taken.outcomes if outcome.verdict is Verdict.REFUSED}
    return Result(unreadable=tuple(item.id for item in items if item.artifact.sha256 in bad))
