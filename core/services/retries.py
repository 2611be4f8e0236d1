"""Retries: what becomes of a training that its owner wants once more."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.account import Actor, Place
from core.domain.errors import NotFound, NothingToDo, OfferingClosed
from core.domain.fleet import STALE_AFTER
from core.domain.job import Job
from core.domain.offering import Offering, configured
from core.domain.order import able, require_base
from core.domain.quote import Quote
from core.domain.readiness import require_permitted
from core.domain.retry import KEY, again, is_free, overrides, rerun
from core.domain.run import Run
from core.domain.switch import is_on, of_offering
from core.domain.value import Value
from core.kinds import asked_before, enqueue, training
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


class Wanted(Value):
    """What to ask a new price for: the dataset, the offering and its preset, and the settings beside it."""

    dataset: str
    offering: str
    preset: str
    settings: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Retries:
    """Trainings once more. `offerings` are those of the configuration, by id."""

    store: Store
    clock: Clock
    ids: Ids
    offerings: Mapping[str, Offering]

    async def retry(self, actor: Actor, job: str, *, place: Place) -> Job | Wanted:
        """Train the same again at no charge, where the house has failed it; else what to ask a new price for.

        Said again, it is the same job.

        Raises:
            NotFound: There is no such training of this actor.
            NothingToDo: It has not ended, or what it was trained on is gone.
            ConsentWithdrawn, Suspended, NotAdult: The dataset may not be used any more, or not by this actor.
            OfferingClosed: The offering is turned off, or gone from the configuration.
            BaseUnavailable: No worker that is there can load the base model.
            QueueFull: The actor has enough jobs waiting.
        """
        found = await self._ended(actor, job)
        if not is_free(found):
            return await self._wanted(found)
        fresh = again(found, id=self.ids.new(), now=self.clock.now())

        async def work(tx: Repositories) -> Job:
            if known := await asked_before(tx, fresh):
                return known
            run, payload = await tx.runs.get(job), training.Payload.model_validate(found.payload)
            await self._require(tx, actor, fresh, run, payload)
            renewed = rerun(run, fresh)
            await tx.references.refer(*renewed.files)
            await tx.runs.add(renewed)
            return await enqueue(tx, payload.but(run=fresh.id, fixed=0), job=fresh, place=place)

        return await self.store.transact(work)

    async def _ended(self, actor: Actor, job: str) -> Job:
        found = await self.store.jobs.find(job)
        if found is None or found.owner != actor.account or found.kind != "training":
            raise NotFound(noun="training of yours", name=job, hint="See `train list`.")
        if not found.state.ended:
            raise NothingToDo(why=f"«{found.title}» has not ended: see `train view {job}`.")
        return found

    async def _wanted(self, job: Job) -> Wanted:
        run, quote = await self.store.runs.get(job.id), await self._quote(job)
        offering = configured(self.offerings, run.offering)
        preset = quote.preset if quote else next(iter(offering.presets))
        settings = overrides(quote, offering) if quote else {}
        return Wanted(dataset=run.dataset, offering=offering.id, preset=preset, settings=settings)

    async def _quote(self, job: Job) -> Quote | None:
        """What was ordered first, also of what was trained once more."""
        first = await self.store.jobs.find(job.key.removeprefix(KEY)) if job.key.startswith(KEY) else job
        return await self.store.quotes.find(first.key) if first else None

    async def _require(self, tx: Repositories, actor: Actor, job: Job, run: Run, payload: training.Payload) -> None:
        """Let what was ordered before be trained once more, where nothing has come to stand against it."""
        dataset, snapshot = await tx.datasets.find(run.dataset), await tx.snapshots.get(run.snapshot)
        if dataset:
            require_permitted(dataset)
        if dataset is None or snapshot.erased_at:
            raise NothingToDo(why="What it was trained on is gone, so it cannot be trained again.")
        if run.continues and (model := await tx.models.of_run(run.continues)):
            model.require_usable()
        actor.require_adult(payload.rating)
        offering = configured(self.offerings, run.offering)
        if not is_on(await tx.switches.find(of_offering(offering.id))):
            raise OfferingClosed(offering=offering.id, why="it is turned off for now")
        require_base(offering, able(job, await tx.workers.seen_since(self.clock.now() - STALE_AFTER)))
