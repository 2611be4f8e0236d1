"""Items: the pictures of a dataset, some at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.account import Actor
from core.domain.conversation import Part
from core.domain.dataset import seen
from core.domain.errors import NotFound
from core.domain.item import Item
from core.ports.store import PAGE, Store


@dataclass(frozen=True, kw_only=True)
class Items:
    """What is in datasets, for whoever may look at them."""

    store: Store

    async def list(self, actor: Actor, dataset: str, *, after: int = -1, limit: int = PAGE) -> Sequence[Item]:
        """The pictures of a dataset in order, from after a position on.

        Raises:
            NotFound: There is no such dataset for this actor.
        """
        seen(await self.store.datasets.find(dataset), actor, name=dataset)
        return await self.store.items.of(dataset, after=after, limit=limit)

    async def view(self, actor: Actor, dataset: str, item: str) -> Item:
        """One picture.

        Raises:
            NotFound: There is no such picture, or no such dataset for this actor.
        """
        seen(await self.store.datasets.find(dataset), actor, name=dataset)
        found = await self.store.items.find(item)
        if found is None or found.dataset != dataset:
            raise NotFound(noun="picture", name=item, hint="See `dataset view`.")
        return found

    async def parts(self, actor: Actor, dataset: str) -> Sequence[Part]:
        """The parts that the conversations of a dataset are stored in.

        Raises:
            NotFound: There is no such dataset for this actor.
        """
        seen(await self.store.datasets.find(dataset), actor, name=dataset)
        return await self.store.parts.of(dataset)
