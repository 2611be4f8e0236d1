"""Generations: pictures from a prompt whose trigger word calls a model."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.account import Actor, Place
from core.domain.errors import BadValue, NoTrigger, OfferingClosed
from core.domain.generation import Generation, checked_seed, prompt
from core.domain.job import Job, asked
from core.domain.model import Model
from core.domain.offering import Generation as Bounds
from core.domain.offering import Offering
from core.domain.trigger import resolved, words
from core.domain.value import Value
from core.kinds import asked_before, enqueue, generation
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


class Assignment(Value):
    """Everything a worker needs to make the pictures."""

    generation: Generation
    model: Model
    offering: Offering


@dataclass(frozen=True, kw_only=True)
class Generations:
    """Using a model. `offerings` are those of the configuration, by id."""

    store: Store
    clock: Clock
    ids: Ids
    offerings: Mapping[str, Offering]

    async def order(
        self, actor: Actor, *, text: str, count: int, seed: int | None, place: Place, key: str
    ) -> tuple[Job, Model]:
        """Ask for pictures: hold, job and card in one transaction; the same key again gives the same job.

        Raises:
            BadValue: The prompt, the count or the seed cannot be.
            NoTrigger: No word of the prompt calls a model that the actor may use.
            NotHere: The model is for adults, and the place is not.
            OfferingClosed: The model's offering is gone from the configuration.
            NotEnoughPoints: The wallet does not cover the price; nothing is written.
            KeyReused: The key stands for another request.
        """
        line = prompt(text)
        model = await self._called(actor, line)
        place.require(model.rating)
        offering = self._offered(model.offering)
        bounds, chosen = offering.generation, self.ids.seed() if seed is None else checked_seed(seed)
        if not 1 <= count <= bounds.most:
            raise BadValue(what="count", value=str(count), why=f"{offering.title} makes 1 to {bounds.most} pictures")
        job = asked(
            "generation",
            id=self.ids.new(),
            key=key,
            owner=actor.account,
            subject=model.id,
            title=line[:60],
            price=bounds.price * count,
            labels=offering.labels,
            now=self.clock.now(),
        )
        wanted = _wanted(job, model, bounds, line=line, seed=chosen, count=count)

        async def work(tx: Repositories) -> Job:
            if again := await asked_before(tx, job):
                return again
            await tx.generations.add(wanted)
            return await enqueue(tx, generation.Payload(generation=wanted.id), job=job, place=place)

        return await self.store.transact(work), model

    async def assignment(self, job: Job) -> Assignment:
        """What a worker needs to make the pictures of a job.

        Raises:
            OfferingClosed: The model's offering is gone from the configuration.
        """
        payload = generation.Payload.model_validate(job.payload)
        wanted = await self.store.generations.get(payload.generation)
        model = await self.store.models.get(wanted.model)
        return Assignment(generation=wanted, model=model, offering=self._offered(model.offering))

    async def find(self, job: str) -> Generation | None:
        """The generation of a job, where it is one."""
        return await self.store.generations.find(job)

    async def _called(self, actor: Actor, line: str) -> Model:
        usable = await self.store.models.called(words(line), account=actor.account)
        model = resolved(line, usable, asker=actor.account)
        if model is None:
            hint = "Put a model's trigger word into the prompt; see `model list`."
            raise NoTrigger(hint=hint)
        return model

    def _offered(self, offering: str) -> Offering:
        if offering not in self.offerings:
            raise OfferingClosed(offering=offering, why="its file is no longer in the configuration")
        return self.offerings[offering]


def _wanted(job: Job, model: Model, bounds: Bounds, *, line: str, seed: int, count: int) -> Generation:
    return Generation(
        id=job.id,
        owner=job.owner,
        model=model.id,
        model_owner=model.owner,
        prompt=line,
        seed=seed,
        steps=bounds.steps,
        guidance=bounds.guidance,
        size=bounds.size,
        count=count,
        rating=model.rating,
        created_at=job.created_at,
    )
