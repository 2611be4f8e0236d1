"""Validation: the doctor reads every stored picture again and says what it found."""

from datetime import datetime

from core.domain.doctor import reexamined
from core.domain.job import Job
from core.domain.value import Value
from core.ports.clock import Ids
from core.ports.store import Repositories


class Payload(Value):
    """The dataset to look at."""

    dataset: str


class Result(Value):
    """The ids of items whose stored bytes did not decode."""

    unreadable: tuple[str, ...] = ()


async def settle(tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:
    """Record what the doctor found; a look that did not end leaves a draft."""
    dataset = await tx.datasets.get(Payload.model_validate(job.payload).dataset)
    if isinstance(result, Result):
        items = await tx.items.of(dataset.id)
        await tx.datasets.save(reexamined(dataset, items, unreadable=result.unreadable, now=now))
    else:
        await tx.datasets.save(dataset.unchecked(now=now))
