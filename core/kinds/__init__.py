"""Job kinds as the core sees them: one module per kind with `Payload`, `Result` and `settle`, found by name.

`settle` commits what the end of a job means for everything else, in the transaction that ends it.
"""

import pkgutil
from collections.abc import Collection, Mapping
from datetime import datetime
from importlib import import_module
from typing import Protocol, cast

from core.domain.account import Account, Place
from core.domain.errors import KeyReused
from core.domain.job import ACTIVE_PER_OWNER, Job
from core.domain.ledger import Balance, hold, points, qoints
from core.domain.notice import opened
from core.domain.value import Value
from core.ports.clock import Ids
from core.ports.store import Repositories


class Kind(Protocol):
    """The shape of a module in this package."""

    Payload: type[Value]
    Result: type[Value]

    async def settle(self, tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:
        """Commit what the end of the job means; `result` is None where it failed or was cancelled."""
        ...


def discovered() -> Mapping[str, Kind]:
    """All kinds by name.

    Raises:
        TypeError: A module of this package lacks a part of a kind.
    """
    kinds: dict[str, Kind] = {}
    for found in pkgutil.iter_modules(__path__):
        module = import_module(f"{__name__}.{found.name}")
        if missing := [part for part in ("Payload", "Result", "settle") if not hasattr(module, part)]:
            msg = f"job kind {found.name} lacks {', '.join(missing)}"
            raise TypeError(msg)
        kinds[found.name] = cast("Kind", module)
    return kinds


async def wallet(tx: Repositories, account: str) -> Balance:
    """A person's points and qoints together."""
    free, bought = await tx.ledger.balance(points(account)), await tx.ledger.balance(qoints(account))
    return Balance(id=account, free=free.free, granted=bought.granted, purchased=bought.purchased)


async def staff(tx: Repositories, appointed: Collection[str]) -> list[Account]:
    """The admins: by role, and by the logins that the settings appoint."""
    logins = [await tx.identities.find(login) for login in sorted(appointed)]
    by_setting = [await tx.accounts.get(login.account) for login in logins if login]
    return list({one.id: one for one in (*await tx.accounts.admins(), *by_setting)}.values())


async def asked_before(tx: Repositories, job: Job) -> Job | None:
    """The job that was asked for under the same key already, if there is one.

    Raises:
        KeyReused: The key stands for another request, or somebody else's.
    """
    known = await tx.jobs.keyed(job.key)
    if known and (known.owner, known.kind, known.title) != (job.owner, job.kind, job.title):
        raise KeyReused(key=job.key)
    return known


async def enqueue(tx: Repositories, payload: Value, *, job: Job, place: Place) -> Job:
    """Queue a job in the caller's transaction: its row, the hold of its price, its card.

    Raises:
        NotEnoughPoints: The owner's wallet does not cover the price.
    """
    waiting = await tx.jobs.active(job.owner)
    eligible = sum(known.eligible for known in waiting if known.kind == job.kind) < ACTIVE_PER_OWNER
    queued = job.but(payload=payload.model_dump(mode="json"), eligible=eligible)
    if job.price:
        purse = await wallet(tx, job.owner)
        await tx.ledger.post(hold(purse, job.price, owner=job.owner, job=job.id, why=job.title, now=job.created_at))
    await tx.jobs.add(queued)
    await tx.cards.add(opened(job.id, account=job.owner, place=place, now=job.created_at))
    return queued


async def promote(tx: Repositories, ended: Job) -> None:
    """Make the owner's next waiting job of this kind eligible, in the transaction that ended one."""
    active = [job for job in await tx.jobs.active(ended.owner) if job.kind == ended.kind]
    following = next((job for job in active if not job.eligible), None)
    if following and sum(job.eligible for job in active) < ACTIVE_PER_OWNER:
        await tx.jobs.save(following.but(eligible=True))
