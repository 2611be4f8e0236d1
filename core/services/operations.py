"""Operations: what admins turn on and off, what was done by whom, and news for everyone."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.account import Account, Actor, Role
from core.domain.audit import Audit
from core.domain.census import Line
from core.domain.errors import BadValue, KeyReused, NotFound
from core.domain.fleet import FORGOTTEN_AFTER, STALE_AFTER, Worker
from core.domain.job import Job, Priority
from core.domain.notice import Notice, Topic
from core.domain.scheduling import pool_of, prioritised
from core.domain.switch import QUEUE, Switch, is_on, of_worker, pauses_work
from core.domain.value import Value
from core.ports.clock import Clock, Ids
from core.ports.store import PAGE, Repositories, Store

LENGTH = 1000  # characters of news
PACE = timedelta(seconds=0.1)  # between two people who are told them
CROWD = 100  # accounts read, and told, at a time


class Queue(Value):
    """Everybody's jobs that have not ended, running ones first, with the names of their owners by account.

    `pauses` are the switches that keep all workers from jobs.
    """

    pauses: tuple[str, ...]
    jobs: tuple[Job, ...]
    owners: Mapping[str, str]

    @property
    def paused(self) -> bool:
        """Whether nobody takes any job."""
        return QUEUE in self.pauses


class Hand(Value):
    """A worker, whether it takes no more jobs, what it works on, and for how long nothing was heard of a stale one."""

    worker: Worker
    draining: bool
    jobs: tuple[Job, ...] = ()
    silent: timedelta | None = None


class Deed(Value):
    """An act, and who did it to whom or what, by name."""

    audit: Audit
    by: str
    to: str


class News(Value):
    """What is about to be said, and to how many."""

    text: str
    people: int


class Off(Value):
    """A switch that is off, and the name of who has turned it so."""

    switch: Switch
    by: str


@dataclass(frozen=True, kw_only=True)
class Operations:
    """The controls of the house. All of it is for admins alone, and what changes something is audited with it."""

    store: Store
    clock: Clock
    ids: Ids

    async def turn(self, actor: Actor, *names: str, on: bool) -> None:
        """Turn switches; what is so already stays as it is.

        Raises:
            NotAllowed: The actor is no admin.
        """
        actor.require(Role.ADMIN)
        audits = [self._audit(actor, "admin.on" if on else "admin.off", name) for name in names]

        async def work(tx: Repositories) -> None:
            for audit in audits:
                if is_on(await tx.switches.find(audit.subject)) != on:
                    await tx.switches.save(Switch(id=audit.subject, on=on, by=actor.account, at=audit.at))
                    await tx.audits.add(audit)

        await self.store.transact(work)

    async def off(self, actor: Actor) -> list[Off]:
        """What is turned off, the latest first.

        Raises:
            NotAllowed: The actor is no admin.
        """
        actor.require(Role.ADMIN)
        switches = [one async for one in self.store.switches.everything() if not one.on]
        names = await self._names(one.by for one in switches)
        latest = sorted(switches, key=lambda one: one.at, reverse=True)
        return [Off(switch=one, by=names.get(one.by, one.by)) for one in latest]

    async def queue(self, actor: Actor) -> Queue:
        """What runs and what waits.

        Raises:
            NotAllowed: The actor is no admin.
        """
        actor.require(Role.ADMIN)
        jobs = tuple(await self.store.jobs.queue())
        owners = await self._names(job.owner for job in jobs)
        pauses = [one.id async for one in self.store.switches.everything() if not one.on and pauses_work(one.id)]
        return Queue(pauses=tuple(sorted(pauses)), jobs=jobs, owners=owners)

    async def lines(self, actor: Actor) -> list[Line]:
        """What waits and runs by what workers need for it, those first that nobody takes.

        Raises:
            NotAllowed: The actor is no admin.
        """
        actor.require(Role.ADMIN)
        crowds = await self.store.censuses.crowds()
        pools = await self.store.pools.several({crowd.pool for crowd in crowds})
        workers = await self.store.workers.seen_since(self.clock.now() - STALE_AFTER)
        off = {one.id async for one in self.store.switches.everything() if not one.on}
        lines = [Line.of(pool, crowds, workers, off) for pool in pools]
        return sorted(lines, key=lambda line: (bool(line.takers), line.pool.id))

    async def prioritise(self, actor: Actor, job: str, priority: Priority) -> Job:
        """Give a waiting job another weight, and the place that goes with it.

        Raises:
            NotAllowed: The actor is no admin.
            NotFound: There is no such job.
            JobEnded, NothingToDo: It does not wait.
        """
        actor.require(Role.ADMIN)
        audit = self._audit(actor, "admin.priority", job)

        async def work(tx: Repositories) -> Job:
            found = await self._found(tx, job)
            pool = await tx.pools.find(found.pool) or pool_of(found)
            changed = prioritised(found, priority, pool, now=audit.at)
            await tx.jobs.save(changed)
            await tx.audits.add(audit.but(details={"from": found.priority, "to": priority}))
            return changed

        return await self.store.transact(work)

    async def requeue(self, actor: Actor, job: str) -> Job:
        """Take a running job from its worker; it waits again and goes on from its last checkpoint.

        Raises:
            NotAllowed: The actor is no admin.
            NotFound: There is no such job.
            JobEnded, NothingToDo: It does not run.
        """
        actor.require(Role.ADMIN)
        audit = self._audit(actor, "admin.requeue", job)

        async def work(tx: Repositories) -> Job:
            found = await self._found(tx, job)
            waiting = found.requeued(now=self.clock.now())
            await tx.jobs.save(waiting)
            await tx.audits.add(audit.but(details={"worker": found.worker or ""}))
            return waiting

        return await self.store.transact(work)

    async def workers(self, actor: Actor) -> list[Hand]:
        """The workers heard of in the last day and not to have left, live ones first.

        Raises:
            NotAllowed: The actor is no admin.
        """
        actor.require(Role.ADMIN)
        now = self.clock.now()
        known = await self.store.workers.seen_since(now - FORGOTTEN_AFTER)
        return [await self._hand(worker, now) for worker in sorted(known, key=lambda one: not one.live(now=now))]

    async def deeds(self, actor: Actor, *, by: str | None = None, after: str = "", limit: int = PAGE) -> list[Deed]:
        """The latest acts, of one account if it is named, newest first, from after an act on.

        Raises:
            NotAllowed: The actor is no admin.
            NotFound: There is no such act.
        """
        actor.require(Role.ADMIN)
        audits = await self.store.audits.latest(actor=by, after=after, limit=limit)
        names = await self._names(account for audit in audits for account in (audit.actor, audit.subject))
        return [
            Deed(audit=audit, by=names.get(audit.actor, audit.actor), to=names.get(audit.subject, audit.subject))
            for audit in audits
        ]

    async def news(self, actor: Actor, text: str) -> News:
        """What would be said to everyone, and to how many.

        Raises:
            NotAllowed: The actor is no admin.
            BadValue: Nothing is said, or too much.
        """
        actor.require(Role.ADMIN)
        said = text.strip()
        if not 0 < len(said) <= LENGTH:
            raise BadValue(what="text", value=said[:40], why=f"it takes 1 to {LENGTH} characters")
        people = [len(crowd) async for crowd in self._everyone(self.clock.now())]
        return News(text=said, people=sum(people))

    async def broadcast(self, actor: Actor, text: str, *, key: str) -> int:
        """Say something to everyone who is here now, ten a second, and return to how many.

        The same key again says nothing twice, and says to the rest what was cut off in the middle.

        Raises:
            NotAllowed: The actor is no admin.
            BadValue: Nothing is said, or too much.
            KeyReused: The key stands for other news.
        """
        news = await self.news(actor, text)
        details = {"text": news.text, "people": str(news.people)}
        wished = self._audit(actor, "admin.broadcast", "everyone").but(id=f"broadcast:{key}", details=details)
        begun = await self.store.transact(lambda tx: _begun(tx, wished))
        told = 0
        async for crowd in self._everyone(begun.at):
            notices = [_notice(begun, account, begun.at + PACE * turn) for turn, account in enumerate(crowd, told)]
            await self._tell(notices)
            told += len(crowd)
        return int(begun.details["people"])

    async def _hand(self, worker: Worker, now: datetime) -> Hand:
        found = [await self.store.jobs.find(job) for job in worker.jobs]
        return Hand(
            worker=worker,
            draining=not is_on(await self.store.switches.find(of_worker(worker.id))),
            jobs=tuple(job for job in found if job and job.worker == worker.id),
            silent=None if worker.live(now=now) else now - worker.seen_at,
        )

    async def _tell(self, notices: Sequence[Notice]) -> None:
        async def work(tx: Repositories) -> None:
            for notice in notices:
                if await tx.notices.find(notice.id) is None:
                    await tx.notices.add(notice)

        await self.store.transact(work)

    async def _everyone(self, moment: datetime) -> AsyncIterator[list[Account]]:
        """Everyone who was here at a moment and is not banned, some at a time."""
        after = ""
        while page := await self.store.accounts.page(after=after, limit=CROWD):
            after = page[-1].id
            yield [account for account in page if account.created_at <= moment and account.banned is None]

    async def _found(self, tx: Repositories, job: str) -> Job:
        found = await tx.jobs.find(job)
        if found is None:
            raise NotFound(noun="job", name=job, hint="See `admin queue`.")
        return found

    async def _names(self, accounts: Iterable[str]) -> dict[str, str]:
        found = [await self.store.accounts.find(account) for account in set(accounts)]
        return {account.id: account.name for account in found if account}

    def _audit(self, actor: Actor, act: str, subject: str) -> Audit:
        now = self.clock.now()
        return Audit(id=self.ids.new(), actor=actor.account, act=act, subject=subject, details={}, at=now)


async def _begun(tx: Repositories, wished: Audit) -> Audit:
    """The act under this key: what is said, and to whom, is settled by what was begun first."""
    known = await tx.audits.find(wished.id)
    if known and known.details["text"] != wished.details["text"]:
        raise KeyReused(key=wished.id)
    if known is None:
        await tx.audits.add(wished)
    return known or wished


def _notice(act: Audit, account: Account, moment: datetime) -> Notice:
    return Notice(
        id=f"{act.id}:{account.id}",
        account=account.id,
        place=account.home,
        topic=Topic.BROADCAST,
        details={"text": act.details["text"]},
        created_at=act.at,
        not_before=moment,
    )
