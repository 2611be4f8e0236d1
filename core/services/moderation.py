"""Moderation: what waits for a moderator, and what they say of it."""

from dataclasses import dataclass

from core.domain.account import Actor, Role
from core.domain.audit import Audit
from core.domain.dataset import Dataset, Review
from core.domain.dataset import seen as visible
from core.domain.errors import BadValue
from core.domain.notice import Notice, Topic
from core.domain.value import Value
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store

LENGTH = 200  # characters of a reason


class Unreviewed(Value):
    """A dataset for adults that waits, and the name of its owner."""

    dataset: Dataset
    owner: str


@dataclass(frozen=True, kw_only=True)
class Moderation:
    """The second look at pictures for adults: nothing is trained on them before."""

    store: Store
    clock: Clock
    ids: Ids

    async def waiting(self, actor: Actor) -> list[Unreviewed]:
        """The datasets that wait, the longest first.

        Raises:
            NotAllowed: The actor is no moderator.
        """
        actor.require(Role.MODERATOR)
        found = await self.store.datasets.unreviewed()
        owners = [await self.store.accounts.get(dataset.owner) for dataset in found]
        return [Unreviewed(dataset=one, owner=owner.name) for one, owner in zip(found, owners, strict=True)]

    async def approve(self, actor: Actor, dataset: str, *, seen: int, key: str) -> Dataset:
        """Let a dataset be trained on, after a look at so many pictures; the same key again changes nothing.

        Raises:
            NotAllowed: The actor is no moderator.
            NotFound: There is no such dataset.
            NothingToDo: It is for everyone.
            Outdated: Its pictures are not those any more that were seen.
        """
        return await self._review(actor, dataset, Review.APPROVED, seen=seen, note="", key=key)

    async def reject(self, actor: Actor, dataset: str, *, why: str, seen: int, key: str) -> Dataset:
        """Keep a dataset from being trained on, with words for its owner; the same key again changes nothing.

        Raises:
            NotAllowed: The actor is no moderator.
            BadValue: No reason is given, or a very long one.
            NotFound: There is no such dataset.
            NothingToDo: It is for everyone.
            Outdated: Its pictures are not those any more that were seen.
        """
        note = " ".join(why.split())
        if not 0 < len(note) <= LENGTH:
            raise BadValue(what="reason", value=note[:40], why=f"it takes 1 to {LENGTH} characters")
        return await self._review(actor, dataset, Review.REJECTED, seen=seen, note=note, key=key)

    async def _review(self, actor: Actor, dataset: str, review: Review, *, seen: int, note: str, key: str) -> Dataset:
        actor.require(Role.MODERATOR)
        now = self.clock.now()
        details = {"review": review.value, "why": note}
        audit = Audit(
            id=f"reviewed:{key}", actor=actor.account, act="admin.moderate", subject=dataset, details=details, at=now
        )

        async def work(tx: Repositories) -> Dataset:
            found = visible(await tx.datasets.find(dataset), actor, name=dataset)
            if await tx.audits.find(audit.id) or (found.review, found.review_note) == (review, note):
                return found
            reviewed = found.reviewed(review, seen=seen, note=note, now=now)
            owner = await tx.accounts.get(found.owner)
            await tx.datasets.save(reviewed)
            await tx.audits.add(audit)
            notice = Notice(
                id=audit.id,
                account=owner.id,
                place=owner.home,
                topic=Topic.REVIEWED,
                details={**details, "what": found.name},
                created_at=now,
            )
            await tx.notices.add(notice)
            return reviewed

        return await self.store.transact(work)
