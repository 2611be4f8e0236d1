"""Characters: who is depicted, with traits that captions say, and what was made of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from core.domain.account import Actor
from core.domain.character import (
    Character,
    Trait,
    TraitCategory,
    category_name,
    character_name,
    owned,
    trait_value,
)
from core.domain.dataset import Dataset, Scope
from core.domain.errors import NameTaken, NotFound, NothingToDo
from core.domain.minors import require_grown
from core.domain.model import Model
from core.domain.purge import free_name
from core.domain.trigger import folded, guarded
from core.domain.value import Value
from core.kinds import captioning
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store

Expecting = Callable[[Character], None] | None


class CharacterView(Value):
    """A character with its datasets, and the models that were trained on them or have its trigger word."""

    character: Character
    datasets: tuple[Dataset, ...]
    models: tuple[Model, ...]


class Changed(Value):
    """A character before and after a change, and its datasets, whose captions may still say what was before."""

    before: Character
    character: Character
    datasets: tuple[Dataset, ...]


@dataclass(frozen=True, kw_only=True)
class Characters:
    """Who is depicted. `presets` are the categories of traits that there are for everyone, by id."""

    store: Store
    clock: Clock
    ids: Ids
    presets: Mapping[str, TraitCategory]

    async def create(self, actor: Actor, *, name: str, trigger: str) -> CharacterView:
        """Invent a character; the actor's datasets of its trigger word are its own from now on.

        Raises:
            BadValue: The name cannot be one.
            BadTrigger: The trigger word cannot be one.
            NameTaken: The actor has a character of this name or trigger word.
        """
        now = self.clock.now()
        wished = character_name(name)
        character = Character(
            id=self.ids.new(),
            owner=actor.account,
            name=wished,
            folded=folded(wished),
            trigger=guarded(trigger),
            created_at=now,
            updated_at=now,
        )

        async def work(tx: Repositories) -> CharacterView:
            await _require_free(tx, character)
            await tx.characters.add(character)
            await self._adopted(tx, character)
            return await _viewed(tx, character)

        return await self.store.transact(work)

    async def list(self, actor: Actor) -> Sequence[CharacterView]:
        """The actor's characters by name."""
        return [await _viewed(self.store, one) for one in await self.store.characters.owned(actor.account)]

    async def known(self, actor: Actor) -> Sequence[Character]:
        """The same without what was made of them."""
        return await self.store.characters.owned(actor.account)

    async def view(self, actor: Actor, character: str) -> CharacterView:
        """A character with its datasets and models.

        Raises:
            NotFound: There is no such character of this actor.
        """
        found = owned(await self.store.characters.find(character), actor.account, name=character)
        return await _viewed(self.store, found)

    async def edit(
        self,
        actor: Actor,
        character: str,
        *,
        name: str | None = None,
        trigger: str | None = None,
        active: bool | None = None,
        expecting: Expecting = None,
    ) -> Changed:
        """Change what is given; its datasets follow its trigger word, its captions and models stay.

        `expecting` looks at it as it is before the change, and raises where that is not what the change was made of.

        Raises:
            BadValue: The name cannot be one.
            BadTrigger: The trigger word cannot be one.
            NameTaken: Another character of the actor has the name or the trigger word.
            MinorsGuarded: It is of age, and the name or the trigger word says otherwise.
            NotFound: There is no such character of this actor.
        """
        called = None if name is None else character_name(name)
        word = None if trigger is None else guarded(trigger)

        async def work(tx: Repositories) -> Changed:
            before = owned(await tx.characters.find(character), actor.account, name=character)
            if expecting:
                expecting(before)
            after = before.edited(name=called, trigger=word, active=active, now=self.clock.now())
            await _require_free(tx, after)
            return await self._saved(tx, before, after)

        return await self.store.transact(work)

    async def trait(self, actor: Actor, character: str, *, category: str, value: str) -> Changed:
        """Give a character a trait, in the place of the one of this category where there is one.

        Raises:
            BadValue: The category or the value cannot be one, or there are too many.
            MinorsGuarded: It says a young age.
            NotFound: There is no such character of this actor.
        """

        def given(found: Character) -> Character:
            trait = self._trait(category, trait_value(value))
            require_grown(trait.value, trait.phrase, f"{trait.category} {trait.value}")
            return found.with_trait(trait, now=self.clock.now())

        return await self._changed(actor, character, given)

    async def untrait(self, actor: Actor, character: str, *, category: str) -> Changed:
        """Take a trait away.

        Raises:
            NothingToDo: It has none of this category.
            NotFound: There is no such character of this actor.
        """

        def without(found: Character) -> Character:
            if found.trait(category) is None:
                raise NothingToDo(why=f"«{found.name}» has no trait «{category}».")
            return found.without_trait(category, now=self.clock.now())

        return await self._changed(actor, character, without)

    async def describe(
        self, actor: Actor, character: str, traits: Mapping[str, str], *, expecting: Expecting = None
    ) -> Changed:
        """Give a character many traits at once, by category; an empty value takes the trait away, others stay.

        `expecting` looks at it as it is before the change, and raises where that is not what the change was made of.

        Raises:
            BadValue: A category or a value cannot be one, or there are too many.
            MinorsGuarded: One says a young age.
            NotFound: There is no such character of this actor.
        """
        wished = [self._trait(category, trait_value(value)) for category, value in traits.items() if value.strip()]
        for trait in wished:
            require_grown(trait.value, trait.phrase, f"{trait.category} {trait.value}")
        gone = [category for category, value in traits.items() if not value.strip()]

        def described(found: Character) -> Character:
            if expecting:
                expecting(found)
            left = reduce(lambda one, category: one.without_trait(category, now=self.clock.now()), gone, found)
            return reduce(lambda one, trait: one.with_trait(trait, now=self.clock.now()), wished, left)

        return await self._changed(actor, character, described)

    async def attest(self, actor: Actor, character: str, *, words: str) -> Changed:
        """Attest that a character is somebody of age, in words of a version.

        Raises:
            CharacterNotAdult: These are not the words that are asked for now.
            MinorsGuarded: Its name, its trigger word or a trait says otherwise.
            NotFound: There is no such character of this actor.
        """

        def attested(found: Character) -> Character:
            return found.attested(words, by=actor.account, now=self.clock.now())

        return await self._changed(actor, character, attested)

    async def delete(self, actor: Actor, character: str) -> CharacterView:
        """Put a character and its datasets out of sight, and return what they were; models stay.

        Raises:
            NotFound: There is no such character of this actor.
        """
        now = self.clock.now()

        async def work(tx: Repositories) -> CharacterView:
            found = owned(await tx.characters.find(character), actor.account, name=character)
            gone = await _viewed(tx, found)
            await tx.characters.save(found.deleted(now=now))
            await tx.datasets.save_all([dataset.deleted(now=now) for dataset in gone.datasets])
            return gone

        return await self.store.transact(work)

    async def deleted(self, actor: Actor) -> Sequence[Character]:
        """The actor's deleted characters, the latest first."""
        return await self.store.characters.deleted(actor.account)

    async def restore(self, actor: Actor, character: str) -> CharacterView:
        """Bring a character back, with the datasets that went with it and are not purged.

        Raises:
            NameTaken: Another one has its name or its trigger word by now.
            NotFound: There is no such deleted character of this actor.
        """
        now = self.clock.now()

        async def work(tx: Repositories) -> CharacterView:
            found = await tx.characters.find(character)
            if found is None or found.owner != actor.account or found.deleted_at is None:
                raise NotFound(noun="deleted character", name=character, hint="See `character restore`.")
            back = found.restored(now=now)
            await _require_free(tx, back)
            await tx.characters.save(back)
            taken = {one.folded for one in await tx.datasets.owned(actor.account, limit=0)}
            for dataset in await tx.datasets.listed(actor.account, Scope.DELETED, limit=0):
                if dataset.character == back.id and dataset.deleted_at == found.deleted_at:
                    again = dataset.restored(free_name(dataset.name, taken), now=now)
                    await tx.datasets.save(again)
                    taken.add(again.folded)
            return await _viewed(tx, back)

        return await self.store.transact(work)

    async def _changed(self, actor: Actor, character: str, change: Callable[[Character], Character]) -> Changed:
        async def work(tx: Repositories) -> Changed:
            before = owned(await tx.characters.find(character), actor.account, name=character)
            return await self._saved(tx, before, change(before))

        return await self.store.transact(work)

    async def _saved(self, tx: Repositories, before: Character, after: Character) -> Changed:
        if after.adult:
            require_grown(after.name, after.trigger, *after.phrases)
        await tx.characters.save(after)
        return Changed(before=before, character=after, datasets=await self._adopted(tx, after))

    async def _adopted(self, tx: Repositories, character: Character) -> tuple[Dataset, ...]:
        """The datasets of a character, and those of its trigger word that are nobody's, all told what it is now."""
        living = {one.id for one in await tx.characters.owned(character.owner)}
        every = await tx.datasets.owned(character.owner, limit=0)
        found = [
            one.but(character=character.id, trigger=character.trigger)
            for one in every
            if one.character == character.id or (one.trigger == character.trigger and one.character not in living)
        ]
        now = self.clock.now()
        return tuple([await captioning.renewed(tx, one, await tx.items.of(one.id), now=now) for one in found])

    def _trait(self, category: str, value: str) -> Trait:
        preset = self.presets.get(category)
        if preset:
            return Trait(category=category, value=value, phrase=preset.said(value))
        return Trait(category=category_name(category), value=value, phrase=value)


async def _viewed(tx: Repositories, character: Character) -> CharacterView:
    datasets = await tx.datasets.of_character(character.id)
    runs = {run.id for dataset in datasets for run in await tx.runs.of_dataset(dataset.id)}
    models = await tx.models.owned(character.owner, limit=0)
    own = [model for model in models if model.trigger == character.trigger or model.run in runs]
    return CharacterView(character=character, datasets=tuple(datasets), models=tuple(own))


async def _require_free(tx: Repositories, character: Character) -> None:
    """Let a name and a trigger word pass that no other character of the owner has."""
    named = await tx.characters.named(character.owner, character.folded)
    if named and named.id != character.id:
        raise NameTaken(noun="character", name=character.name)
    called = await tx.characters.triggered(character.owner, character.trigger)
    if called and called.id != character.id:
        raise NameTaken(noun="character with the trigger word", name=character.trigger)
