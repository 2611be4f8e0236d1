"""Conversations with a front end: buttons that outlive a restart, notices to deliver, cards to keep up to date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.account import Actor, Place, Platform
from core.domain.action import VALID_FOR, Action
from core.domain.errors import ActionGone, NotYours
from core.domain.notice import Card, Notice
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


@dataclass(frozen=True, kw_only=True)
class Conversations:
    """What a chat needs between two messages."""

    store: Store
    clock: Clock
    ids: Ids

    def token(self) -> str:
        """A token for a new button or an idempotency key for a typed command."""
        return self.ids.token()

    def expiry(self) -> datetime:
        """When a button that is made now stops working."""
        return self.clock.now() + VALID_FOR

    async def keep(self, actions: Sequence[Action]) -> None:
        """Remember buttons until they expire."""
        for action in actions:
            await self.store.actions.add(action)

    async def pressed(self, actor: Actor, token: str) -> Action:
        """The action behind a button.

        Raises:
            ActionGone: It has expired.
            NotYours: It belongs to somebody else.
        """
        action = await self.store.actions.find(token)
        if action is None or action.expires_at <= self.clock.now():
            raise ActionGone
        if action.account != actor.account:
            raise NotYours
        return action

    async def pending(self, platform: Platform, *, chat: str | None = None) -> Sequence[Notice]:
        """Notices that wait for a front end of this platform, or for one chat of it."""
        return await self.store.notices.pending(platform, chat=chat, now=self.clock.now())

    async def take(self, notice: Notice) -> bool:
        """Claim a notice for delivery; False when another front end was faster."""

        async def work(tx: Repositories) -> bool:
            current = await tx.notices.get(notice.id)
            if current != notice:
                return False
            await tx.notices.save(current.claimed(now=self.clock.now()))
            return True

        return await self.store.transact(work)

    async def delivered(self, notice: Notice) -> None:
        """Mark a notice as standing in the chat."""

        async def work(tx: Repositories) -> None:
            await tx.notices.save((await tx.notices.get(notice.id)).delivered())

        await self.store.transact(work)

    async def cards(self, place: Place) -> Sequence[Card]:
        """The cards in a place that are still kept up to date."""
        return await self.store.cards.open_at(place)

    async def show(self, card: Card, *, shown: str, closed: bool, message: str | None = None) -> None:
        """Remember what a card says now."""
        await self.store.cards.save(card.but(shown=shown, closed=closed, message=message))
