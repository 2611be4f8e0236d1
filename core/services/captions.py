"""Captions: written by hand or many at once, each change a version that can be undone; and sets of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.domain.account import Actor
from core.domain.caption import (
    KEPT,
    SETS,
    CaptionSource,
    CaptionVersion,
    before,
    caption_text,
    set_name,
    succeeding,
)
from core.domain.dataset import Dataset, owned, seen
from core.domain.errors import BadValue, NameTaken, NotFound, NothingToDo, Outdated
from core.domain.item import Item
from core.domain.minors import require_fit
from core.domain.rewrite import Preview, Rewrite, previewed
from core.domain.value import Value
from core.kinds import captioning
from core.ports.clock import Clock
from core.ports.store import Repositories, Store


class History(Value):
    """The versions of one caption, the latest first, and the names of their authors and reviewers by account."""

    versions: tuple[CaptionVersion, ...]
    names: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Captions:
    """The texts that a model learns from."""

    store: Store
    clock: Clock

    async def edit(
        self, actor: Actor, item: Item, *, text: str, expecting: Callable[[CaptionVersion | None], None] | None = None
    ) -> Item:
        """Write one caption by hand, as a new version.

        `expecting` looks at the present one, and raises where that is not what the new one was made of.

        Raises:
            BadValue: Nothing is left of the text, or too much.
            NotFound: There is no such dataset for this actor.
        """
        line = caption_text(text)

        async def work(tx: Repositories) -> Item:
            dataset = await _owned(tx, actor, item.dataset)
            if expecting:
                expecting(dataset.caption_of(await tx.items.get(item.id)))
            return await self._write_one(tx, actor, dataset, item, line, source=CaptionSource.HAND)

        return await self.store.transact(work)

    async def delete(
        self, actor: Actor, item: Item, *, expecting: Callable[[CaptionVersion | None], None] | None = None
    ) -> Item:
        """Take one caption away, where it is as expected: a version without text.

        Raises:
            NothingToDo: There is none.
            NotFound: There is no such dataset for this actor.
        """

        async def work(tx: Repositories) -> Item:
            dataset = await _owned(tx, actor, item.dataset)
            present = dataset.caption_of(await tx.items.get(item.id))
            if expecting:
                expecting(present)
            if present is None:
                raise _nothing(item)
            return await self._write_one(tx, actor, dataset, item, "", source=CaptionSource.HAND)

        return await self.store.transact(work)

    async def undo(self, actor: Actor, item: Item, *, version: int | None = None) -> Item:
        """Write the text of an earlier version again, as a new one; without a number the one before, again and again.

        Raises:
            NothingToDo: There is no earlier version.
            NotFound: There is no such version, or no such dataset for this actor.
        """

        async def work(tx: Repositories) -> Item:
            dataset = await _owned(tx, actor, item.dataset)
            versions = await tx.captions.of(item.id, dataset.default_set)
            if not versions:
                raise _nothing(item)
            old = before(versions) if version is None else _numbered(versions, version)
            if old is None:
                raise NothingToDo(why=f"There is nothing before the first caption of {item.artifact.name}.")
            source = CaptionSource.UNDO
            return await self._write_one(tx, actor, dataset, item, old.text, source=source, restored=old.version)

        return await self.store.transact(work)

    async def history(self, actor: Actor, item: Item) -> History:
        """Every version of one caption.

        Raises:
            NothingToDo: There never was one.
            NotFound: There is no such dataset for this actor.
        """
        dataset = seen(await self.store.datasets.find(item.dataset), actor, name=item.dataset)
        versions = tuple(reversed(await self.store.captions.of(item.id, dataset.default_set)))
        if not versions:
            raise _nothing(item)
        people = {who for version in versions for who in (version.author, version.reviewer) if who}
        accounts = [await self.store.accounts.find(who) for who in sorted(people)]
        return History(versions=versions, names={account.id: account.name for account in accounts if account})

    async def compare(
        self, actor: Actor, item: Item, *, old: int | None = None, new: int | None = None
    ) -> tuple[CaptionVersion, CaptionVersion]:
        """Two versions of one caption: the present one and the one before it, unless others are named.

        Raises:
            NothingToDo: There are not two of them.
            NotFound: There is no such version, or no such dataset for this actor.
        """
        versions = (await self.history(actor, item)).versions
        later = versions[0] if new is None else _numbered(versions, new)
        if old is None and later.version == 1:
            raise NothingToDo(why=f"There is nothing before the first caption of {item.artifact.name}.")
        return _numbered(versions, later.version - 1 if old is None else old), later

    async def preview(self, actor: Actor, dataset: Dataset, rewrite: Rewrite) -> Preview:
        """What a change of many captions would do; nothing is changed.

        Raises:
            BadValue: A caption would become too long.
            NothingToDo: No caption would change.
            MinorsGuarded: Words of young age would be said where they cannot stand.
            NotFound: There is no such dataset for this actor.
        """
        current = await _owned(self.store, actor, dataset.id)
        require_fit(rewrite.words, rating=current.rating)
        preview = previewed(current, await self.store.items.of(current.id), rewrite)
        if not preview.changes:
            raise NothingToDo(why=f"No caption of «{current.name}» would change.")
        return preview

    async def rewrite(self, actor: Actor, dataset: Dataset, rewrite: Rewrite, *, digest: str) -> Preview:
        """Change many captions at once, exactly as a preview has shown it.

        Raises:
            Outdated: A caption has changed since, so that something else would happen.
            NotFound: There is no such dataset for this actor.
        """

        async def work(tx: Repositories) -> Preview:
            current = await _owned(tx, actor, dataset.id)
            items = await tx.items.of(current.id)
            preview = previewed(current, items, rewrite)
            if preview.digest != digest:
                raise Outdated(what=f"A caption of «{current.name}»")
            texts = {change.item.id: change.after for change in preview.changes}
            await self._write(tx, actor, current, items, texts, source=CaptionSource.BULK)
            return preview

        return await self.store.transact(work)

    async def open_set(self, actor: Actor, dataset: Dataset, *, name: str, copied: str | None = None) -> Dataset:
        """Open a caption set, empty or with the captions of another; one that was let go comes back as it was.

        Raises:
            BadValue: The name cannot be one, or there are too many.
            NameTaken: There is one of this name.
            NotFound: There is none to copy from, or no such dataset for this actor.
        """
        wished = set_name(name)

        async def work(tx: Repositories) -> Dataset:
            current = await _owned(tx, actor, dataset.id)
            if wished in current.sets:
                raise NameTaken(noun="caption set", name=wished)
            items = await tx.items.of(current.id)
            known = {wished, *current.sets, *(name for item in items for name in item.captions)}
            if len(current.sets) >= SETS or len(known) > KEPT:
                why = f"a dataset has at most {SETS}, and {KEPT} with those that were deleted"
                raise BadValue(what="caption set", value=wished, why=why)
            opened = current.but(sets=(*current.sets, wished), updated_at=self.clock.now())
            copying = _known(current, copied) if copied else ""
            texts = {item.id: caption.text for item in items if (caption := item.caption(copying))}
            await self._write(tx, actor, opened, items, texts, source=CaptionSource.BULK, set=wished)
            return opened

        return await self.store.transact(work)

    async def choose_set(self, actor: Actor, dataset: Dataset, name: str) -> Dataset:
        """Have trainings, and everything that is written, use another caption set; the doctor looks at its captions.

        Raises:
            NotFound: There is no such set, or no such dataset for this actor.
        """

        async def work(tx: Repositories) -> Dataset:
            current = await _owned(tx, actor, dataset.id)
            chosen = current.but(default_set=_known(current, name))
            return await captioning.renewed(tx, chosen, await tx.items.of(current.id), now=self.clock.now())

        return await self.store.transact(work)

    async def drop_set(self, actor: Actor, dataset: Dataset, name: str) -> Dataset:
        """Let a caption set go that is not in use; its captions are kept, should one of its name be opened again.

        Raises:
            NothingToDo: It is in use.
            NotFound: There is no such set, or no such dataset for this actor.
        """

        async def work(tx: Repositories) -> Dataset:
            current = await _owned(tx, actor, dataset.id)
            if _known(current, name) == current.default_set:
                raise NothingToDo(why=f"«{name}» is in use. Choose another set first: `caption set`.")
            left = tuple(one for one in current.sets if one != name)
            dropped = current.but(sets=left, updated_at=self.clock.now())
            await tx.datasets.save(dropped)
            return dropped

        return await self.store.transact(work)

    async def _write_one(
        self,
        tx: Repositories,
        actor: Actor,
        dataset: Dataset,
        item: Item,
        text: str,
        *,
        source: CaptionSource,
        restored: int | None = None,
    ) -> Item:
        require_fit(text, rating=dataset.rating)
        items = await tx.items.of(dataset.id)
        written = await self._write(tx, actor, dataset, items, {item.id: text}, source=source, restored=restored)
        if item.id not in written:
            raise NotFound(noun="picture", name=item.artifact.name, hint="It was removed meanwhile.")
        return written[item.id]

    async def _write(
        self,
        tx: Repositories,
        actor: Actor,
        dataset: Dataset,
        items: Sequence[Item],
        texts: Mapping[str, str],
        *,
        source: CaptionSource,
        set: str | None = None,  # noqa: A002 - the word of the domain
        restored: int | None = None,
    ) -> Mapping[str, Item]:
        """Write texts by item as new versions, and have the doctor look at the captions again."""
        name = set or dataset.default_set
        versions = [
            succeeding(
                item.captions.get(name),
                item=item.id,
                text=texts[item.id],
                author=actor.account,
                source=source,
                now=self.clock.now(),
                set=name,
                restored=restored,
            )
            for item in items
            if item.id in texts
        ]
        await captioning.written(tx, dataset, items, versions, now=self.clock.now())
        known = {item.id: item for item in items}
        return {version.item: known[version.item].captioned(version) for version in versions}


async def _owned(tx: Repositories, actor: Actor, dataset: str) -> Dataset:
    return owned(await tx.datasets.find(dataset), actor, name=dataset)


def _numbered(versions: Sequence[CaptionVersion], number: int) -> CaptionVersion:
    found = next((version for version in versions if version.version == number), None)
    if found is None:
        raise NotFound(noun="version", name=str(number), hint=f"There are 1 to {len(versions)}: `caption history`.")
    return found


def _known(dataset: Dataset, name: str) -> str:
    if name not in dataset.sets:
        raise NotFound(noun="caption set", name=name, hint=f"There are: {', '.join(dataset.sets)}.")
    return name


def _nothing(item: Item) -> NothingToDo:
    return NothingToDo(why=f"{item.artifact.name} has no caption.")
