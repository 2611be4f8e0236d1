"""A storm over a house: jobs of several people, and whatever can happen to those who work on them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random

from core.domain.account import Actor
from core.domain.caption import CaptionMode
from core.domain.consent import RIGHTS
from core.domain.dataset import Dataset
from core.domain.errors import DomainError, LeaseLost, Unavailable
from core.domain.job import Failure, Job
from core.domain.run import MetricsPoint
from core.domain.steering import Steer
from loraguild.composition import House
from tests.builders.attempts import awaited
from tests.builders.entities import HOME, an_artifact
from tests.builders.scenes import Upload, a_quote_for
from tests.e2e.clocks import MovedClock
from tests.e2e.crew import Crew
from tests.e2e.processes import set_free
from tests.worker.pictures import a_picture, encoded
from worker.waiting import patiently

STRIKES = 12  # things that happen in a storm
PAUSES = (0.05, 0.4)  # seconds between two of them
STANDSTILLS = (0.1, 6.0)  # seconds for which a worker stands still
PATIENCE = 5.0  # seconds until somebody who asks for something gives up
TICK = 0.1  # seconds
HASTE = 15  # how many times faster time passes in a storm, and until what the dead held is free
CALM = 400  # seconds in which everything is over after a storm, rows that the database keeps locked included
SILENT = timedelta(seconds=15)  # what is left of a lease of which nobody has reported for long

FORGED = MetricsPoint(step=1, loss=-1.0, lr=0.0)
LIE = Failure(code="broke", words="It is told by whoever has no say any more.")


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Somebody with a dataset to train on and one to have described."""

    actor: Actor
    trained: Dataset
    described: Dataset


@dataclass(kw_only=True)
class Storm:
    """What happens in one round, by one seed.

    `told` are jobs that somebody wanted to be cancelled, `cancelled` those of which they have heard that they are;
    `tokens` are all attempts that were seen, by job, `struck` is what has happened so far.
    """

    house: House
    crew: Crew
    clock: MovedClock
    root: Actor
    customers: Sequence[Customer]
    rng: Random
    told: set[str] = field(default_factory=set)
    cancelled: dict[str, Job] = field(default_factory=dict)
    tokens: dict[str, set[str]] = field(default_factory=dict)
    struck: list[str] = field(default_factory=list)

    async def rage(self) -> None:
        """Order, let everything happen, and wait until nothing is left to do."""
        async with self._hurried(), self._watched():
            await asyncio.gather(*(patiently(order) for order in self._orders()))
            for strike in self.rng.choices([*WEIGHTS], [*WEIGHTS.values()], k=STRIKES):
                self.struck.append(strike.__name__)
                await _shortly(partial(strike, self))
                await asyncio.sleep(self.rng.uniform(*PAUSES))
        if Storm.kill.__name__ in self.struck:
            await patiently(partial(set_free, self.house))
        self.crew.resume(*self.crew.work, *self.crew.leaving)
        self.crew.fill()
        await awaited(self._over, seconds=CALM)
        await self.crew.settle()

    def _orders(self) -> list[Callable[[], Awaitable[object]]]:
        """A dozen orders, each of which may be given several times; in any order."""
        key = self.house.services.conversations.token
        orders: list[Callable[[], Awaitable[object]]] = []
        for customer in self.customers:
            orders += [self._training(customer), self._training(customer), self._export(customer, key())]
        customer = self.rng.choice(self.customers)
        orders += [self._captioning(customer, key()), self._intake(customer, key())]
        return self.rng.sample(orders, len(orders))

    def _training(self, customer: Customer) -> Callable[[], Awaitable[object]]:
        steps = str(self.rng.randint(20, 60))

        async def order() -> None:
            quoted = await a_quote_for(self.house, customer.actor, customer.trained, offering="long", steps=steps)
            name = quoted.quote.id
            said = [patiently(lambda: self._accepted(customer.actor, name)) for _ in range(2)]
            first, second = await asyncio.gather(*said)
            assert first.id == second.id

        return order

    async def _accepted(self, actor: Actor, quote: str) -> Job:
        return await self.house.services.trainings.order(actor, quote, place=HOME, attested=RIGHTS)

    def _export(self, customer: Customer, key: str) -> Callable[[], Awaitable[object]]:
        exports = self.house.services.exports
        return lambda: exports.order(customer.actor, customer.trained, wished=None, place=HOME, key=key)

    def _captioning(self, customer: Customer, key: str) -> Callable[[], Awaitable[object]]:
        captionings, mode = self.house.services.captionings, CaptionMode.OVERWRITE
        return lambda: captionings.auto(customer.actor, customer.described, mode=mode, place=HOME, key=key)

    def _intake(self, customer: Customer, key: str) -> Callable[[], Awaitable[object]]:
        picture = Upload(name="more.png", content=encoded(a_picture()))
        intakes = self.house.services.intakes
        return lambda: intakes.add(customer.actor, customer.described, [picture], place=HOME, key=key)

    async def kill(self) -> None:
        self.crew.kill(self.rng)

    async def dismiss(self) -> None:
        self.crew.dismiss(self.rng)

    async def orphan(self) -> None:
        self.crew.orphan(self.rng)

    async def strike(self) -> None:
        self.crew.strike()

    async def suspend(self) -> None:
        """Let a worker stand still, maybe until its leases have run out and somebody else has what it had."""
        one = self.crew.suspend(self.rng)
        asyncio.get_running_loop().call_later(self.rng.uniform(*STANDSTILLS), self.crew.resume, one)

    async def late(self) -> None:
        """Let a report come of an attempt that is over: nothing may come of it."""
        if stale := await self._stale():
            job, token = self.rng.choice(stale)
            before = await self.house.store.jobs.get(job)
            with suppress(LeaseLost):
                await self.rng.choice(self._lies(job, token))()
                msg = f"a report of the attempt {token} at {before} was taken"
                raise AssertionError(msg)

    def _lies(self, job: str, token: str) -> Sequence[Callable[[], Awaitable[object]]]:
        jobs = self.house.services.jobs
        return (
            lambda: jobs.report(job, token, points=[FORGED]),
            lambda: jobs.checkpoint(job, token, an_artifact("a lie")),
            lambda: jobs.finish(job, token, LIE),
            lambda: jobs.release(job, token),
            lambda: jobs.retry(job, token),
        )

    async def twice(self) -> None:
        """Let a report that has come already come once more."""
        if job := await self._running_one():
            token, points = job.token or "", (await self.house.store.runs.chart(job.id))[-3:]
            with suppress(LeaseLost):
                await self.house.services.jobs.report(job.id, token, progress=job.progress, points=points)

    async def cancel(self) -> None:
        """Let somebody no longer want a job, or an operator; they may say so several times."""
        if waiting := await self.house.store.jobs.queue(limit=0):
            job = self.rng.choice(waiting)
            actor = self.rng.choice([self.root, self._owner(job)])
            self.told.add(job.id)
            with suppress(DomainError):
                self.cancelled[job.id] = await patiently(lambda: self.house.services.jobs.cancel(actor, job.id))

    async def requeue(self) -> None:
        """Let an operator take a job from its worker."""
        if job := await self._running_one():
            with suppress(DomainError):
                await self.house.services.operations.requeue(self.root, job.id)

    async def steer(self) -> None:
        """Let somebody wish something of a training that runs."""
        job = await self._running_one()
        if job is None or job.kind != "training":
            return
        key, what = self.house.services.conversations.token(), self.rng.choice(list(Steer))
        owner, steerings = self._owner(job), self.house.services.steerings
        with suppress(DomainError):
            if what is Steer.EXTEND:
                wished = await steerings.extension(owner, job.id, 20)
                await patiently(lambda: steerings.extend(owner, job.id, 20, price=wished.price, key=key))
            else:
                await patiently(lambda: steerings.wish(owner, job.id, what, key=key))

    def _owner(self, job: Job) -> Actor:
        return next(one.actor for one in self.customers if one.actor.account == job.owner)

    async def _running_one(self) -> Job | None:
        running = await self.house.store.jobs.running()
        return self.rng.choice(running) if running else None

    async def _stale(self) -> list[tuple[str, str]]:
        """Attempts that are over; which they are never changes back."""
        current = {job.token for job in await self.house.store.jobs.running()}
        return [(job, token) for job, tokens in self.tokens.items() for token in sorted(tokens - current)]

    async def _over(self) -> bool:
        """Look whether nothing is left to do; where something waits for its moment, let that come sooner."""
        with suppress(Unavailable):
            left, pids = await self.house.store.jobs.queue(limit=0), self.crew.pids
            alive = {one.id async for one in self.house.store.workers.everything() if one.pid in pids}
            if any(job.asleep or self._is_given_up(job, alive) for job in left):
                await self._hurry()
                await asyncio.sleep(TICK)
            return not left
        return False

    def _is_given_up(self, job: Job, alive: set[str]) -> bool:
        """Whether only the end of its lease can set a job free: nobody has it, or whoever has it does not know."""
        if job.lease_until is None:
            return False
        return job.worker not in alive or job.lease_until - self.clock.now() < SILENT

    async def _hurry(self) -> None:
        """Let more time pass than does, and take back what was held for too long."""
        self.clock.advance(timedelta(seconds=TICK * HASTE))
        try:
            await _shortly(self.house.services.jobs.expire)
        except* Unavailable:
            pass  # the next time

    @asynccontextmanager
    async def _hurried(self) -> AsyncIterator[None]:
        """A while in which time passes faster for everybody, and leases of those who stand still run out."""
        async with _again(self._hurry):
            yield

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """A while in which every attempt is remembered."""

        async def look() -> None:
            for job in await self.house.store.jobs.running():
                self.tokens.setdefault(job.id, set()).add(job.token or "")

        async with _again(look):
            yield


async def _shortly(call: Callable[[], Awaitable[object]]) -> None:
    """Try something, and give up where it takes long: somebody who died may have locked what it is about."""
    with suppress(Unavailable, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await call()


@asynccontextmanager
async def _again(call: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """A while in which something is done every tick, as often as the database answers."""

    async def go_on() -> None:
        while not over.is_set():
            await _shortly(call)
            await asyncio.sleep(TICK)

    over = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(go_on())
        try:
            yield
        finally:
            over.set()


WEIGHTS: Mapping[Callable[[Storm], Awaitable[None]], float] = {
    Storm.kill: 2,
    Storm.dismiss: 1,
    Storm.suspend: 1.5,
    Storm.orphan: 2,
    Storm.strike: 0.3,
    Storm.late: 4,
    Storm.twice: 3,
    Storm.cancel: 1,
    Storm.requeue: 1,
    Storm.steer: 4,
}
