"""The inbox: what a platform sent is kept until it is dealt with, by one process at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.inbox import KEPT, LEAD, Lead, Update
from core.ports.clock import Clock, Ids
from core.ports.store import PAGE, Repositories, Store


@dataclass(frozen=True, kw_only=True)
class Inboxes:
    """Durable reception."""

    store: Store
    clock: Clock
    ids: Ids

    async def put(self, platform: str, bodies: Mapping[int, str]) -> int:
        """Keep what came in, by its numbers; return how much of it is new, since platforms repeat themselves."""
        return await self.store.updates.put(*(self._update(platform, *one) for one in bodies.items()))

    async def claim(self, platform: str, number: int) -> bool:
        """Deal with what came in here and now, without keeping it; False where another process does."""
        return await self.store.updates.put(self._update(platform, number, "").but(done=True)) == 1

    async def waiting(self, platform: str, *, limit: int = PAGE) -> Sequence[Update]:
        """What is to be dealt with, in the platform's order."""
        return await self.store.updates.waiting(platform, limit=limit)

    async def done(self, update: Update) -> None:
        """Everything that follows from it has happened."""
        await self.store.updates.save(update.but(done=True))

    async def forget(self) -> int:
        """Let go of what was dealt with so long ago that no platform repeats it; return how many."""
        return await self.store.updates.forget(before=self.clock.now() - KEPT)

    async def lead(self, name: str, holder: str) -> bool:
        """Take or keep what only one process may do; False while another one is heard of."""

        async def work(tx: Repositories) -> bool:
            now = self.clock.now()
            known = await tx.leads.find(name)
            taken = known.taken(holder, now=now) if known else Lead(id=name, holder=holder, until=now + LEAD)
            if taken:
                await tx.leads.save(taken)
            return taken is not None

        return await self.store.transact(work)

    async def leave(self, name: str, holder: str) -> None:
        """Let another process go on at once."""

        async def work(tx: Repositories) -> None:
            known = await tx.leads.find(name)
            if known and known.holder == holder:
                await tx.leads.remove(name)

        await self.store.transact(work)

    def _update(self, platform: str, number: int, body: str) -> Update:
        name, now = f"{platform}:{number}", self.clock.now()
        return Update(id=name, platform=platform, number=number, body=body, received_at=now)
