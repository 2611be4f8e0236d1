"""Serving: the Telegram bot as a process runs it, put together in one place."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from telegram.error import InvalidToken, NetworkError, RetryAfter
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest

from bots.chat.asking import Asking
from bots.chat.dispatcher import Dispatcher
from bots.commands import discovered
from bots.delivery.delivering import delivering
from bots.telegram.answering import Answering
from bots.telegram.conversing import Conversing
from bots.telegram.doing import Doing
from bots.telegram.filing import OURS, THEIRS, Filing, Limits
from bots.telegram.lanes import Lanes
from bots.telegram.leading import Leading, Pace
from bots.telegram.menus import Menus
from bots.telegram.messenger import TelegramMessenger
from bots.telegram.posting import Posting
from bots.telegram.receiving import Receiving, Webhook
from bots.telegram.rendering import named
from core.domain.errors import TokenRefused
from core.ports.blobs import Blobs
from core.services import Services

API = "https://api.telegram.org"
CHOICES = 8  # on a page
RETRIES = 3
ANSWER = 20.0  # seconds for Telegram to say that something was done: to ask again would do it twice
AGAIN = 5.0  # seconds until a Telegram that does not answer at the start is tried again
WRONG = "it does not know TELEGRAM_TOKEN. Copy the token again from @BotFather (/mybots, your bot, API Token)."

log = structlog.get_logger()


async def serve(
    *,
    services: Services,
    blobs: Blobs,
    token: str,
    api_url: str | None,
    webhook_url: str | None,
    webhook_port: int,
    stop: asyncio.Event,
    secret: str,
    limits: Limits | None = None,
    pace: Pace | None = None,
) -> None:
    """Be the bot until `stop` is set: receive, lead or wait for the lead, deliver.

    `api_url` is a Bot API server of one's own, which carries larger files unless `limits` say otherwise; `secret` is
    what the webhook's address is derived from.

    Raises:
        TokenRefused: Telegram does not know the token (any more).
        PortTaken: Somebody else listens where Telegram is to reach us.
    """
    rhythm = pace or Pace()
    webhook = Webhook(url=webhook_url, port=webhook_port, secret=secret) if webhook_url else None
    try:
        async with AsyncExitStack() as stack:
            bot = await stack.enter_async_context(connected(token, api_url=api_url, stop=stop))
            session = await stack.enter_async_context(aiohttp.ClientSession())
            receiving = Receiving(services=services, bot=bot, news=asyncio.Event())
            if webhook:
                await stack.enter_async_context(receiving.listening(webhook))
            carried = limits or (OURS if api_url else THEIRS)
            parts = assembled(bot, session, services=services, blobs=blobs, limits=carried, counted=rhythm.count)
            leading = Leading(
                services=services,
                bot=bot,
                conversing=parts.conversing,
                receiving=receiving,
                webhook=webhook,
                holder=secrets.token_hex(8),
                pace=rhythm,
            )
            await _together(leading.run(stop), parts.deliver(stop, poll=rhythm.deliver))
    except InvalidToken:
        raise TokenRefused(platform="Telegram", why=WRONG) from None  # the library's words hold the token


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the bot consists of, apart from who leads."""

    services: Services
    dispatcher: Dispatcher
    names: Mapping[str, str]
    asking: Asking
    posting: Posting
    filing: Filing
    menus: Menus
    counted: float

    def conversing(self, lanes: Lanes) -> Conversing:
        """What hears people, over lanes of its own."""
        answering = Answering(posting=self.posting)
        doing = Doing(
            services=self.services, asking=self.asking, answering=answering, lanes=lanes, counted=self.counted
        )
        return Conversing(
            services=self.services,
            dispatcher=self.dispatcher,
            asking=self.asking,
            doing=doing,
            filing=self.filing,
            menus=self.menus,
            names=self.names,
            bot=self.posting.bot,
        )

    async def deliver(self, stop: asyncio.Event, *, poll: float) -> None:
        """Bring cards and notices every so many seconds until `stop` is set."""
        messenger = TelegramMessenger(posting=self.posting)
        await delivering(messenger, services=self.services, dispatcher=self.dispatcher, stop=stop, poll=poll)


def assembled(
    bot: ExtBot[Any],
    session: aiohttp.ClientSession,
    *,
    services: Services,
    blobs: Blobs,
    limits: Limits,
    counted: float,
) -> Parts:
    """The parts over a bot.

    Raises:
        TypeError: A command does not fit Telegram.
    """
    dispatcher = Dispatcher(commands=discovered())
    return Parts(
        services=services,
        dispatcher=dispatcher,
        names=named(dispatcher.commands),
        asking=Asking(dispatcher=dispatcher, blobs=blobs, size=CHOICES),
        posting=Posting(
            bot=bot, blobs=blobs, downloads=services.downloads, commands=dispatcher.commands, limits=limits
        ),
        filing=Filing(bot=bot, session=session, limits=limits),
        menus=Menus(bot=bot, dispatcher=dispatcher),
        counted=counted,
    )


@asynccontextmanager
async def connected(token: str, *, api_url: str | None, stop: asyncio.Event) -> AsyncIterator[ExtBot[Any]]:
    """The bot of a token, once Telegram answers; it is not awaited longer than until `stop` is set.

    Raises:
        InvalidToken: There is none.
    """
    os.environ.setdefault("PTB_TIMEDELTA", "true")  # the library's way to have durations as such, without warnings
    base = (api_url or API).rstrip("/")
    bot: ExtBot[Any] = ExtBot(
        token,
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=HTTPXRequest(read_timeout=ANSWER, pool_timeout=ANSWER),
        rate_limiter=AIORateLimiter(max_retries=RETRIES),
    )
    try:
        while not stop.is_set():
            try:
                await bot.initialize()
                break
            except (NetworkError, RetryAfter) as error:
                log.warning("telegram.waits", why=str(error))
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), AGAIN)
        yield bot
    finally:
        await bot.shutdown()


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """Do all until all have ended, or one has failed."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
