"""Receiving: whatever Telegram sends is stored before anything else, by any replica, so that nothing is lost."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import structlog
import telegram
from aiohttp import web
from telegram.error import Conflict, NetworkError, RetryAfter, TelegramError

from bots.telegram.meeting import PLATFORM
from core.domain.errors import PortTaken, Unavailable
from core.services import Services

KINDS = ("message", "callback_query")
HOST = "0.0.0.0"  # noqa: S104 - the reverse proxy before it may be on another machine
LARGEST = 2**20  # bytes of one update
PAUSE = 2.0  # seconds until Telegram, or the database, is asked again after a failure
HEADER = "X-Telegram-Bot-Api-Secret-Token"

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Where Telegram reaches us: the path and the header are secrets that all replicas derive from one."""

    url: str
    port: int
    secret: str = field(repr=False)

    @property
    def path(self) -> str:
        """The path that only Telegram knows."""
        return f"/telegram/{self._derived('path')}"

    @property
    def address(self) -> str:
        """The whole address."""
        return self.url.rstrip("/") + self.path

    @property
    def header(self) -> str:
        """What Telegram shows with each update."""
        return self._derived("header")

    def _derived(self, purpose: str) -> str:
        return hmac.new(self.secret.encode(), f"telegram {purpose}".encode(), hashlib.sha256).hexdigest()[:40]


@dataclass(frozen=True, kw_only=True)
class Receiving:
    """Puts updates into the inbox; `news` is set when one came. Clicks are answered at once, whatever follows."""

    services: Services
    bot: telegram.Bot
    news: asyncio.Event
    _answers: set[asyncio.Task[None]] = field(default_factory=set)

    async def poll(self, *, seconds: float) -> None:
        """Ask Telegram for updates, for ever; each is confirmed only after it was stored.

        Raises:
            InvalidToken: The bot is no more.
        """
        offset, ready = 0, False
        while True:
            try:
                ready = ready or await self.bot.delete_webhook()
                wait = timedelta(seconds=seconds)
                updates = await self.bot.get_updates(offset=offset, timeout=wait, allowed_updates=KINDS)
                for update in updates:
                    if update.callback_query:
                        self._acknowledge(update.callback_query.id)
                if updates:
                    await self.store({update.update_id: update.to_json() for update in updates})
                    offset = updates[-1].update_id + 1
            except Conflict:
                log.warning("telegram.polled_elsewhere", todo="Stop the other bot with this token, or use a webhook.")
                await asyncio.sleep(PAUSE)
            except (NetworkError, RetryAfter, Unavailable) as error:
                log.warning("telegram.waits", why=str(error))
                await asyncio.sleep(PAUSE)

    @asynccontextmanager
    async def listening(self, webhook: Webhook) -> AsyncIterator[int]:
        """Have the webhook answer for as long, and say at which port.

        Raises:
            PortTaken: Nobody can listen there.
        """
        app = web.Application(client_max_size=LARGEST)
        app.router.add_post("/telegram/{path}", partial(self._called, webhook))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, HOST, webhook.port).start()
            except OSError as error:
                raise PortTaken(host=HOST, port=webhook.port, setting="TELEGRAM_WEBHOOK_PORT") from error
            yield int(runner.addresses[0][1])
        finally:
            await runner.cleanup()

    async def store(self, bodies: Mapping[int, str]) -> None:
        """Keep updates by their numbers; what came before is no news.

        Raises:
            DatabaseUnavailable: It is not kept.
        """
        if await self.services.inboxes.put(PLATFORM, bodies):
            self.news.set()

    def _acknowledge(self, click: str) -> None:
        """Stop the clock on a button; one that is too old needs no answer."""

        async def answer() -> None:
            with suppress(TelegramError):
                await self.bot.answer_callback_query(click)

        task = asyncio.create_task(answer())
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _called(self, webhook: Webhook, request: web.Request) -> web.Response:
        known = hmac.compare_digest(request.path.encode(), webhook.path.encode())
        shown = request.headers.get(HEADER, "").encode(errors="replace")
        if not (hmac.compare_digest(shown, webhook.header.encode()) and known):
            return web.Response(status=404)
        body = await request.text()
        try:
            update = json.loads(body)
            number = int(update["update_id"])
        except (ValueError, KeyError, TypeError):
            return web.Response(status=400)
        if click := update.get("callback_query"):
            self._acknowledge(str(click["id"]))
        try:
            await self.store({number: body})
        except Unavailable:
            return web.Response(status=503)  # Telegram sends it again
        return web.Response()
