"""Updates on their way to the bot: polled one poller at a time, or pushed to its webhook until it says thanks."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.emulators.telegram.refusing import Refused
from tests.emulators.telegram.request import Request
from tests.emulators.telegram.world import Json, World

RETRY = 0.02  # seconds until a webhook that failed is tried again
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
BY_DEFAULT_LEFT_OUT = {"chat_member", "message_reaction", "message_reaction_count"}


@dataclass(kw_only=True)
class Waiting:
    """An update that the bot did not confirm yet."""

    update: Json
    handed: bool = False


@dataclass(kw_only=True)
class Updates:
    """The queue of a bot."""

    world: World
    waiting: list[Waiting] = field(default_factory=list)
    webhook: Json | None = None
    allowed: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  # what the webhook answered
    closed: bool = False
    _poller: int = 0

    async def add(self, kind: str, content: Json) -> Json:
        """Let something happen; the update is returned whether or not the bot asked for its kind."""
        update = {"update_id": 1000 + self.world.number("updates"), kind: content}
        if kind in self.allowed or (not self.allowed and kind not in BY_DEFAULT_LEFT_OUT):
            await self.repeat(update)
        return update

    async def repeat(self, update: Json) -> None:
        """Put an update on its way, for the first time or once more."""
        self.waiting.append(Waiting(update=update))
        await self.world.touched()

    async def poll(self, request: Request) -> list[Json]:
        """Answer getUpdates; the newer poller ends the older one, as the real server does.

        Raises:
            Refused: There is a webhook, or a newer poller.
        """
        if self.webhook:
            raise Refused("can't use getUpdates method while webhook is active; use deleteWebhook first", code=409)
        self._allow(request)
        offset = request.number("offset", 0)
        self.waiting = [one for one in self.waiting if not (one.handed and one.update["update_id"] < offset)]
        self._poller += 1
        mine = self._poller
        await self.world.touched()
        try:
            await self.world.until(
                lambda: self.waiting or self.closed or mine != self._poller,
                patience=min(request.number("timeout", 0), 50) + 0.001,
            )
        except TimeoutError:
            return []
        if mine != self._poller:
            words = "terminated by other getUpdates request; make sure that only one bot instance is running"
            raise Refused(words, code=409)
        handed = self.waiting[: min(max(request.number("limit", 100), 1), 100)]
        for one in handed:
            one.handed = True
        return [one.update for one in handed]

    async def set_webhook(self, request: Request) -> bool:
        """Answer setWebhook; plain HTTP is taken on loopback only.

        Raises:
            Refused: The address or the secret is none.
        """
        url, secret = request.text("url"), request.text("secret_token")
        if url and not url.startswith(("https://", "http://127.0.0.1:")):
            raise Refused("bad webhook: An HTTPS URL must be provided for webhook")
        if secret and not SECRET.fullmatch(secret):
            raise Refused("secret token contains unallowed characters")
        if request.flag("drop_pending_updates"):
            self.waiting.clear()
        self._allow(request)
        self.webhook = {"url": url, "secret": secret} if url else None
        await self.world.touched()
        return True

    async def delete_webhook(self, request: Request) -> bool:
        """Answer deleteWebhook."""
        if request.flag("drop_pending_updates"):
            self.waiting.clear()
        self.webhook = None
        return True

    async def webhook_info(self, _: Request) -> Json:
        """Answer getWebhookInfo."""
        return {
            "url": self.webhook["url"] if self.webhook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self.waiting),
            **({"allowed_updates": self.allowed} if self.allowed else {}),
        }

    async def push(self) -> None:
        """Post to the webhook whatever waits, in order, until this task is cancelled."""
        async with ClientSession(timeout=ClientTimeout(total=60)) as client:
            while True:
                await self.world.until(lambda: self.webhook and self.waiting, patience=3600)
                if not await self._pushed(client, self.waiting[0]):
                    await asyncio.sleep(RETRY)
                await self.world.touched()

    async def _pushed(self, client: ClientSession, one: Waiting) -> bool:
        hook: dict[str, Any] = self.webhook or {}
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook["secret"]} if hook["secret"] else {}
        try:
            async with client.post(hook["url"], json=one.update, headers=headers) as response:
                self.statuses.append(response.status)
                thanked = response.ok
        except (ClientError, TimeoutError):
            return False
        if thanked:
            self.waiting = [other for other in self.waiting if other is not one]
        return thanked

    def _allow(self, request: Request) -> None:
        """Keep which kinds the bot wants; what was said before holds where nothing is said."""
        kinds = request.structured("allowed_updates")
        if kinds is not None:
            self.allowed = list(kinds)
