"""Consent: who attests that a dataset may be trained on, what was made of it, and taking that back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from core.domain.account import Actor, Role
from core.domain.audit import Audit
from core.domain.consent import WORDS
from core.domain.dataset import Dataset, owned, seen
from core.domain.errors import NotFound, NothingToDo
from core.domain.item import Item
from core.domain.value import Value
from core.kinds import Kind, training
from core.kinds.training import Descendant
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


class Consent(Value):
    """How it stands with a dataset: who has attested, in which words, which pictures were withdrawn.

    `descendants` is what was made of it, for its owner and moderators.
    """

    dataset: Dataset
    attested_by: str = ""
    words: str = ""
    withdrawn: tuple[Item, ...] = ()
    descendants: tuple[Descendant, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Consents:
    """Rights and consent as data. `kinds` settle what the end of a training means, `admins` are told of changes."""

    store: Store
    clock: Clock
    ids: Ids
    kinds: Mapping[str, Kind]
    admins: Collection[str]

    async def view(self, actor: Actor, dataset: str, item: Item | None = None) -> Consent:
        """How it stands with the consent for a dataset; with an item, `descendants` is what was made of that.

        Raises:
            NotFound: There is no such dataset for this actor.
        """
        found = seen(await self.store.datasets.find(dataset), actor, name=dataset)
        told = found.owner == actor.account or actor.role.covers(Role.MODERATOR)
        made = await training.descendants(self.store, dataset, item.id if item else None) if told else ()
        given = found.attestation
        by = await self.store.accounts.find(given.by) if given else None
        return Consent(
            dataset=found,
            attested_by=by.name if by else "",
            words=WORDS[given.words] if given else "",
            withdrawn=tuple(one for one in await self.store.items.of(dataset) if one.withdrawn_at),
            descendants=tuple(made),
        )

    async def attest(self, actor: Actor, dataset: str, item: Item | None = None, *, words: str, key: str) -> Dataset:
        """Speak for a dataset, or for one withdrawn item of it again, in words of this version; once per key.

        Raises:
            NotFound: There is no such dataset of this actor, or no such item in it.
            NotAttested: These are not the words that are asked for now.
            Suspended: Somebody has reported the dataset.
        """
        now, name = self.clock.now(), f"attested:{key}"

        async def work(tx: Repositories) -> Dataset:
            found, present = await _found(tx, actor, dataset, item)
            if await tx.audits.find(name):
                return found
            spoken = found.attested(words, by=actor.account, now=now)
            await training.consent(tx, found, present)
            kept = spoken.but(revoked_at=found.revoked_at) if present else spoken
            await tx.datasets.save(kept)
            details = {"words": words} | _of(present)
            audit = Audit(id=name, actor=actor.account, act="dataset.attest", subject=dataset, details=details, at=now)
            await tx.audits.add(audit)
            return kept

        return await self.store.transact(work)

    async def withdraw(self, actor: Actor, dataset: str, item: Item | None = None, *, key: str) -> Sequence[Descendant]:
        """Take consent for a dataset, or for one item of it, back, and return what was made of it.

        Nothing is trained on it any more: trainings that go on are cancelled and paid back. Nobody can use the models
        that were made of it, whoever owns them. Their owners and the moderators are told.

        Raises:
            NotFound: There is no such dataset of this actor, or no such item in it.
            NothingToDo: It was withdrawn before.
        """
        now, name = self.clock.now(), f"withdrawn:{key}"

        async def work(tx: Repositories) -> Sequence[Descendant]:
            found, present = await _found(tx, actor, dataset, item)
            if await tx.audits.find(name):
                return await training.descendants(tx, dataset, present.id if present else None)
            if present.withdrawn_at if present else found.revoked_at:
                raise NothingToDo(why="The consent for this was withdrawn before.")
            made = await training.withdraw(
                tx, found, present, by=actor.account, kinds=self.kinds, admins=self.admins, ids=self.ids, now=now
            )
            audit = Audit(
                id=name, actor=actor.account, act="dataset.withdraw", subject=dataset, details=_of(present), at=now
            )
            await tx.audits.add(audit)
            return made

        return await self.store.transact(work)


async def _found(tx: Repositories, actor: Actor, dataset: str, item: Item | None) -> tuple[Dataset, Item | None]:
    """The actor's dataset, and its item as it is now."""
    found = owned(await tx.datasets.find(dataset), actor, name=dataset)
    present = await tx.items.find(item.id) if item else None
    if item and (present is None or present.dataset != dataset):
        raise NotFound(noun="picture", name=item.artifact.name, hint="See `dataset view`.")
    return found, present


def _of(item: Item | None) -> dict[str, str]:
    return {"picture": item.id} if item else {}
