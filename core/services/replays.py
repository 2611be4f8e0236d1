"""Replays: each key of an account is answered once, and then with the same words."""

from dataclasses import dataclass

from core.domain.account import Actor
from core.domain.replay import Answer, Replay, opened
from core.ports.clock import Clock
from core.ports.store import Repositories, Store


@dataclass(frozen=True, kw_only=True)
class Replays:
    """What requests with a key are checked against."""

    store: Store
    clock: Clock

    async def begin(self, actor: Actor, key: str, *, asked: str) -> Replay:
        """Take a key for a request; where it comes again, the replay has the answer.

        `asked` is a digest of everything that the request says.

        Raises:
            KeyReused: The key was used for something else.
            KeyInUse: The first request is still under way.
        """
        now = self.clock.now()
        fresh = opened(actor.account, key, asked=asked, now=now)

        async def work(tx: Repositories) -> Replay:
            found = await tx.replays.find(fresh.id)
            taken = found.again(asked, now=now) if found and found.expires_at > now else fresh
            await tx.replays.save(taken)
            return taken

        return await self.store.transact(work)

    async def answered(self, replay: Replay, answer: Answer) -> None:
        """Keep the answer for whoever asks again."""
        await self.store.replays.save(replay.answered(answer))

    async def dropped(self, replay: Replay) -> None:
        """Forget a request that came to nothing, so that it can be tried anew, unless somebody else is at it by now."""

        async def work(tx: Repositories) -> None:
            if await tx.replays.find(replay.id) == replay:
                await tx.replays.remove(replay.id)

        await self.store.transact(work)
