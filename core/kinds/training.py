"""Training: a run over a snapshot becomes a model. What the run needs is in its row; the payload only names it."""

from datetime import datetime

from core.domain.artifact import Artifact
from core.domain.job import Job
from core.domain.model import Model, slug
from core.domain.rating import Rating
from core.domain.value import Value
from core.ports.clock import Ids
from core.ports.store import Repositories


class Payload(Value):
    """The run to execute, what the model will be called, and its rating: all as it was ordered."""

    run: str
    name: str
    trigger: str
    family: str
    owner_name: str
    rating: Rating = Rating.SFW


class Result(Value):
    """The final LoRA, a picture of before and after, and what the fixed evaluation said of both."""

    artifact: Artifact
    grid: Artifact
    base_hash: str
    code_version: str
    evaluation_before: float
    evaluation_after: float


async def settle(tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:
    """Complete the run and make the model; a training that did not end well leaves its run as far as it came."""
    if not isinstance(result, Result):
        return
    payload = Payload.model_validate(job.payload)
    run = await tx.runs.get(payload.run)
    facts = result.model_dump(include={"base_hash", "code_version", "evaluation_before", "evaluation_after"})
    await tx.runs.save(run.but(**facts))
    await tx.references.refer(result.artifact.sha256, result.grid.sha256)
    name = await _free_slug(tx, job.owner, slug(payload.name))
    model = Model(
        id=ids.new(),
        owner=job.owner,
        owner_name=payload.owner_name,
        slug=name,
        names=(name,),
        trigger=payload.trigger,
        family=payload.family,
        base=run.base,
        offering=run.offering,
        run=run.id,
        artifact=result.artifact,
        rating=payload.rating,
        created_at=now,
    )
    await tx.models.add(model)


async def _free_slug(tx: Repositories, owner: str, wished: str) -> str:
    name, number = wished, 1
    while await tx.models.named(owner, name):
        number += 1
        name = f"{wished}-{number}"
    return name
