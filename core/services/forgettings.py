"""Forgetting: everything of somebody goes, but for the books, which know no more of them than an id."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from core.domain.account import Actor
from core.domain.allowance import Limit, counted, window
from core.domain.audit import Audit
from core.domain.dataset import Scope
from core.domain.errors import CannotForget
from core.domain.job import Job, JobState
from core.domain.ledger import earnings, earnings_pending
from core.domain.value import Value
from core.kinds import Kind, end, purged, training, wallet
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store

ONCE = Limit(times=1, per=timedelta(days=1))  # a login: who comes back has the points of a day again


class Farewell(Value):
    """What somebody would leave behind, counted.

    `earned` is what could still be paid out, `balance` points and qoints; both are given up.
    """

    datasets: int
    characters: int
    models: int
    generations: int
    queued: int
    balance: int
    earned: int


@dataclass(frozen=True, kw_only=True)
class Forgettings:
    """How somebody leaves for good. `kinds` settle what the end of their waiting jobs means."""

    store: Store
    clock: Clock
    ids: Ids
    kinds: Mapping[str, Kind]

    async def farewell(self, actor: Actor) -> Farewell:
        """What the actor would leave behind.

        Raises:
            CannotForget: A payout or a job is under way.
        """
        store, owner = self.store, actor.account
        earned = await _earned(store, owner)
        await _require_free(store, owner, giving_up=earned)
        return Farewell(
            datasets=len(await _datasets(store, owner)),
            characters=len(await store.characters.owned(owner)),
            models=len(await store.models.owned(owner, limit=0)),
            generations=len(await store.generations.owned(owner, limit=0)),
            queued=sum(job.ordered for job in await store.jobs.active(owner)),
            balance=(await wallet(store, owner)).total,
            earned=earned,
        )

    async def forget(self, actor: Actor, *, giving_up: int) -> None:
        """Erase everything of the actor but the ledger and the audit log; the same login is somebody new from then on.

        Waiting jobs are cancelled and paid back first. From the moment that the account is marked it cannot be used;
        what an interruption leaves is erased by `finish`. `giving_up` is how much of what they earned they let go.

        Raises:
            CannotForget: A payout or a job is under way, or more was earned than is given up.
            TooOften: This login was forgotten within a day before.
        """
        await _require_free(self.store, actor.account, giving_up=giving_up)
        for job in await self.store.jobs.active(actor.account):
            await self._cancelled(job)
        await self._marked(actor, giving_up=giving_up)
        await self._erased(actor.account)

    async def finish(self) -> int:
        """Go on with those of whom something is left; return how many they were."""
        left = await self.store.accounts.forgetting()
        for account in left:
            await self._erased(account.id)
        return len(left)

    async def _cancelled(self, job: Job) -> None:
        async def work(tx: Repositories) -> None:
            current = await tx.jobs.get(job.id)
            if current.state is JobState.QUEUED:
                await end(tx, current, None, kinds=self.kinds, ids=self.ids, now=self.clock.now())

        await self.store.transact(work)

    async def _marked(self, actor: Actor, *, giving_up: int) -> None:
        """Let nobody be this account any more, in one transaction: no name, no logins, no right to do anything."""
        now, owner = self.clock.now(), actor.account
        act = "account.forgotten"
        audit = Audit(id=f"{act}:{owner}", actor=owner, act=act, subject=owner, details={}, at=now)

        async def work(tx: Repositories) -> None:
            await _require_free(tx, owner, giving_up=giving_up)
            if await tx.jobs.active(owner):
                raise CannotForget(why="a job has come in just now. Try again.")
            for login in await tx.identities.of(owner):
                fresh = window(f"forget:{hashlib.sha256(login.id.encode()).hexdigest()}", ONCE, now=now)
                await tx.allowances.save(counted(await tx.allowances.find(fresh.id) or fresh, ONCE, now=now))
                await tx.identities.remove(login.id)
            for account in (await tx.accounts.get(owner), *await tx.accounts.taken_over(owner)):
                await tx.accounts.save(account.forgotten(now=now))
            await tx.audits.add(audit)

        await self.store.transact(work)

    async def _erased(self, owner: str) -> None:
        """Erase what is left, thing by thing; the bytes that others' trainings still need go when those have ended."""
        for dataset in await _datasets(self.store, owner):
            await self._purged(dataset)
        for job in await self.store.jobs.owned(owner, limit=0):
            if job.kind in {"training", "generation"}:
                await self._unmade(job.id)
        now = self.clock.now()

        async def work(tx: Repositories) -> None:
            await tx.ownership.erase(owner)
            await tx.accounts.save((await tx.accounts.get(owner)).but(erased_at=now))

        await self.store.transact(work)

    async def _purged(self, dataset: str) -> None:
        async def work(tx: Repositories) -> None:
            if found := await tx.datasets.find(dataset):
                await purged(tx, found, now=self.clock.now())

        await self.store.transact(work)

    async def _unmade(self, job: str) -> None:
        """Let what a job has made go: a model with everything of its run, or pictures with their prompt."""
        now = self.clock.now()

        async def work(tx: Repositories) -> None:
            done = await tx.jobs.get(job)
            if made := await tx.generations.find(job):
                await tx.references.forget(*made.files)
                await tx.generations.save(made.forgotten(now=now))
            if run := await tx.runs.find(job):
                stored = [*run.files]
                model = await tx.models.of_run(job)
                if done.result and model:
                    grid = training.Result.model_validate(done.result).grid
                    stored += [*model.files, *(picture.sha256 for picture in (grid, *model.samples))]
                    names = {f"{model.owner_name}/{slug}" for slug in model.names}
                    await tx.generations.unname(model.id, names)
                    await tx.models.save(model.forgotten(now=now))
                await tx.references.forget(*stored)
                await tx.runs.save(run.but(start=None, epochs=(), glimpses=()))
                await tx.jobs.save(done.but(result=None))

        await self.store.transact(work)


async def _datasets(tx: Repositories, owner: str) -> list[str]:
    """The ids of all that somebody has, those in the bin too."""
    return [one.id for scope in (Scope.MINE, Scope.DELETED) for one in await tx.datasets.listed(owner, scope, limit=0)]


async def _earned(tx: Repositories, owner: str) -> int:
    return sum([(await tx.ledger.balance(book)).total for book in (earnings(owner), earnings_pending(owner))])


async def _require_free(tx: Repositories, owner: str, *, giving_up: int) -> None:
    """Let somebody go whom nothing holds.

    Raises:
        CannotForget: A payout or a job is under way, or more was earned than is given up.
    """
    payouts = await tx.payouts.of(owner, limit=0)
    if waiting := next((one for one in payouts if one.state.open), None):
        words = f"{waiting.amount} qoints are on their way to you. Wait, or say `payout cancel {waiting.id}`."
        raise CannotForget(why=words)
    jobs = await tx.jobs.active(owner)
    if running := next((job for job in jobs if job.state is JobState.RUNNING), None):
        raise CannotForget(why=f"«{running.title}» is running. Wait, or say `train cancel {running.id}`.")
    if (earned := await _earned(tx, owner)) > giving_up:
        raise CannotForget(why=f"you have earned {earned} qoints. Say `payout request`, or give them up.")
