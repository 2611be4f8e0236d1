"""Conversations with a front end: buttons that outlive a restart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.account import Actor
from core.domain.action import VALID_FOR, Action
from core.domain.allowance import Limit, counted, window
from core.domain.errors import ActionGone, NotYours
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

    async def allow(self, actor: Actor, what: str, limit: Limit) -> None:
        """Count one more use of something that may be done only so often.

        Raises:
            TooOften: The actor has done it often enough for now; the words say how long to wait.
        """
        now = self.clock.now()
        fresh = window(f"{what}:{actor.account}", limit, now=now)

        async def work(tx: Repositories) -> None:
            await tx.allowances.save(counted(await tx.allowances.find(fresh.id) or fresh, limit, now=now))

        await self.store.transact(work)
