"""Models: what came out of trainings, how it presents itself, who may use it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.domain.account import Account, Actor, Role
from core.domain.artifact import Artifact
from core.domain.errors import BadValue, NameTaken, NotThem
from core.domain.event import published
from core.domain.model import SAMPLES, Licence, Model, Scope, Search, Visibility, meant, owned, seen
from core.domain.rating import Rating
from core.domain.run import Run
from core.domain.trigger import folded
from core.domain.value import Value
from core.kinds import announce, publication, training
from core.ports.clock import Clock, Ids
from core.ports.store import PAGE, Repositories, Store

ALL = 0
Expecting = Callable[[Model], None] | None


class ModelView(Value):
    """A model with the run that made it, how often others have used it, and who keeps its trigger word instead."""

    model: Model
    run: Run
    uses: int
    keeper: Model | None = None


class Stats(Value):
    """How often others have used a model, and how many of them; the same for all that its training has made.

    `earned` is in hundredths of a qoint, and nobody's business but the owner's and moderators'.
    """

    model: Model
    uses: int
    people: int
    run_uses: int
    earned: int | None


@dataclass(frozen=True, kw_only=True)
class Models:
    """The registry of LoRAs."""

    store: Store
    clock: Clock
    ids: Ids

    async def list(
        self, actor: Actor, search: Search | None = None, *, skip: int = 0, limit: int = PAGE
    ) -> Sequence[Model]:
        """The actor's models, those that are shared with them, then public ones; each the newest first."""
        wanted, most = search or Search(), skip + limit
        sifted = ALL if wanted.narrow else most
        found: list[Model] = []
        if wanted.scope in {None, Scope.MINE}:
            found += await self.store.models.owned(actor.account, limit=sifted)
        if wanted.scope in {None, Scope.SHARED}:
            found += [one for one in await self.store.models.shared_with(actor.account, limit=sifted) if one.usable]
        found = [model for model in found if wanted.fits(model)]
        if wanted.scope in {None, Scope.PUBLIC}:
            ratings = tuple(Rating) if wanted.adult else (Rating.SFW,)
            found += await self.store.models.public(
                text=folded(wanted.text), base=wanted.base, tag=wanted.tag, ratings=ratings, limit=most
            )
        return [*{model.id: model for model in found}.values()][skip:most]

    async def called(self, actor: Actor, name: str) -> Sequence[Model]:
        """The models that an id, a name or a word means for the actor; several where none has a better right."""
        found = await self.store.models.find(name)
        if found and found.visible_to(actor):
            return [found]
        said = folded(name)
        usable = await self.store.models.called({said}, {said.rpartition("/")[2]}, account=actor.account)
        return meant(name, usable, asker=actor.account)

    async def view(self, actor: Actor, model: str) -> ModelView:
        """A model with its run, and what became of it.

        Raises:
            NotFound: There is no such model for this actor.
        """
        found = seen(await self.store.models.find(model), actor, name=model)
        tally = await self.store.usages.tally(found.id)
        keeper = await self.store.models.registered(found.trigger) if found.listed else None
        return ModelView(
            model=found,
            run=await self.store.runs.get(found.run),
            uses=tally.uses,
            keeper=keeper if keeper and keeper.id != found.id else None,
        )

    async def of_run(self, actor: Actor, run: str) -> Model:
        """The model that a training has made.

        Raises:
            NotFound: There is none for this actor.
        """
        return seen(await self.store.models.of_run(run), actor, name=run)

    async def stats(self, actor: Actor, model: str) -> Stats:
        """How much a model is used, and to its owner and moderators what it has earned.

        Raises:
            NotFound: There is no such model for this actor.
        """
        found = seen(await self.store.models.find(model), actor, name=model)
        tally = await self.store.usages.tally(found.id)
        of_run = await self.store.usages.tally_of_run(found.run)
        return Stats(
            model=found,
            uses=tally.uses,
            people=tally.people,
            run_uses=of_run.uses,
            earned=tally.share if found.owner == actor.account or actor.role.covers(Role.MODERATOR) else None,
        )

    async def publish(
        self, actor: Actor, model: str, *, visibility: Visibility = Visibility.PUBLIC, expecting: Expecting = None
    ) -> Model:
        """Let everyone use a model, where it is as expected, by its trigger word, or by its name, or only oneself.

        It is registered the first time that it is public, and that is never forgotten.

        Raises:
            NotFound: There is no such model of this actor.
            Suspended, ConsentWithdrawn: Nobody may use it.
            NotPublished: It is so already.
        """
        now = self.clock.now()
        return await self._change(actor, model, lambda found: found.shown_as(visibility, now=now), expecting=expecting)

    async def share(self, actor: Actor, model: str, account: Account) -> Model:
        """Let one account more use a model; one that has it already changes nothing.

        Raises:
            NotFound: There is no such model of this actor.
            NotThem: It is the actor's own account.
        """

        def shared(found: Model) -> Model:
            if account.id == found.owner:
                raise NotThem(name=account.name, why="the model is theirs")
            return found.shared_with(account.id)

        return await self._change(actor, model, shared)

    async def unshare(self, actor: Actor, model: str, account: Account) -> Model:
        """Take a model back from an account; one that does not have it changes nothing.

        Raises:
            NotFound: There is no such model of this actor.
        """
        return await self._change(actor, model, lambda found: found.unshared_with(account.id))

    async def readers(self, actor: Actor, model: str) -> Sequence[Account]:
        """The accounts that a model is shared with.

        Raises:
            NotFound: There is no such model of this actor.
        """
        found = owned(await self.store.models.find(model), actor, name=model)
        return [await self.store.accounts.get(account) for account in found.shared]

    async def edit(
        self,
        actor: Actor,
        model: str,
        *,
        description: str | None = None,
        licence: Licence | None = None,
        tags: Sequence[str] | None = None,
        expecting: Expecting = None,
    ) -> Model:
        """Change how a model presents itself; what is not named stays.

        `expecting` looks at it as it is before the change, and raises where that is not what the change was made of.

        Raises:
            NotFound: There is no such model of this actor.
            BadValue: The description or a tag cannot be one.
        """
        return await self._change(
            actor,
            model,
            lambda found: found.edited(description=description, licence=licence, tags=tags),
            expecting=expecting,
        )

    async def rename(self, actor: Actor, model: str, name: str, *, expecting: Expecting = None) -> Model:
        """Call a model otherwise, where it is as expected; its old names stay its own, and lead to it.

        Raises:
            NotFound: There is no such model of this actor.
            BadValue: The name cannot be one.
            NameTaken: Another model of the actor has or had this name, be it deleted.
        """

        async def work(tx: Repositories) -> Model:
            renamed = _expected(await tx.models.find(model), actor, name=model, expecting=expecting).renamed(name)
            known = await tx.models.named(actor.account, renamed.slug)
            if known and known.id != model:
                raise NameTaken(noun="model", name=renamed.slug)
            await self._save(tx, renamed)
            return renamed

        return await self.store.transact(work)

    async def samples(self, actor: Actor, model: str) -> Sequence[Artifact]:
        """The pictures that its training has made of a model, the latest first: before and after, then by epoch.

        Raises:
            NotFound: There is no such model of this actor.
        """
        return await _samples(self.store, owned(await self.store.models.find(model), actor, name=model))

    async def show(self, actor: Actor, model: str, numbers: Sequence[int], *, expecting: Expecting = None) -> Model:
        """Choose the samples that a model, where it is as expected, presents itself with, by their numbers from 1 on.

        Raises:
            NotFound: There is no such model of this actor.
            BadValue: There is no sample of a number, or there are too many.
        """
        wished = list(dict.fromkeys(numbers))

        async def work(tx: Repositories) -> Model:
            found = _expected(await tx.models.find(model), actor, name=model, expecting=expecting)
            known = await _samples(tx, found)
            most = min(SAMPLES, len(known))
            if len(wished) > most or not all(1 <= number <= len(known) for number in wished):
                why = f"there are {len(known)} samples; choose up to {most}"
                raise BadValue(what="choice", value=" ".join(map(str, wished)), why=why)
            chosen = found.but(samples=tuple(known[number - 1] for number in wished))
            await tx.references.refer(*(sample.sha256 for sample in chosen.samples))
            await tx.references.forget(*(sample.sha256 for sample in found.samples))
            await self._save(tx, chosen)
            return chosen

        return await self.store.transact(work)

    async def delete(self, actor: Actor, model: str, *, expecting: Expecting = None) -> Model:
        """Put a model that is as expected out of sight; what was ordered is still drawn, what it earned stays.

        Raises:
            NotFound: There is no such model of this actor.
        """
        now = self.clock.now()
        return await self._change(actor, model, lambda found: found.deleted(now=now), expecting=expecting)

    async def _change(
        self, actor: Actor, model: str, changed: Callable[[Model], Model], *, expecting: Expecting = None
    ) -> Model:
        async def work(tx: Repositories) -> Model:
            after = changed(_expected(await tx.models.find(model), actor, name=model, expecting=expecting))
            await self._save(tx, after)
            return after

        return await self.store.transact(work)

    async def _save(self, tx: Repositories, model: Model) -> None:
        """Save a model, and have it published anew where it presents itself otherwise than before."""
        before = await tx.models.get(model.id)
        await tx.models.save(model)
        if model.imprint != before.imprint:
            await publication.begun(tx, model, ids=self.ids, now=self.clock.now())
        if model.listed and not before.listed:
            await announce(tx, published(model, now=self.clock.now()), ids=self.ids)


def _expected(found: Model | None, actor: Actor, *, name: str, expecting: Expecting) -> Model:
    """The actor's model, where it is as the actor expects it to be."""
    model = owned(found, actor, name=name)
    if expecting:
        expecting(model)
    return model


async def _samples(tx: Repositories, model: Model) -> Sequence[Artifact]:
    job, run = await tx.jobs.find(model.run), await tx.runs.get(model.run)
    grids = [training.Result.model_validate(job.result).grid] if job and job.result else []
    return [*grids, *(sample for epoch in reversed(run.epochs) for sample in epoch.samples)]
