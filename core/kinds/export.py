"""Export: a dataset becomes one file, kept for a week, and put into somebody's own cloud folder where they wish."""

from datetime import datetime

from core.domain.artifact import Artifact
from core.domain.export import KEPT, Export, Format
from core.domain.job import Job
from core.domain.value import Value
from core.ports.clock import Ids
from core.ports.store import Repositories


class Payload(Value):
    """The dataset, the format, and the provider of the cloud folder, where it goes to one."""

    dataset: str
    format: Format
    provider: str = ""


class Result(Value):
    """The file, how many items are in it, and where it lies in the cloud folder, or in words why it does not."""

    artifact: Artifact
    count: int
    path: str = ""
    missed: str = ""


async def settle(tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:
    """Keep the file until nobody needs it any more."""
    if not isinstance(result, Result):
        return
    payload = Payload.model_validate(job.payload)
    await tx.references.refer(result.artifact.sha256)
    await tx.exports.add(
        Export(
            id=job.id,
            owner=job.owner,
            dataset=payload.dataset,
            format=payload.format,
            artifact=result.artifact,
            created_at=now,
            expires_at=now + KEPT,
        )
    )
