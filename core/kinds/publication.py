"""Publication: the file of a model says what it is, and a card and a thumbnail say it to people.

A model can be used before it is published, and as it was while it is published anew. Nobody is told, unless it fails
for good.
"""

from datetime import datetime, timedelta

from core.domain.artifact import Artifact
from core.domain.job import Failure, Job, asked
from core.domain.model import Model
from core.domain.notice import Notice, Topic
from core.domain.value import Value
from core.kinds import enqueue
from core.ports.clock import Ids
from core.ports.store import Repositories

KIND = "publication"
TRIES = 5
WAIT = timedelta(minutes=1)  # after a first failure; four times as long after each further one
POISON = "quarantined"


class Payload(Value):
    """The model, and how often its publication has failed by now."""

    model: str
    failures: int = 0


class Result(Value):
    """What was made of the model with this `imprint`; `weights` is the sha256 of the tensors, where it has such."""

    imprint: str
    artifact: Artifact
    weights: str | None
    card: Artifact
    thumbnail: Artifact | None = None


async def begun(
    tx: Repositories, model: Model, *, ids: Ids, now: datetime, failures: int = 0, wait: timedelta = timedelta()
) -> None:
    """Have a model published, unless that is waiting or under way: what it finds out of date it has done anew."""
    if any(job.kind == KIND for job in await tx.jobs.about(model.id)):
        return
    name = ids.new()
    title = f"{model.name} · publication"
    job = asked(KIND, id=name, key=name, owner=model.owner, subject=model.id, title=title, now=now)
    payload = Payload(model=model.id, failures=failures)
    await enqueue(tx, payload, job=job.but(not_before=now + wait), place=None, most=None)


async def settle(tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:
    """Give the model its file, its card and its thumbnail; what has changed meanwhile, or failed, is done anew."""
    payload = Payload.model_validate(job.payload)
    model = await tx.models.find(payload.model)
    if model is None or model.deleted_at:
        return
    if isinstance(result, Result):
        if result.imprint == model.imprint:
            await _swap(tx, model, result)
        else:
            await begun(tx, model, ids=ids, now=now)
    elif job.failure:
        await _failed(tx, model, job.failure, failures=payload.failures + 1, ids=ids, now=now)


async def _swap(tx: Repositories, model: Model, result: Result) -> None:
    fresh = result.model_dump(exclude={"imprint"})
    published = model.but(**fresh)
    await tx.references.refer(*published.files)
    await tx.references.forget(*model.files)
    await tx.models.save(published)


async def _failed(tx: Repositories, model: Model, failure: Failure, *, failures: int, ids: Ids, now: datetime) -> None:
    if failures < TRIES and failure.code != POISON:
        await begun(tx, model, ids=ids, now=now, failures=failures, wait=WAIT * 4 ** (failures - 1))
        return
    details = {
        "title": f"{model.name} could not be published as it is now",
        "text": f"{failure.words}\nIt can be used as before. `model epoch {model.slug}` tries it again.",
    }
    await tx.notices.add(
        Notice(
            id=f"publication:{ids.new()}",
            account=model.owner,
            place=(await tx.accounts.get(model.owner)).home,
            topic=Topic.PUBLICATION,
            details=details,
            created_at=now,
        )
    )
