"""Trainings: what is on offer, quotes, and the orders made from them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import JsonValue

from core.domain.account import Actor, Place
from core.domain.cost import Estimate, estimated
from core.domain.dataset import Dataset, Kind, seen
from core.domain.errors import NotFound, OfferingClosed
from core.domain.fleet import STALE_AFTER
from core.domain.job import Job
from core.domain.minors import require_fit
from core.domain.offering import Offering, configured
from core.domain.order import Start, able, called, prospect, rated, require_base, run_of
from core.domain.quote import OPEN_FOR, Quote, wished
from core.domain.rating import Rating
from core.domain.readiness import require_attested, require_ready
from core.domain.scheduling import Forecast
from core.domain.snapshot import Snapshot, taken
from core.domain.switch import is_on, of_offering
from core.domain.value import Value
from core.kinds import enqueue, foreseen, training, wallet
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store

HISTORY, REMEMBERED = 50, timedelta(days=90)  # what estimates look back on: so many trainings, no older


class Choice(Value):
    """A class of GPU to choose: what the training would cost with it, and how many seconds it would take."""

    price: int
    takes: Estimate


class Quoted(Value):
    """A quote with what the actor would have left, how long it would wait and take, and what else there is to choose.

    `choices` are the classes of GPU that are there, and the one that is chosen; `manned` says whether a worker that can
    take it is, without which the order waits for one.
    """

    quote: Quote
    dataset: Dataset
    offering: Offering
    balance: int
    queue: Forecast
    takes: Estimate
    choices: Mapping[str, Choice]
    manned: bool


@dataclass(frozen=True, kw_only=True)
class Trainings:
    """The main road. `offerings` are those of the configuration, by id."""

    store: Store
    clock: Clock
    ids: Ids
    offerings: Mapping[str, Offering]

    async def quote(
        self, actor: Actor, dataset: Dataset, offering: Offering, *, preset: str, overrides: Mapping[str, str]
    ) -> Quoted:
        """Price a training and keep the price for half an hour.

        Raises:
            NotFound: The dataset is not the actor's to use.
            ConsentWithdrawn, Suspended: It may not be used any more.
            NotAdult: It is for adults, and no moderator has verified the actor.
            CharacterNotAdult: It is for adults, and nobody has attested that its character is of age.
            DatasetEmpty, DatasetNotReady, DatasetUnfit: The dataset cannot be trained on so.
            NotReviewed: The dataset is for adults, and no moderator has approved it.
            OfferingClosed: The offering is turned off.
            MinorsGuarded: It is for adults, and a setting has words of young age.
            BadValue, UnknownParameter, OutOfBounds: The settings do not fit the offering, or the model.
            Ambiguous, ModelUnfit: The model to continue from means several, or is of another family.
            BaseUnavailable: No worker that is there can load the base model.
        """
        shown = await self.estimate(actor, dataset, offering, preset=preset, overrides=overrides)
        await self.store.quotes.add(shown.quote)
        return shown

    async def estimate(
        self, actor: Actor, dataset: Dataset, offering: Offering, *, preset: str, overrides: Mapping[str, str]
    ) -> Quoted:
        """The same price, without keeping it for an order. Raises as a quote does."""
        wishes = wished(overrides)
        gpu = offering.gpu(wishes.gpu)
        start = await self._start(self.store, actor, wishes.model, offering)
        await self._trainable(self.store, actor, dataset.id, offering, start)
        await self._on_offer(self.store, offering.id)
        settings = offering.settled(preset, wishes.settings, kept=start.shape if start else {})
        takes = await self._takes(offering, settings, gpu)
        now = self.clock.now()
        quote = Quote(
            id=self.ids.new(),
            owner=actor.account,
            dataset=dataset.id,
            offering=offering.id,
            offering_version=offering.version,
            preset=preset,
            hyperparameters=settings,
            parts=offering.cost(settings, gpu=gpu),
            seconds=takes.usual,
            created_at=now,
            expires_at=now + OPEN_FOR,
            seed=wishes.seed,
            gpu=gpu,
            model=start.model.id if start else None,
        )
        require_fit(*quote.words, rating=rated(dataset, start))
        return await self._quoted(actor, quote, dataset, offering, takes)

    async def quoted(self, actor: Actor, quote: str) -> Quoted:
        """A quote once more, with the balance and the queue of now.

        Raises:
            NotFound: There is no such quote for this actor, or what it is about is gone.
            OfferingClosed, BaseUnavailable: The offering is gone meanwhile, or no worker can load its base.
        """
        found = await self._mine(self.store, actor, quote)
        dataset = seen(await self.store.datasets.find(found.dataset), actor, name=found.dataset)
        offering = configured(self.offerings, found.offering)
        takes = await self._takes(offering, found.hyperparameters, found.gpu)
        return await self._quoted(actor, found, dataset, offering, takes)

    async def order(self, actor: Actor, quote: str, *, place: Place, attested: str | None = None) -> Job:
        """Accept a quote: snapshot, hold, job and card in one transaction. Accepting it again gives the same job.

        `attested` is the version of the words on rights and consent that the owner of the dataset has seen and meant.

        Raises:
            NotAttested: Nobody has spoken for the files of the dataset.
            MinorsGuarded: A caption, or a setting, has words of young age where they cannot stand.
            NotFound: There is no such quote for this actor.
            QuoteExpired: It is too late for this price.
            NotEnoughPoints: The wallet does not cover it; nothing is written.
            DatasetEmpty, DatasetNotReady, DatasetUnfit, NotReviewed, ConsentWithdrawn, Suspended, NotAdult,
                CharacterNotAdult: As for a quote; the dataset changed meanwhile.
            ModelUnfit: As for a quote.
            OfferingClosed, BaseUnavailable: The offering was turned off meanwhile, or no worker can load its base.
        """
        found = await self._mine(self.store, actor, quote)
        if found.job:
            return await self.store.jobs.get(found.job)
        job_id, seed = self.ids.new(), self.ids.seed()

        async def work(tx: Repositories) -> Job:
            current = await self._mine(tx, actor, quote)
            if current.job:
                return await tx.jobs.get(current.job)
            offering = await self._on_offer(tx, current.offering)
            now = self.clock.now()
            await tx.quotes.save(current.accepted(job=job_id, offering_version=offering.version, now=now))
            start = await self._start(tx, actor, current.model, offering)
            dataset = await self._trainable(tx, actor, current.dataset, offering, start)
            if start:  # its row is written, as the dataset's, so that a withdrawal at the same moment is first or last
                await tx.models.save(start.model)
            dataset = await self._spoken_for(tx, actor, dataset, attested)
            require_fit(*current.words, rating=rated(dataset, start))
            snapshot = await self._snapshot(tx, dataset, rated(dataset, start))
            if dataset.kind is Kind.IMAGES:
                offering.require_items(dataset.name, len(snapshot.entries))
            job = prospect(current, offering, dataset).but(id=job_id, created_at=now, not_before=now)
            require_base(offering, able(job, await tx.workers.seen_since(now - STALE_AFTER)))
            run = run_of(job, current, offering, snapshot=snapshot.id, seed=seed, start=start)
            await tx.references.refer(*run.files)
            await tx.runs.add(run)
            payload = _payload(current, dataset, offering, job, start=start, owner_name=actor.name)
            return await enqueue(tx, payload, job=job, place=place)

        return await self.store.transact(work)

    async def offer(self, name: str) -> tuple[Offering, bool]:
        """One offering, with whether it can be ordered now.

        Raises:
            NotFound: There is none of this id.
        """
        if name not in self.offerings:
            raise NotFound(noun="offering", name=name, hint="See `offerings`.")
        return self.offerings[name], await _is_on(self.store, name)

    async def offered(self) -> Sequence[tuple[Offering, bool]]:
        """All offerings, each with whether it can be ordered now."""
        return [(one, await _is_on(self.store, one.id)) for one in self.offerings.values()]

    async def list(self, actor: Actor) -> Sequence[Job]:
        """The actor's trainings, newest first."""
        return await self.store.jobs.owned(actor.account, kind="training")

    async def _start(self, tx: Repositories, actor: Actor, name: str | None, offering: Offering) -> Start | None:
        if name is None:
            return None
        model = called(name, await tx.models.owned(actor.account, limit=0), owner=actor.account)
        run = await tx.runs.get(model.run)
        start = Start(model=model, run=run, dataset=await tx.datasets.find(run.dataset))
        start.require_fit(actor, offering)
        return start

    async def _trainable(
        self, tx: Repositories, actor: Actor, dataset: str, offering: Offering, start: Start | None
    ) -> Dataset:
        found = await tx.datasets.find(dataset)
        if found is None or found.deleted_at or not found.usable_by(actor.account):
            raise NotFound(noun="dataset", name=dataset, hint="See `dataset list`.")
        actor.require_adult(found.rating)
        if character := await tx.characters.find(found.character) if found.character else None:
            character.require_adult_for(rated(found, start))
        require_ready(found)
        offering.require_items(found.name, found.count, kind=found.kind)
        return found

    async def _spoken_for(self, tx: Repositories, actor: Actor, dataset: Dataset, words: str | None) -> Dataset:
        if dataset.attestation is None and words and dataset.owner == actor.account:
            dataset = dataset.attested(words, by=actor.account, now=self.clock.now())
        require_attested(dataset)
        await tx.datasets.save(dataset)  # so that of an order and a withdrawal at the same moment one is first
        return dataset

    async def _snapshot(self, tx: Repositories, dataset: Dataset, rating: Rating) -> Snapshot:
        snapshot = taken(dataset, await tx.items.of(dataset.id), await tx.parts.of(dataset.id), now=self.clock.now())
        await asyncio.to_thread(_require_fit, snapshot, rating)
        known = await tx.snapshots.find(snapshot.id)
        if known and not known.erased_at:
            return known
        await tx.snapshots.save(snapshot)
        await tx.references.refer(*(entry.sha256 for entry in snapshot.entries))
        return snapshot

    async def _mine(self, tx: Repositories, actor: Actor, quote: str) -> Quote:
        found = await tx.quotes.find(quote)
        if found is None or found.owner != actor.account:
            raise NotFound(noun="quote", name=quote, hint="Ask for a new one with `train order`.")
        return found

    async def _on_offer(self, tx: Repositories, offering: str) -> Offering:
        if not await _is_on(tx, offering):
            raise OfferingClosed(offering=offering, why="it is turned off for now")
        return configured(self.offerings, offering)

    async def _quoted(
        self, actor: Actor, quote: Quote, dataset: Dataset, offering: Offering, takes: Estimate
    ) -> Quoted:
        job, now = prospect(quote, offering, dataset), self.clock.now()
        workers = await self.store.workers.seen_since(now - STALE_AFTER)
        require_base(offering, able(job, workers))
        others = {gpu: job.but(labels=offering.needs(gpu)) for gpu in offering.gpus}
        there = [gpu for gpu, other in others.items() if gpu == quote.gpu or able(other, workers)]
        return Quoted(
            quote=quote,
            dataset=dataset,
            offering=offering,
            balance=(await wallet(self.store, actor.account)).total,
            queue=await foreseen(self.store, job, now=now),
            takes=takes,
            choices={gpu: await self._choice(offering, quote.hyperparameters, gpu) for gpu in there},
            manned=bool(able(job, workers)),
        )

    async def _choice(self, offering: Offering, settings: Mapping[str, JsonValue], gpu: str) -> Choice:
        price = sum(offering.cost(settings, gpu=gpu).values())
        return Choice(price=price, takes=await self._takes(offering, settings, gpu))

    async def _takes(self, offering: Offering, settings: Mapping[str, JsonValue], gpu: str) -> Estimate:
        """How long a training takes, by what others of the same offering took on the same class of GPU."""
        since = self.clock.now() - REMEMBERED
        history = await self.store.costs.of("training", offering.id, gpu, since=since, limit=HISTORY)
        steps, pace = offering.usual_steps(settings), offering.pace(gpu)
        return estimated(steps, around=offering.seconds_around, pace=pace, history=history)


def _payload(
    quote: Quote, dataset: Dataset, offering: Offering, job: Job, *, start: Start | None, owner_name: str
) -> training.Payload:
    return training.Payload(
        run=job.id,
        name=dataset.name,
        trigger=dataset.trigger,
        family=offering.base.family,
        owner_name=owner_name,
        rating=rated(dataset, start),
        fixed=offering.base_price(quote.gpu),
    )


def _require_fit(snapshot: Snapshot, rating: Rating) -> None:
    """Let captions pass, each by itself, however they came in."""
    for caption in {entry.caption for entry in snapshot.entries}:
        require_fit(caption, rating=rating)


async def _is_on(tx: Repositories, offering: str) -> bool:
    return is_on(await tx.switches.find(of_offering(offering)))
