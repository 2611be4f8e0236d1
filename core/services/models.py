"""Models: what came out of trainings, who may use it."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.account import Actor
from core.domain.errors import NotFound
from core.domain.model import Model
from core.domain.run import Run
from core.domain.value import Value
from core.ports.clock import Clock
from core.ports.store import PAGE, Repositories, Store


class ModelView(Value):
    """A model with the run that made it."""

    model: Model
    run: Run


@dataclass(frozen=True, kw_only=True)
class Models:
    """The registry of LoRAs."""

    store: Store
    clock: Clock

    async def list(self, actor: Actor, *, limit: int = PAGE) -> Sequence[Model]:
        """The actor's models, then those of others that are public; newest first."""
        mine = await self.store.models.owned(actor.account, limit=limit)
        public = [model for model in await self.store.models.public(limit=limit) if model.owner != actor.account]
        return [*mine, *public]

    async def view(self, actor: Actor, model: str) -> ModelView:
        """A model with its run.

        Raises:
            NotFound: There is no such model for this actor.
        """
        found = await self._visible(self.store, actor, model)
        return ModelView(model=found, run=await self.store.runs.get(found.run))

    async def of_run(self, actor: Actor, run: str) -> Model:
        """The model that a training has made.

        Raises:
            NotFound: There is none for this actor.
        """
        found = await self.store.models.of_run(run)
        return await self._visible(self.store, actor, found.id if found else run)

    async def publish(self, actor: Actor, model: str) -> Model:
        """Let everyone use a model by its trigger word.

        Raises:
            NotFound: There is no such model of this actor.
            NotPublished: It is public already.
        """

        async def work(tx: Repositories) -> Model:
            found = await self._visible(tx, actor, model)
            if found.owner != actor.account:
                raise NotFound(noun="model", name=found.slug, hint="Only its owner can publish a model.")
            public = found.published(now=self.clock.now())
            await tx.models.save(public)
            return public

        return await self.store.transact(work)

    async def _visible(self, tx: Repositories, actor: Actor, model: str) -> Model:
        found = await tx.models.find(model)
        if found is None or not found.visible_to(actor):
            raise NotFound(noun="model", name=model, hint="See `model list`.")
        return found
