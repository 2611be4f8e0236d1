"""Generations: pictures from a prompt that calls models by trigger word or name, and what becomes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.account import Actor, Place
from core.domain.community import of_place
from core.domain.errors import KeyReused, NotFound, NothingToDo, NoTrigger, OfferingClosed
from core.domain.generation import Adapter, Generation, checked_seed, digest, negative, owned, prompt, seen
from core.domain.job import Job
from core.domain.model import Model
from core.domain.offering import Offering, configured
from core.domain.order import drawing
from core.domain.prompt import Index, Resolution, resolved, spoken
from core.domain.rating import Rating
from core.domain.royalty import Terms
from core.domain.switch import is_on, of_offering
from core.domain.value import Value
from core.kinds import enqueue, generation
from core.ports.clock import Clock, Ids
from core.ports.store import PAGE, Repositories, Store


class Wish(Value):
    """What somebody wants to see. What is left out is as the offering has it; sizes are in pixels.

    `offering` names the base to draw on, where it is not that of the first model.
    """

    text: str
    negative: str = ""
    count: int = 1
    seed: int | None = None
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance: float | None = None
    offering: str | None = None


class Ordered(Value):
    """The job that draws, and how the prompt was understood."""

    job: Job
    generation: Generation


class Unclear(Value):
    """A word that several models answer to with equal right, and those models: nothing was ordered."""

    text: str
    said: str
    models: tuple[Model, ...]


class Assignment(Value):
    """Everything a worker needs to make the pictures; the models are those of the adapters, in their order."""

    generation: Generation
    models: tuple[Model, ...]
    offering: Offering


@dataclass(frozen=True, kw_only=True)
class Generations:
    """Using models. `offerings` are those of the configuration, by id; `cap` and `holding_days` go into the terms."""

    store: Store
    clock: Clock
    ids: Ids
    offerings: Mapping[str, Offering]
    cap: int
    holding_days: int

    async def order(self, actor: Actor, wish: Wish, *, place: Place, key: str) -> Ordered | Unclear:
        """Ask for pictures: hold, job and card in one transaction; the same key again gives the same job.

        Raises:
            BadValue: The prompt, a weight, the count, the seed or a size cannot be.
            NoTrigger: No word of the prompt calls a model that the actor may use, and no base is named.
            NotFound: A tag names a model that is not there for the actor.
            WrongFamily: A tag or a name means a model that does not fit the base.
            NotHere, NotAdult: A model is for adults, and the place is not, or no moderator has verified the actor.
            MinorsGuarded: It is for adults, or explicit, and has a word of young age.
            OfferingClosed: The offering is turned off, or gone from the configuration.
            NotEnoughPoints: The wallet does not cover the price; nothing is written.
            KeyReused: The key stands for another request.
        """
        wish = wish.but(text=prompt(wish.text), negative=negative(wish.negative))
        request = digest(wish.model_dump_json(exclude_defaults=True))
        if known := await _before(self.store, actor, key, request):
            return known
        wanted = await self._wanted(actor, wish, place, request=request)
        return wanted if isinstance(wanted, Unclear) else await self._queue(actor, wanted, place=place, key=key)

    async def plan(self, actor: Actor, wish: Wish, *, place: Place) -> Ordered | Unclear:
        """What an order would be, and cost: nothing is ordered. Raises as an order does."""
        wish = wish.but(text=prompt(wish.text), negative=negative(wish.negative))
        wanted = await self._wanted(actor, wish, place)
        if isinstance(wanted, Unclear):
            return wanted
        allowed = await self._allowed(self.store, actor, wanted, place)
        job = drawing(allowed, configured(self.offerings, allowed.offering), key=allowed.id)
        return Ordered(job=job, generation=allowed)

    async def _wanted(self, actor: Actor, wish: Wish, place: Place, *, request: str = "") -> Generation | Unclear:
        models, read = await self._read(actor, wish.text, wish.offering, place)
        if unclear := next(iter(read.conflicts), None):
            return Unclear(text=wish.text, said=unclear.said, models=tuple(models[name] for name in unclear.models))
        called = [(models[call.model], call.percent) for call in read.calls if call.percent]
        if not (called or wish.offering):
            raise NoTrigger(hint="Put one into it (see `model list`), or say on which base to draw without.")
        return Generation(
            owner=actor.account,
            text=wish.text,
            prompt=read.text,
            request=request,
            negative=wish.negative,
            adapters=tuple(
                Adapter(model=model.id, owner=model.owner, name=model.name, percent=percent)
                for model, percent in called
            ),
            trace=read.trace,
            **self._facts(wish.offering or called[0][0].offering, dict(wish), seed=wish.seed),
        )

    async def again(self, actor: Actor, job: str, *, place: Place, key: str) -> Ordered:
        """Draw the same wish with the same models and a new seed, at the price and by the rules of now.

        Raises:
            NotFound: It is not the actor's, or a model is no longer there for the actor.
            BadValue, NotHere, NotAdult, MinorsGuarded, OfferingClosed, NotEnoughPoints, KeyReused: As for an order.
        """
        request = digest("again", job)
        if known := await _before(self.store, actor, key, request):
            return known
        made = owned(await self.store.generations.find(job), actor, name=job)
        wanted = made.anew(request=request, **self._facts(made.offering, dict(made)))
        return await self._queue(actor, wanted, place=place, key=key)

    async def vary(self, actor: Actor, job: str, *, picture: int, strength: int, place: Place, key: str) -> Ordered:
        """Draw one of its pictures (counted from 1) once more, changed by so many percent; else as `again`.

        Raises:
            NotFound: It is not the actor's, or a model is no longer there for the actor.
            NothingToDo: It has no pictures.
            BadValue, NotHere, NotAdult, MinorsGuarded, OfferingClosed, NotEnoughPoints, KeyReused: As for an order.
        """
        request = digest("vary", job, picture, strength)
        if known := await _before(self.store, actor, key, request):
            return known
        made = owned(await self.store.generations.find(job), actor, name=job)
        facts = self._facts(made.offering, dict(made) | {"count": 1})
        wanted = made.varied(picture, strength=strength, request=request, **facts)
        return await self._queue(actor, wanted, place=place, key=key)

    async def list(self, actor: Actor, *, after: str = "", limit: int = PAGE) -> Sequence[Generation]:
        """The actor's generations, newest first, from after one on.

        Raises:
            NotFound: There is no such generation of this actor to go on after.
        """
        return await self.store.generations.owned(actor.account, after=after, limit=limit)

    async def view(self, actor: Actor, job: str) -> Ordered:
        """A generation with its job.

        Raises:
            NotFound: There is none for this actor; moderators see everybody's.
        """
        made = seen(await self.store.generations.find(job), actor, name=job)
        return Ordered(job=await self.store.jobs.get(job), generation=made)

    async def rate(self, actor: Actor, job: str, *, stars: int, words: str) -> Generation:
        """Note what its owner thinks of it; said again, that counts.

        Raises:
            NotFound: It is not the actor's.
            NothingToDo: It has no pictures.
            BadValue: There are not so many stars, or it is too many words.
        """

        async def work(tx: Repositories) -> Generation:
            rated = owned(await tx.generations.find(job), actor, name=job).rated(stars, words)
            await tx.generations.save(rated)
            return rated

        return await self.store.transact(work)

    async def delete(self, actor: Actor, job: str) -> Generation:
        """Put a generation out of sight and let its pictures go; the ledger keeps what was paid.

        Raises:
            NotFound: It is not the actor's.
            NothingToDo: Its job has not ended.
        """
        now = self.clock.now()

        async def work(tx: Repositories) -> Generation:
            made = owned(await tx.generations.find(job), actor, name=job)
            if not (await tx.jobs.get(job)).state.ended:
                raise NothingToDo(why=f"It is still being drawn. Cancel it first: `train cancel {job}`.")
            await tx.references.forget(*made.files)
            gone = made.deleted(now=now)
            await tx.generations.save(gone)
            return gone

        return await self.store.transact(work)

    async def assignment(self, job: Job) -> Assignment:
        """What a worker needs to make the pictures of a job.

        Raises:
            OfferingClosed: The offering is gone from the configuration.
        """
        payload = generation.Payload.model_validate(job.payload)
        wanted = await self.store.generations.get(payload.generation)
        models = [await self.store.models.get(adapter.model) for adapter in wanted.adapters]
        return Assignment(generation=wanted, models=tuple(models), offering=configured(self.offerings, wanted.offering))

    async def _read(
        self, actor: Actor, line: str, offering: str | None, place: Place
    ) -> tuple[Mapping[str, Model], Resolution]:
        """The models that a prompt may mean, by id, and what it means."""
        family = configured(self.offerings, offering).base.family if offering else None
        name = of_place(place)
        community = await self.store.communities.find(name) if name else None
        pins = community.pins if community else {}
        words, slugs = spoken(line)
        pinned = {pins[word] for word in words & pins.keys()}
        usable = await self.store.models.called(words, slugs | pinned, account=actor.account)
        read = resolved(line, Index(usable), asker=actor.account, family=family, pins=pins)
        return {model.id: model for model in usable}, read

    def _facts(self, offering: str, wished: Mapping[str, Any], *, seed: int | None = None) -> dict[str, Any]:
        """What an order is given now: a name, sizes within bounds, a seed, the terms of the royalties."""
        bounds = configured(self.offerings, offering).drawing
        settled = bounds.settled(wished)
        return {
            "id": self.ids.new(),
            "offering": offering,
            "seed": self.ids.seed() if seed is None else checked_seed(seed, count=settled["count"]),
            "terms": Terms(percent=bounds.royalty, cap=self.cap, holding_days=self.holding_days),
            "created_at": self.clock.now(),
            **settled,
        }

    async def _queue(self, actor: Actor, wanted: Generation, *, place: Place, key: str) -> Ordered:
        """Order a generation, where it is still allowed when it comes to that."""
        await self._allowed(self.store, actor, wanted, place)

        async def work(tx: Repositories) -> Ordered:
            if known := await _before(tx, actor, key, wanted.request):
                return known
            allowed = await self._allowed(tx, actor, wanted, place)
            if allowed.source:
                await tx.references.refer(allowed.source.sha256)
            await tx.generations.add(allowed)
            payload = generation.Payload(generation=allowed.id)
            job = drawing(allowed, configured(self.offerings, allowed.offering), key=key)
            return Ordered(job=await enqueue(tx, payload, job=job, place=place), generation=allowed)

        return await self.store.transact(work)

    async def _allowed(self, tx: Repositories, actor: Actor, wanted: Generation, place: Place) -> Generation:
        """The generation with the rating of its models, where the actor may use them and the place shows that.

        Raises:
            OfferingClosed: The offering is turned off.
            NotFound: A model is not there for the actor; its present name is said to nobody else.
            NotHere, NotAdult, MinorsGuarded: The place, the actor or the prompt is not fit for that rating.
        """
        if not is_on(await tx.switches.find(of_offering(wanted.offering))):
            raise OfferingClosed(offering=wanted.offering, why="it is turned off for now")
        rating = wanted.rating
        for adapter in wanted.adapters:
            model = await tx.models.find(adapter.model)
            if model is None or not model.usable_by(actor.account):
                said = next((step.said for step in wanted.trace if step.model == adapter.name), wanted.text)
                name = model.name if model and model.visible_to(actor) else said
                raise NotFound(noun="model", name=name, hint="You can use it no longer: order anew with `imagine`.")
            rating = Rating.strictest(rating, model.rating)
        return wanted.fit(rating, actor=actor, place=place)


async def _before(tx: Repositories, actor: Actor, key: str, request: str) -> Ordered | None:
    """What was ordered under the same key already, if there is such an order.

    Raises:
        KeyReused: The key stands for another request, or somebody else's.
    """
    job = await tx.jobs.keyed(key)
    if job is None:
        return None
    known = await tx.generations.find(job.id)
    if known is None or (known.owner, known.request) != (actor.account, request):
        raise KeyReused(key=key)
    return Ordered(job=job, generation=known)
