"""Reviews: what people say of captions, one after the other, until none is pending."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.account import Actor, Role
from core.domain.caption import CaptionReview
from core.domain.dataset import Dataset, seen
from core.domain.errors import NotFound, NothingToDo, Outdated
from core.domain.item import Item
from core.domain.value import Value
from core.ports.store import Repositories, Store


class Reviewing(Value):
    """How far the reviews of a dataset are, a picture with a caption to look at, and the next one that is pending."""

    dataset: Dataset
    counts: Mapping[CaptionReview, int]
    item: Item | None
    following: Item | None


@dataclass(frozen=True, kw_only=True)
class Reviews:
    """A second look at captions: by the owner of a dataset, those it is shared with, and moderators."""

    store: Store

    async def view(self, actor: Actor, dataset: str, *, item: str | None = None, after: int = -1) -> Reviewing:
        """How far the reviews are, and this picture, or the next one after a position that is pending.

        Raises:
            NotFound: There is no such dataset for this actor to review.
        """
        found = _reviewable(await self.store.datasets.find(dataset), actor, name=dataset)
        captioned = [(one, caption) for one in await self.store.items.of(dataset) if (caption := found.caption_of(one))]
        pending = [one for one, caption in captioned if caption.review is CaptionReview.PENDING]
        asked = next((one for one, _ in captioned if one.id == item), None)
        shown = asked or _next(pending, after=after)
        others = [one for one in pending if one != shown]
        return Reviewing(
            dataset=found,
            counts=Counter(caption.review for _, caption in captioned),
            item=shown,
            following=_next(others, after=shown.position) if shown else None,
        )

    async def review(
        self, actor: Actor, item: Item, review: CaptionReview, *, note: str = "", version: int | None = None
    ) -> Item:
        """Say what one thinks of a caption, of the version that was seen where it is named.

        Raises:
            BadValue: The note is very long.
            NothingToDo: There is no caption.
            Outdated: The caption has changed since.
            NotFound: There is no such dataset for this actor to review.
        """

        async def work(tx: Repositories) -> Item:
            dataset = _reviewable(await tx.datasets.find(item.dataset), actor, name=item.dataset)
            current = await tx.items.get(item.id)
            caption = dataset.caption_of(current)
            if caption is None:
                raise NothingToDo(why=f"{item.artifact.name} has no caption.")
            if version not in {None, caption.version}:
                raise Outdated(what=f"The caption of {item.artifact.name}")
            judged = caption.reviewed(review, note=note, by=actor.account)
            await tx.captions.save(judged)
            await tx.items.save(current.captioned(judged))
            return current.captioned(judged)

        return await self.store.transact(work)


def _reviewable(found: Dataset | None, actor: Actor, *, name: str) -> Dataset:
    dataset = seen(found, actor, name=name)
    if actor.account not in {dataset.owner, *dataset.shared} and not actor.role.covers(Role.MODERATOR):
        hint = "Its captions are reviewed by its owner, those it is shared with, and moderators."
        raise NotFound(noun="dataset", name=name, hint=hint)
    return dataset


def _next(pending: Sequence[Item], *, after: int) -> Item | None:
    """The first of them after a position, else the first."""
    return next((item for item in pending if item.position > after), next(iter(pending), None))
