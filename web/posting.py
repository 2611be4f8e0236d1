"""The poster's rounds: what is due goes to webhooks, for ever, a task for each webhook."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from core.domain.errors import Unavailable
from core.domain.webhook import Post
from core.ports.posters import Poster
from core.services.webhooks import Webhooks

TOGETHER = 16  # webhooks that are sent to at a time
WINDOW = 100  # posts that are looked at in one round
LONGEST = 30.0  # seconds between two rounds while the database is away
FAREWELL = 2.0  # seconds for what is being sent when the process has to stop

log = structlog.get_logger()


async def posting(webhooks: Webhooks, poster: Poster, *, stop: asyncio.Event, poll: float = 1.0) -> None:
    """Send until `stop` is set; whatever goes wrong on the way is survived."""
    rounds = Rounds(webhooks, poster)
    pause = poll
    try:
        while not stop.is_set():
            pause = poll if await rounds.begin() else min(2 * pause, LONGEST)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
    finally:
        await rounds.leave()


class Rounds:
    """Sends what is due. A webhook is served by one task at a time, in order, so that a slow one holds up no other."""

    def __init__(self, webhooks: Webhooks, poster: Poster) -> None:
        self._webhooks = webhooks
        self._poster = poster
        self._busy: dict[str, asyncio.Task[None]] = {}

    async def once(self) -> None:
        """One round: send everything that is due now."""
        await self.begin()
        await self._served()

    async def begin(self) -> bool:
        """Begin with what is due at webhooks that nothing is being sent to; False when it cannot be known."""
        free = TOGETHER - len(self._busy)
        if not free:
            return True
        try:
            due = await self._webhooks.due(apart_from=tuple(self._busy), limit=WINDOW)
        except Unavailable as error:
            log.warning("posting.waits", why=str(error))
            return False
        except Exception:
            log.exception("posting.broke")
            return False
        for webhook in list(dict.fromkeys(post.webhook for post in due))[:free]:
            posts = [post for post in due if post.webhook == webhook]
            self._busy[webhook] = asyncio.create_task(self._serve(webhook, posts))
        return True

    async def leave(self) -> None:
        """Finish what is being sent, if that does not take long; the rest is sent again by whoever comes next."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await self._served()
        for task in self._busy.values():
            task.cancel()
        await self._served()

    async def _served(self) -> None:
        if self._busy:
            await asyncio.wait(list(self._busy.values()))

    async def _serve(self, webhook: str, posts: Sequence[Post]) -> None:
        try:
            for post in posts:
                await self._send(post)
        finally:
            del self._busy[webhook]

    async def _send(self, post: Post) -> None:
        """Send one post; what breaks stays claimed for a while, and is tried again after that."""
        try:
            sent = await self._webhooks.send(post, self._poster)
        except Unavailable as error:
            log.warning("posting.waits", why=str(error))
        except Exception:
            log.exception("posting.broke", post=post.id)
        else:
            if sent:
                log.info("post.sent", post=sent.id, webhook=sent.webhook, attempt=sent.attempts, state=sent.state)
