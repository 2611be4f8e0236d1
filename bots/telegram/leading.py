"""Leading: of all replicas one deals with what came in, in order; another takes over when it is not heard of."""

import asyncio
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
import telegram
from telegram.error import NetworkError, RetryAfter
from telegram.ext import Application, ExtBot

from bots.delivery.courier import recorded
from bots.telegram.conversing import ASKING, Conversing
from bots.telegram.lanes import Lanes
from bots.telegram.meeting import PLATFORM
from bots.telegram.receiving import KINDS, Receiving, Webhook
from bots.telegram.remembering import Remembering
from core.domain.errors import DomainError, Unavailable
from core.domain.inbox import LEAD, Update
from core.ports.store import PAGE
from core.services import Services

LEADS = "telegram"  # what only one may do
HOURLY = 60  # looks at what has expired between two cleanings of the inbox

Hearing = Application[Any, Any, Any, Any, Any, Any]

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often, in seconds: poll, look for what others store, renew the lead, let go, count files, deliver."""

    poll: float = 30.0
    look: float = 0.5
    renew: float = 4.0
    tidy: float = 60.0
    count: float = 3.0
    deliver: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Leading:
    """One replica that leads when it can. `conversing` makes what hears, over the lanes of this lead."""

    services: Services
    bot: ExtBot[Any]
    conversing: Callable[[Lanes], Conversing]
    receiving: Receiving
    webhook: Webhook | None
    holder: str
    pace: Pace
    _failures: list[Unavailable] = field(default_factory=list)

    async def run(self, stop: asyncio.Event) -> None:
        """Lead, or wait for the lead, until `stop` is set.

        Raises:
            InvalidToken: The bot is no more.
        """
        try:
            while not stop.is_set():
                if await self._held():
                    await self._lead(stop)
                else:
                    await _paused(self.pace.renew, stop)
        finally:
            with suppress(Unavailable):
                await self.services.inboxes.leave(LEADS, self.holder)

    async def _held(self) -> bool:
        """Take or keep the lead; whoever cannot say so in time has lost it."""
        try:
            async with asyncio.timeout(LEAD.total_seconds() / 2):
                return await self.services.inboxes.lead(LEADS, self.holder)
        except (Unavailable, TimeoutError) as error:
            log.warning("telegram.waits", why=str(error))
            return False

    async def _lead(self, stop: asyncio.Event) -> None:
        """Do what only one may do until the lead is lost."""
        lanes = Lanes()
        conversing = self.conversing(lanes)
        jobs = (self._receive(), self._process(conversing, lanes), self._tidy(conversing), conversing.menus.everybody())
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            while not stop.is_set() and await self._held():
                await _paused(self.pace.renew, stop, *tasks[:2])
                _raised(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await lanes.leave()

    async def _receive(self) -> None:
        if self.webhook is None:
            await self.receiving.poll(seconds=self.pace.poll)
            return
        address, header = self.webhook.address, self.webhook.header
        while True:
            try:
                await self.bot.set_webhook(address, secret_token=header, allowed_updates=KINDS)
                await asyncio.Event().wait()  # Telegram comes by itself from here on
            except (NetworkError, RetryAfter) as error:
                log.warning("telegram.waits", why=str(error))
                await asyncio.sleep(self.pace.renew)

    async def _process(self, conversing: Conversing, lanes: Lanes) -> None:
        """Deal with what waits, and with what comes, in order; what fails for want of a database is done again."""
        application = self._application(conversing)
        await application.initialize()
        begun: dict[str, bool] = {}  # which of them is over; the inbox may have been read before it was
        while True:
            self.receiving.news.clear()
            over = [known for known, is_over in begun.items() if is_over]
            try:
                waiting = await self.services.inboxes.waiting(PLATFORM, limit=PAGE + len(begun))
                fresh = [update for update in waiting if update.id not in begun]
                for known in over:
                    del begun[known]
                for update in fresh:
                    await self._dealt(application, update, begun, lanes)
            except Unavailable as error:
                log.warning("telegram.waits", why=str(error))
                fresh = []
            if not fresh:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.receiving.news.wait(), self.pace.look)

    async def _dealt(self, application: Hearing, update: Update, begun: dict[str, bool], lanes: Lanes) -> None:
        """Let one update be heard; it is done when everything is that its person is owed until then."""
        try:
            parsed = telegram.Update.de_json(json.loads(update.body), self.bot)
        except Exception:
            log.exception("telegram.unreadable", update=update.id)
            await self.services.inboxes.done(update)
            return
        await application.process_update(parsed)
        if self._failures:
            raise self._failures.pop()
        begun[update.id] = False

        async def done() -> None:
            await recorded(lambda: self.services.inboxes.done(update))
            begun[update.id] = True

        lanes.later(str(parsed.effective_user.id) if parsed.effective_user else "", done)

    async def _tidy(self, conversing: Conversing) -> None:
        rounds = 0
        while True:
            try:
                await conversing.doing.expire()
                if rounds % HOURLY == 0:
                    await self.services.inboxes.forget()
            except DomainError as error:
                log.warning("telegram.waits", why=str(error))
            rounds += 1
            await asyncio.sleep(self.pace.tidy)

    def _application(self, conversing: Conversing) -> Hearing:
        """The library's part. It is never started nor shut down: it only hears, and the bot outlives it."""
        remembering = Remembering(self.services, state=ASKING)
        builder = Application.builder().bot(self.bot).updater(None).job_queue(None)
        application: Hearing = builder.persistence(remembering).build()  # one update at a time is its default
        application.add_handler(conversing.handler())
        application.add_error_handler(self._noted)
        return application

    async def _noted(self, update: object, context: Any) -> None:
        if isinstance(context.error, Unavailable):
            self._failures.append(context.error)
        else:
            log.error("telegram.broke", exc_info=context.error)


async def _paused(seconds: float, stop: asyncio.Event, *tasks: asyncio.Task[None]) -> None:
    """Wait, but not when it is to stop, nor when a task has ended."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([stopping, *tasks], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()


def _raised(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Raise what a task has failed with."""
    for task in tasks:
        if task.done():
            task.result()
