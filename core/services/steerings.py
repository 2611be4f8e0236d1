"""Steerings: what owners wish of trainings that run, how the wish reaches the worker, and what comes back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.domain.account import Actor
from core.domain.artifact import Artifact
from core.domain.errors import BadValue, JobEnded, NotFound, NotSteerable, Outdated, OutOfBounds
from core.domain.failure import REMEDIES, Remedy
from core.domain.job import Job, JobState
from core.domain.ledger import hold
from core.domain.notice import steered
from core.domain.offering import Offering, configured
from core.domain.retry import KEY
from core.domain.run import Epoch, Glimpse, Run
from core.domain.steering import Steer, Wish, awaited, fulfilled, prorated, wished
from core.domain.value import Value
from core.kinds import training, wallet
from core.ports.clock import Clock
from core.ports.store import Repositories, Store


class Ending(Value):
    """What an early end would mean: the epoch that would be kept (None: what there is then), and about the price.

    `others` are the numbers of the epochs that could be kept instead.
    """

    job: Job
    epoch: Epoch | None
    others: tuple[int, ...]
    due: int


class Extension(Value):
    """What more steps would cost, and how many points there are."""

    job: Job
    run: Run
    steps: int
    price: int
    balance: int


class Heard(Value):
    """What a worker has to know: wishes that have not come true, and by how many steps the run was extended."""

    wishes: tuple[Wish, ...]
    extra: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Steerings:
    """Trainings while they run. `offerings` are those of the configuration, by id."""

    store: Store
    clock: Clock
    offerings: Mapping[str, Offering]

    async def wish(self, actor: Actor, job: str, what: Steer, *, key: str, number: int | None = None) -> Job:
        """Record a wish for the worker to hear of; the same key, or the same wish while it waits, changes nothing.

        `number` is the epoch to keep of a training that is to stop.

        Raises:
            NotFound: There is no such job of this actor, or no such epoch.
            NotSteerable: It is no training, it is not running, or something else is wished already.
            JobEnded: It has ended.
            KeyReused: The key stands for another wish.
        """
        wish = Wish(key=key, what=what, number=number, by=actor.account, at=self.clock.now())

        async def work(tx: Repositories) -> Job:
            current, run = await self._running(tx, actor, job)
            _kept(run, number)
            after = current.but(wishes=wished(current.wishes, wish))
            if after != current:
                await tx.jobs.save(after)
            return after

        return await self.store.transact(work)

    async def ending(self, actor: Actor, job: str, *, number: int | None = None) -> Ending:
        """What it would mean to stop now.

        Raises:
            NotFound, NotSteerable, JobEnded: As `wish`.
        """
        current, run = await self._running(self.store, actor, job)
        progress = current.progress
        done = progress.step if progress and progress.doing == "training" else 0  # else it is preparing
        fixed = training.Payload.model_validate(current.payload).fixed
        due = prorated(current.price, fixed=fixed, done=done, steps=run.steps)
        kept = _kept(run, number)
        others = tuple(epoch.number for epoch in run.epochs if epoch != kept and not epoch.wished)
        return Ending(job=current, epoch=kept, others=others, due=due)

    async def extension(self, actor: Actor, job: str, steps: int) -> Extension:
        """What so many steps more would cost.

        Raises:
            NotFound, NotSteerable, JobEnded: As `wish`.
            BadValue, OutOfBounds: It cannot be extended by so many.
            OfferingClosed: The offering is gone from the configuration.
        """
        current, run = await self._running(self.store, actor, job)
        price = self._price(current, run, steps)
        balance = (await wallet(self.store, actor.account)).total
        return Extension(job=current, run=run, steps=steps, price=price, balance=balance)

    async def extend(self, actor: Actor, job: str, steps: int, *, price: int, key: str) -> Job:
        """Let a training go on for so many steps more at the price that was shown: the hold, the price and the run.

        Raises:
            NotFound, NotSteerable, JobEnded, BadValue, OutOfBounds, OfferingClosed, KeyReused: As `extension`.
            Outdated: It costs something else by now.
            NotEnoughPoints: The wallet does not cover it; nothing is written.
        """
        now = self.clock.now()
        wish = Wish(key=key, what=Steer.EXTEND, number=steps, by=actor.account, at=now, done_at=now)

        async def work(tx: Repositories) -> Job:
            current, run = await self._running(tx, actor, job)
            wishes = wished(current.wishes, wish)
            if wishes == current.wishes:
                return current
            if self._price(current, run, steps) != price:
                raise Outdated(what=f"The price of {steps} steps more")
            purse = await wallet(tx, current.owner)
            why, held_by = f"{current.title}: {steps} steps more", f"{job}:{key}"
            if price:
                await tx.ledger.post(hold(purse, price, owner=current.owner, job=job, why=why, now=now, key=held_by))
            after = current.but(wishes=wishes, price=current.price + price)
            await tx.jobs.save(after)
            await tx.runs.save(run.extended(steps))
            return after

        return await self.store.transact(work)

    async def heard(self, job: str, token: str) -> Heard:
        """What the worker of a running training is to be told.

        Raises:
            LeaseLost: The attempt is stale.
        """
        current = (await self.store.jobs.get(job)).fenced(token)
        return Heard(wishes=awaited(current.wishes), extra=(await self.store.runs.get(job)).extra)

    async def sampled(self, job: str, token: str, glimpse: Glimpse) -> None:
        """Keep samples that were wished for, and bring them to whoever looks at the job.

        Raises:
            LeaseLost: The report is of a stale attempt; nothing is changed.
        """

        def kept(run: Run) -> tuple[Run, Sequence[str]]:
            files = [picture.sha256 for picture in glimpse.samples]
            return run.but(glimpses=(*run.glimpses, glimpse)), files

        await self._brought(job, token, Steer.SAMPLE, kept, step=glimpse.step)

    async def saved(self, job: str, token: str, artifact: Artifact, *, step: int, loss: float) -> None:
        """Keep an adapter that was wished for beside those of the epochs; one of the same step is kept already.

        Raises:
            LeaseLost: The report is of a stale attempt; nothing is changed.
        """

        def kept(run: Run) -> tuple[Run, Sequence[str]]:
            passed = max((epoch.number for epoch in run.epochs), default=0)
            epoch = Epoch(number=passed, step=step, loss=loss, wished=True, artifact=artifact)
            return (run, ()) if run.epoch_at(step) else (run.with_epoch(epoch), epoch.files)

        await self._brought(job, token, Steer.SAVE, kept, step=step)

    async def kept(self, job: str) -> Epoch | None:
        """The epoch that the owner wants to keep of a training that was told to stop; None: the model as it is."""
        wishes = awaited((await self.store.jobs.get(job)).wishes)
        number = next((wish.number for wish in wishes if wish.what is Steer.STOP), None)
        return _kept(await self.store.runs.get(job), number)

    async def remedied(self, job: str, token: str, remedy: Remedy) -> Run:
        """Remember how a training goes on with less memory; said twice, it is remembered once.

        Raises:
            LeaseLost: The attempt is stale; nothing is changed.
        """

        async def work(tx: Repositories) -> Run:
            current = (await tx.jobs.get(job)).fenced(token)
            run = (await tx.runs.get(job)).remedied(remedy)
            await tx.runs.save(run)
            now = self.clock.now()
            await tx.jobs.save(current.reported(now=now).noted(REMEDIES[remedy], now=now))
            return run

        return await self.store.transact(work)

    async def _brought(
        self, job: str, token: str, what: Steer, kept: Callable[[Run], tuple[Run, Sequence[str]]], *, step: int
    ) -> None:
        """A wish came true: its row, the files, and a notice beside every card; without a wish that waits, nothing."""
        now = self.clock.now()

        async def work(tx: Repositories) -> None:
            current = (await tx.jobs.get(job)).fenced(token)
            wish = next((one for one in awaited(current.wishes) if one.what is what), None)
            if wish is None:
                return
            run, files = kept(await tx.runs.get(job))
            await tx.references.refer(*files)
            await tx.runs.save(run)
            after = current.reported(now=now)
            await tx.jobs.save(after.but(wishes=fulfilled(after.wishes, what, now=now)))
            for card in await tx.cards.of(job):
                await tx.notices.add(steered(card, step=step, key=wish.key, now=now))

        await self.store.transact(work)

    async def _running(self, tx: Repositories, actor: Actor, job: str) -> tuple[Job, Run]:
        """A training of the actor that runs, and its run."""
        found = await tx.jobs.find(job)
        if found is None or found.owner != actor.account:
            raise NotFound(noun="job of yours", name=job, hint="See `train list`.")
        if found.kind != "training":
            raise NotSteerable(why=f"«{found.title}» is no training")
        if found.state.ended:
            raise JobEnded(job=job, state=found.state.value)
        if found.state is JobState.QUEUED:
            raise NotSteerable(
                why=f"«{found.title}» is waiting, so there is nothing yet: `train why {job}` says for what"
            )
        return found, await tx.runs.get(job)

    def _price(self, job: Job, run: Run, steps: int) -> int:
        """What so many steps more cost, by the rule of the offering."""
        if job.key.startswith(KEY):
            raise NotSteerable(why="it is trained once more at no charge, for the steps that were ordered")
        offering = configured(self.offerings, run.offering)
        low, high = offering.bounds.get("steps", (run.steps, run.steps))
        if steps < 1:
            raise BadValue(what="number of steps", value=str(steps), why="it takes 1 or more")
        if run.steps + steps > high:
            total = str(run.steps + steps)
            raise OutOfBounds(name="steps", value=total, offering=offering.id, low=str(low), high=str(high))
        lengths = [{**run.hyperparameters, "steps": count} for count in (run.steps, run.steps + steps)]
        before, after = (sum(offering.cost(settings, gpu=job.meter.gpu).values()) for settings in lengths)
        return after - before


def _kept(run: Run, number: int | None) -> Epoch | None:
    """The epoch of this number, where one is named.

    Raises:
        NotFound: It has not ended (yet).
    """
    if number is None:
        return None
    found = next((epoch for epoch in run.epochs if epoch.number == number and not epoch.wished), None)
    if found is None:
        ended = ", ".join(epoch.name for epoch in run.epochs) or "none"
        raise NotFound(noun="epoch", name=str(number), hint=f"These have ended: {ended}.")
    return found
