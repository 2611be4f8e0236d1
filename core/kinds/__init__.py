"""Job kinds as the core sees them: one module per kind with `Payload`, `Result` and `settle`, found by name.

`settle` commits what the end of a job means for everything else, in the transaction that ends it.
"""

import pkgutil
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from typing import Protocol, cast

from core.domain.account import Account, Place, Role
from core.domain.cost import recorded
from core.domain.dataset import Dataset
from core.domain.errors import KeyReused, QueueFull
from core.domain.event import Event
from core.domain.event import ended as ending
from core.domain.fleet import STALE_AFTER
from core.domain.job import ACTIVE_PER_OWNER, OPEN_PER_OWNER, Failure, Job, JobState
from core.domain.ledger import Balance, capture, divided, held, hold, points, qoints, release
from core.domain.notice import final, opened
from core.domain.quota import Usage
from core.domain.scheduling import (
    Flow,
    Forecast,
    Pool,
    flow_of,
    forecast,
    moved_up,
    placed,
    pool_of,
    rivals,
    takers,
)
from core.domain.snapshot import Snapshot
from core.domain.switch import of_worker
from core.domain.value import Value
from core.domain.webhook import posted
from core.ports.clock import Ids
from core.ports.store import Repositories

STEP = 500  # items in one transaction of a purge
FORESEEN = 200  # jobs of a pool that a forecast takes one by one


class Kind(Protocol):
    """The shape of a module in this package.

    One that has `earned(tx, job, result)` too says by it what of the price is due for a result, instead of all of it.
    """

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


async def enqueue(
    tx: Repositories, payload: Value, *, job: Job, place: Place | None, most: int | None = OPEN_PER_OWNER
) -> Job:
    """Queue a job in the caller's transaction: its row, the hold of its price, its card where there is a place for it.

    Nobody orders one more while `most` of theirs are waiting; None is for what the house itself finds to do.

    Raises:
        QueueFull: The owner has enough jobs waiting.
        NotEnoughPoints: The owner's wallet does not cover the price.
    """
    active = await tx.jobs.active(job.owner)
    if most is not None and sum(known.ordered and known.state is JobState.QUEUED for known in active) >= most:
        raise QueueFull(most=most)
    eligible = sum(known.takes_a_turn for known in active if known.kind == job.kind) < ACTIVE_PER_OWNER
    asleep = job.not_before > job.created_at
    facts = {"eligible": eligible, "asleep": asleep, "ordered": place is not None}
    written = job.but(payload=payload.model_dump(mode="json"), **facts)
    queued = placed(written, await _pool(tx, job), await tx.flows.find(flow_of(job)), now=job.created_at)
    await tx.flows.save(Flow(id=flow_of(job), finish=queued.rank))
    if job.price:
        purse = await wallet(tx, job.owner)
        await tx.ledger.post(hold(purse, job.price, owner=job.owner, job=job.id, why=job.title, now=job.created_at))
    await tx.jobs.add(queued)
    if place:
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
            if earned := getattr(kinds[job.kind], "earned", None):
                ended = ended.but(earned=await earned(tx, job, outcome))
    if job.checkpoint:
        await tx.references.forget(job.checkpoint.sha256)
    await tx.jobs.save(ended)
    await _pay(tx, ended, now=now)
    if ended.meter.seconds:
        worker = await tx.workers.find(ended.worker) if ended.worker else None
        await tx.costs.save(recorded(ended, worker, now=now))
    result = outcome if ended.state is JobState.SUCCEEDED else None
    await kinds[ended.kind].settle(tx, ended, result, ids=ids, now=now)
    for card in await tx.cards.of(ended.id):
        await tx.notices.add(final(ended, card, now=now))
    if ended.ordered:
        await announce(tx, ending(ended, now=now), ids=ids)
    await promote(tx, ended)
    return ended


async def announce(tx: Repositories, event: Event, *, ids: Ids) -> None:
    """Have an event sent to the webhooks that want it, once the caller's transaction has committed."""
    wanting = [webhook for webhook in await tx.webhooks.of(event.account) if webhook.wants(event)]
    await tx.posts.add_all([posted(event, webhook, name=ids.new()) for webhook in wanting])


async def foreseen(tx: Repositories, job: Job, *, more: int = 0, now: datetime) -> Forecast:
    """When a job starts as things stand; one that is not in the queue, as if it came now.

    With so many `more` workers of the kind that can take it, it would be sooner.
    """
    off = {switch.id async for switch in tx.switches.everything() if not switch.on}
    pools = {pool.id: pool async for pool in tx.pools.everything()}
    pool = pools.get(job.pool, pool_of(job))
    known = job if job.rank else placed(job, pool, await tx.flows.find(flow_of(job)), now=now)
    live = [one for one in await tx.workers.seen_since(now - STALE_AFTER) if of_worker(one.id) not in off]
    able, shared = takers(pool, live, off), rivals(pool, pools.values(), live, off)
    before = [other for one in shared for other in await tx.jobs.before(one, known.rank, limit=FORESEEN)]
    added = [one.but(id=f"{one.id} {number}", jobs=()) for one in able[:1] for number in range(more)]
    workers = [*live, *added] if able else []
    found = forecast(known, before=before, running=await tx.jobs.running(), workers=workers)
    return found.stretched(sum([await tx.jobs.ahead(one, known.rank) for one in shared]))


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
    """Make the owner's next waiting job of this kind eligible, in the transaction that ended one.

    Where nobody has begun that one, those behind it move up to its place.
    """
    active = [job for job in await tx.jobs.active(ended.owner) if job.kind == ended.kind]
    if ended.started_at is None:
        active = await _moved_up(tx, active, ended)
    following = next((job for job in active if not job.eligible), None)
    if following and sum(job.takes_a_turn for job in active) < ACTIVE_PER_OWNER:
        await tx.jobs.save(following.but(eligible=True))


async def _moved_up(tx: Repositories, active: Sequence[Job], gone: Job) -> list[Job]:
    """The owner's jobs of a kind, and their flow, without one that nobody has begun."""
    moved = moved_up(active, gone)
    await tx.jobs.save_all([after for before, after in zip(active, moved, strict=True) if after is not before])
    if flow := await tx.flows.find(flow_of(gone)):
        await tx.flows.save(flow.but(finish=flow.finish - gone.span))
    return moved


async def _pool(tx: Repositories, job: Job) -> Pool:
    """The pool of a job; a new one has the time of the others."""
    if known := await tx.pools.find(job.pool):
        return known
    clocks = [pool.clock async for pool in tx.pools.everything()]
    pool = pool_of(job).but(clock=max(clocks, default=0.0))
    made = pool.but(reached=pool.moment(job.created_at))
    await tx.pools.add(made)
    return made


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
    await tx.references.forget(*(file for item in items for file in item.files))
    await tx.references.forget(*(part.artifact.sha256 for part in parts))
    ids = [item.id for item in items]
    await tx.captions.clear(ids)
    await tx.items.remove_all(ids)
    await tx.parts.clear(dataset)
    return len(items) + len(parts)
