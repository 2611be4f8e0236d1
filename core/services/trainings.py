"""Trainings: quotes, orders, and what a worker needs to know of a run."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.account import Actor, Place
from core.domain.artifact import Artifact
from core.domain.dataset import Dataset, Kind
from core.domain.errors import BadValue, DatasetUnfit, NotFound, OfferingClosed
from core.domain.job import Job, asked
from core.domain.minors import require_fit
from core.domain.offering import Offering
from core.domain.quote import OPEN_FOR, Quote
from core.domain.rating import Rating
from core.domain.readiness import require_attested, require_ready
from core.domain.run import Epoch, MetricsPoint, Run
from core.domain.snapshot import Snapshot, taken
from core.domain.switch import is_on, of_offering
from core.domain.value import Value
from core.kinds import enqueue, training, wallet
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store

SEEDS = 2**31


class Assignment(Value):
    """Everything a worker needs to execute a run."""

    run: Run
    snapshot: Snapshot
    offering: Offering
    payload: training.Payload


class Quoted(Value):
    """A quote with what the actor would have left, and what is ahead in the queue."""

    quote: Quote
    dataset: Dataset
    offering: Offering
    balance: int
    ahead: int


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
            BadValue, UnknownParameter, OutOfBounds: The settings do not fit the offering.
        """
        await self._trainable(self.store, actor, dataset.id, offering)
        await self._on_offer(self.store, offering.id)
        seed, changes = _seed(overrides)
        settings = offering.settled(preset, changes)
        steps = int(str(settings["steps"]))
        now = self.clock.now()
        quote = Quote(
            id=self.ids.new(),
            owner=actor.account,
            dataset=dataset.id,
            offering=offering.id,
            offering_version=offering.version,
            preset=preset,
            hyperparameters=settings,
            parts=offering.cost(steps),
            seconds=offering.seconds(steps),
            created_at=now,
            expires_at=now + OPEN_FOR,
            seed=seed,
        )
        await self.store.quotes.add(quote)
        return await self._quoted(actor, quote, dataset, offering)

    async def order(self, actor: Actor, quote: str, *, place: Place, attested: str | None = None) -> Job:
        """Accept a quote: snapshot, hold, job and card in one transaction. Accepting it again gives the same job.

        `attested` is the version of the words on rights and consent that the owner of the dataset has seen and meant.

        Raises:
            NotAttested: Nobody has spoken for the files of the dataset.
            MinorsGuarded: A caption has words of young age where they cannot stand.
            NotFound: There is no such quote for this actor.
            QuoteExpired: It is too late for this price.
            NotEnoughPoints: The wallet does not cover it; nothing is written.
            DatasetEmpty, DatasetNotReady, DatasetUnfit, NotReviewed, ConsentWithdrawn, Suspended, NotAdult,
                CharacterNotAdult: As for a quote; the dataset changed meanwhile.
            OfferingClosed: The offering was turned off meanwhile.
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
            dataset = await self._trainable(tx, actor, current.dataset, offering)
            dataset = await self._spoken_for(tx, actor, dataset, attested)
            snapshot = await self._snapshot(tx, dataset)
            offering.require_items(dataset.name, len(snapshot.entries))
            job = asked(
                "training",
                id=job_id,
                key=current.id,
                owner=actor.account,
                subject=dataset.id,
                title=f"{dataset.name} · {offering.title}",
                price=current.price,
                labels=offering.labels,
                now=now,
            )
            await tx.runs.add(
                self._run(current, snapshot, offering, job, seed if current.seed is None else current.seed)
            )
            return await enqueue(tx, _payload(dataset, offering, job, owner_name=actor.name), job=job, place=place)

        return await self.store.transact(work)

    async def offered(self) -> Sequence[tuple[Offering, bool]]:
        """All offerings, each with whether it can be ordered now."""
        return [(one, await _is_on(self.store, one.id)) for one in self.offerings.values()]

    async def list(self, actor: Actor) -> Sequence[Job]:
        """The actor's trainings, newest first."""
        return await self.store.jobs.owned(actor.account, kind="training")

    async def assignment(self, job: Job) -> Assignment:
        """What a worker needs to execute a training job.

        Raises:
            OfferingClosed: The offering is gone from the configuration.
        """
        payload = training.Payload.model_validate(job.payload)
        run = await self.store.runs.get(payload.run)
        snapshot = await self.store.snapshots.get(run.snapshot)
        return Assignment(run=run, snapshot=snapshot, offering=self._offered(run.offering), payload=payload)

    async def run(self, job: str) -> Run | None:
        """The run of a job, where it is a training."""
        return await self.store.runs.find(job)

    async def chart(self, job: str) -> Sequence[MetricsPoint]:
        """The metrics points of a training."""
        return await self.store.runs.chart(job)

    async def passed(self, job: str, token: str, epoch: Epoch, *, run: str) -> None:
        """Record an epoch with its artifact and samples, fenced by the attempt's token.

        Raises:
            LeaseLost: The report is of a stale attempt; nothing is changed.
        """

        async def work(tx: Repositories) -> None:
            now = self.clock.now()
            current = (await tx.jobs.get(job)).fenced(token)
            found = await tx.runs.get(run)
            await tx.references.refer(*_hashes(epoch))
            replaced = [known for known in found.epochs if known.number == epoch.number]
            await tx.references.forget(*(name for known in replaced for name in _hashes(known)))
            await tx.runs.save(found.with_epoch(epoch))
            await tx.jobs.save(current.reported(now=now))

        await self.store.transact(work)

    async def _trainable(self, tx: Repositories, actor: Actor, dataset: str, offering: Offering) -> Dataset:
        found = await tx.datasets.find(dataset)
        if found is None or found.deleted_at or not found.usable_by(actor.account):
            raise NotFound(noun="dataset", name=dataset, hint="See `dataset list`.")
        actor.require_adult(found.rating)
        if character := await tx.characters.find(found.character) if found.character else None:
            character.require_adult_for(found.rating)
        require_ready(found)
        if found.kind is Kind.CONVERSATIONS:
            need, has = "pictures", "conversations"
            raise DatasetUnfit(offering=offering.title, name=found.name, need=need, has=has)
        offering.require_items(found.name, found.count)
        return found

    async def _spoken_for(self, tx: Repositories, actor: Actor, dataset: Dataset, words: str | None) -> Dataset:
        if dataset.attestation is None and words and dataset.owner == actor.account:
            dataset = dataset.attested(words, by=actor.account, now=self.clock.now())
        require_attested(dataset)
        await tx.datasets.save(dataset)  # so that of an order and a withdrawal at the same moment one is first
        return dataset

    async def _snapshot(self, tx: Repositories, dataset: Dataset) -> Snapshot:
        snapshot = taken(dataset, await tx.items.of(dataset.id), await tx.parts.of(dataset.id), now=self.clock.now())
        await asyncio.to_thread(_require_fit, snapshot, dataset.rating)
        known = await tx.snapshots.find(snapshot.id)
        if known and not known.erased_at:
            return known
        await tx.snapshots.save(snapshot)
        await tx.references.refer(*(entry.sha256 for entry in snapshot.entries))
        return snapshot

    def _run(self, quote: Quote, snapshot: Snapshot, offering: Offering, job: Job, seed: int) -> Run:
        return Run(
            id=job.id,
            owner=job.owner,
            dataset=quote.dataset,
            snapshot=snapshot.id,
            offering=offering.id,
            offering_version=offering.version,
            recipe=offering.recipe,
            hyperparameters=quote.hyperparameters,
            seed=seed,
            base=offering.base.id,
            created_at=job.created_at,
        )

    async def _mine(self, tx: Repositories, actor: Actor, quote: str) -> Quote:
        found = await tx.quotes.find(quote)
        if found is None or found.owner != actor.account:
            raise NotFound(noun="quote", name=quote, hint="Ask for a new one with `train order`.")
        return found

    async def _on_offer(self, tx: Repositories, offering: str) -> Offering:
        if not await _is_on(tx, offering):
            raise OfferingClosed(offering=offering, why="it is turned off for now")
        return self._offered(offering)

    def _offered(self, offering: str) -> Offering:
        if offering not in self.offerings:
            raise OfferingClosed(offering=offering, why="its file is no longer in the configuration")
        return self.offerings[offering]

    async def _quoted(self, actor: Actor, quote: Quote, dataset: Dataset, offering: Offering) -> Quoted:
        purse = await wallet(self.store, actor.account)
        waiting = asked(
            "training", id="-", key="-", owner="-", subject="-", title="-", now=quote.created_at, labels=offering.labels
        )
        return Quoted(
            quote=quote,
            dataset=dataset,
            offering=offering,
            balance=purse.total,
            ahead=await self.store.jobs.ahead(waiting),
        )


def _payload(dataset: Dataset, offering: Offering, job: Job, *, owner_name: str) -> training.Payload:
    return training.Payload(
        run=job.id,
        name=dataset.name,
        trigger=dataset.trigger,
        family=offering.base.family,
        owner_name=owner_name,
        rating=dataset.rating,
    )


def _require_fit(snapshot: Snapshot, rating: Rating) -> None:
    """Let captions pass, each by itself, however they came in."""
    for caption in {entry.caption for entry in snapshot.entries}:
        require_fit(caption, rating=rating)


def _seed(overrides: Mapping[str, str]) -> tuple[int | None, Mapping[str, str]]:
    """The seed among somebody's settings, which belongs to no recipe, and the others."""
    wished = overrides.get("seed")
    if wished is not None and not (wished.isascii() and wished.isdigit() and int(wished) < SEEDS):
        raise BadValue(what="seed", value=wished, why=f"it takes a whole number below {SEEDS}")
    others = {name: value for name, value in overrides.items() if name != "seed"}
    return None if wished is None else int(wished), others


async def _is_on(tx: Repositories, offering: str) -> bool:
    return is_on(await tx.switches.find(of_offering(offering)))


def _hashes(epoch: Epoch) -> tuple[str, ...]:
    stored: tuple[Artifact, ...] = (epoch.artifact, *epoch.samples)
    return tuple(artifact.sha256 for artifact in stored)
