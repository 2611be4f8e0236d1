"""Generation: a prompt becomes pictures with a model."""

from datetime import datetime

from core.domain.artifact import Artifact
from core.domain.job import Job
from core.domain.value import Value
from core.ports.clock import Ids
from core.ports.store import Repositories


class Payload(Value):
    """The generation to make; its row has the details."""

    generation: str


class Result(Value):
    """The pictures."""

    pictures: tuple[Artifact, ...]


async def settle(tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:
    """Put the pictures into the generation's row."""
    if isinstance(result, Result):
        generation = await tx.generations.get(Payload.model_validate(job.payload).generation)
        await tx.references.refer(*(picture.sha256 for picture in result.pictures))
        await tx.generations.save(generation.but(pictures=result.pictures))
