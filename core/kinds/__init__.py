"""Job kinds as the core sees them: one module per kind with `Payload`, `Result` and `settle`, found by name.

`settle` commits what the end of a job means for everything else, in the transaction that ends it.
"""

import pkgutil
from collections.abc import Collection, Mapping
from datetime import datetime
from importlib import import_module
from typing import Protocol, cast

from core.domain.account import Account, Place, Role
from core.domain.artifact import Artifact
from core.domain.dataset import Dataset
from core.domain.errors import KeyReused
from core.domain.job import ACTIVE_PER_OWNER, Failure, Job, JobState
from core.domain.ledger import Balance, capture, divided, held, hold, points, qoints, release
from core.domain.notice import final, opened
from core.domain.quota import Usage
from core.domain.snapshot import Snapshot
from core.domain.value import Value
from core.ports.clock import Ids
from core.ports.store import Repositories

STEP = 500  # items in one transaction of a purge


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


async def used(tx: Repositories, account: str, *, now: datetime) -> Usage:
    """What somebody stores, the bin included, and what they have announced in uploads that are under way."""
    return await tx.datasets.usage(account) + Usage(bytes=await tx.uploads.reserved(account, now=now))


async def staff(tx: Repositories, appointed: Collection[str], role: Role = Role.ADMIN) -> list[Account]:
    """Who has at least a role: by itself, or as an admin, by the logins that the settings appoint."""
    logins = [await tx.identities.find(login) for login in sorted(appointed)]
    by_setting = [await tx.accounts.get(login.account) for login in logins if login]
    return list({one.id: one for one in (*await tx.accounts.covering(role), *by_setting)}.values())


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


async def end(
    tx: Repositories,
    job: Job,
    outcome: Value | Failure | None,
    *,
    kinds: Mapping[str, Kind],
    ids: Ids,
    now: datetime,
) -> Job:
    """End a job in the caller's transaction: its state, the money, what its kind settles, the notice, the next in line.

    Without an outcome it is cancelled.

    Raises:
        JobEnded: It has ended.
    """
    match outcome:
        case None:
            ended = job.cancelled(now=now)
        case Failure():
            ended = job.failed(outcome, now=now)
        case _:
            ended = job.succeeded(outcome.model_dump(mode="json"), now=now)
    if job.checkpoint:
        await tx.references.forget(job.checkpoint.sha256)
    await tx.jobs.save(ended)
    await _pay(tx, ended, now=now)
    result = outcome if ended.state is JobState.SUCCEEDED else None
    await kinds[ended.kind].settle(tx, ended, result, ids=ids, now=now)
    for card in await tx.cards.of(ended.id):
        await tx.notices.add(final(ended, card, now=now))
    await promote(tx, ended)
    return ended


async def _pay(tx: Repositories, job: Job, *, now: datetime) -> None:
    """Take what is due of what was set aside, and give the rest back."""
    due, rest = divided(await tx.ledger.balance(held(job.id)), job.due)
    if due.total:
        await tx.ledger.post(capture(due, owner=job.owner, job=job.id, why=job.state.value, now=now))
    if rest.total:
        unused = "not needed" if job.state is JobState.SUCCEEDED else job.state.value
        why = job.failure.words if job.failure else unused
        await tx.ledger.post(release(rest, owner=job.owner, job=job.id, why=why, now=now))


async def promote(tx: Repositories, ended: Job) -> None:
    """Make the owner's next waiting job of this kind eligible, in the transaction that ended one."""
    active = [job for job in await tx.jobs.active(ended.owner) if job.kind == ended.kind]
    following = next((job for job in active if not job.eligible), None)
    if following and sum(job.eligible for job in active) < ACTIVE_PER_OWNER:
        await tx.jobs.save(following.but(eligible=True))


async def purged(tx: Repositories, dataset: Dataset, *, now: datetime) -> bool:
    """Take a step in letting go of everything that a dataset holds; return whether there is more to do at once.

    The first step puts it out of sight and frees the quota; the sweeper takes those that are left. Its snapshots stay,
    with hashes alone. While jobs about it go on, so do its row and the bytes that a training needs.
    """
    jobs = [job.id for job in await tx.jobs.about(dataset.id)]
    await _bared(tx, dataset, jobs)
    await tx.datasets.save(dataset.purged(now=now))
    most = STEP - await _emptied(tx, dataset.id, most=STEP)
    runs = [run for job in jobs if (run := await tx.runs.find(job))]
    needed = {run.snapshot for run in runs}
    for snapshot in await tx.snapshots.of(dataset.id):
        if most > 0 and snapshot.id not in needed:
            await erase(tx, snapshot, most=most, now=now)
            most -= len(snapshot.held)
    if most > 0 and not jobs:
        await tx.datasets.remove(dataset.id)
    return most <= 0


async def erase(tx: Repositories, snapshot: Snapshot, *, now: datetime, most: int | None = None) -> None:
    """Let the bytes and the words of a snapshot go, of so many entries or of all; once more changes nothing."""
    if gone := snapshot.held[:most]:
        await tx.references.forget(*(entry.sha256 for entry in gone))
        await tx.snapshots.save(snapshot.erased(len(gone), now=now))


async def unshown(tx: Repositories, dataset: Dataset) -> Dataset:
    """The dataset without the sheets that show its pictures, which are let go."""
    pairs = (dataset.pairs,) if dataset.pairs else ()
    shown = (*dataset.sheets, *dataset.previews, *pairs)
    await tx.references.forget(*(artifact.sha256 for artifact in shown))
    return dataset.but(sheets=(), previews=(), pairs=None)


async def unexported(tx: Repositories, dataset: Dataset) -> None:
    """Let the files go that were exported of a dataset."""
    exports = await tx.exports.of(dataset.id)
    await tx.references.forget(*(export.artifact.sha256 for export in exports))
    for export in exports:
        await tx.exports.remove(export.id)


async def _bared(tx: Repositories, dataset: Dataset, jobs: Collection[str]) -> None:
    """Without what shows a dataset and what was exported of it, and without what is being said of it."""
    await unshown(tx, dataset)
    await unexported(tx, dataset)
    for job in jobs:
        await tx.scenes.clear(job)


async def _emptied(tx: Repositories, dataset: str, *, most: int) -> int:
    """Without so many of its items, and their captions, and all its parts, which are few; return how many went."""
    items, parts = await tx.items.of(dataset, limit=most), await tx.parts.of(dataset)
    stored: list[Artifact] = [*(item.artifact for item in items), *(part.artifact for part in parts)]
    await tx.references.forget(*(artifact.sha256 for artifact in stored))
    ids = [item.id for item in items]
    await tx.captions.clear(ids)
    await tx.items.remove_all(ids)
    await tx.parts.clear(dataset)
    return len(stored)
