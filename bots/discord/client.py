"""The bot: its connection from login to goodbye. What is said to it is answered elsewhere; here it only comes in."""

import asyncio
from contextlib import suppress
from typing import Any

import aiohttp
import discord
import structlog
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bots.chat.dispatcher import Dispatcher
from bots.commands import discovered
from bots.delivery.delivering import delivering
from bots.delivery.messenger import TryLater
from bots.discord.answering import Interaction
from bots.discord.collecting import finishing
from bots.discord.commanding import Tree
from bots.discord.hearing import Hearing
from bots.discord.host import Host
from bots.discord.messenger import DiscordMessenger, translated
from bots.discord.pressing import ITEMS, submitted
from core.domain.errors import TokenRefused
from core.ports.blobs import Blobs
from core.services import Services

FAREWELL = 5.0  # seconds for what is being answered when the bot has to stop
AGAIN = 5.0  # seconds between tries to reach Discord at the start; later the library reconnects by itself
DELIVER = 1.0  # seconds between two looks at what is to be delivered
WRONG_TOKEN = "the token is wrong. Copy it again (developer portal → Bot → Reset Token) into DISCORD_TOKEN."  # noqa: S105 - words
WRONG_INTENT = "an intent is switched off that it asks for (developer portal → Bot → Privileged Gateway Intents)."
REVOKED = 4004  # the gateway's code for a token that it does not know (any more)

log = structlog.get_logger()


class Bot(Host):
    """The connection with everything that comes in over it."""

    def __init__(self, **house: Any) -> None:
        super().__init__(**house)
        self.tree = Tree(self)
        self._hearing = Hearing(self)

    async def setup_hook(self) -> None:
        """Before anything comes in: the kinds of buttons, and the menu, which Discord replaces as a whole."""
        self.add_dynamic_items(*ITEMS)
        await self.tree.sync()

    async def on_interaction(self, interaction: Interaction) -> None:
        """A form that comes back; the library brings everything else to where it belongs."""
        if interaction.type is discord.InteractionType.modal_submit and interaction.data:
            await self.attend(submitted(interaction, interaction.data))

    async def on_message(self, message: discord.Message) -> None:
        """A message with files for us."""
        if self._hearing.concerns(message):
            await self.attend(self._hearing.heard(message))


async def serve(*, services: Services, blobs: Blobs, token: str, api_url: str | None, stop: asyncio.Event) -> None:
    """Be the Discord bot until `stop` is set; whatever the connection does on the way is survived.

    Raises:
        TokenRefused: Discord does not let the bot in; the words say what to do.
    """
    point_at(api_url)
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # nobody speaks here
    dispatcher = Dispatcher(commands=discovered())
    while not stop.is_set():
        async with aiohttp.ClientSession() as session:
            bot = Bot(services=services, blobs=blobs, dispatcher=dispatcher, session=session)
            try:
                await _lived(bot, token, stop)
            except TryLater as away:
                log.warning("discord.away", why=str(away.__cause__), again_in=away.seconds)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), away.seconds)


def point_at(api_url: str | None) -> None:
    """Let the library speak to another address than Discord's; it keeps that for the whole process."""
    if api_url:
        address = yarl.URL(api_url)
        Route.BASE = str(address / "api" / "v10")
        DiscordWebSocket.DEFAULT_GATEWAY = address.with_scheme(address.scheme.replace("http", "ws")) / "gateway"


async def _lived(bot: Bot, token: str, stop: asyncio.Event) -> None:
    """From login to goodbye: until it has to stop, or the connection is lost for good.

    Raises:
        TokenRefused: Discord does not let the bot in.
        TryLater: Discord cannot be reached.
    """
    async with bot:
        connecting = asyncio.create_task(_connected(bot, token))
        delivered = asyncio.create_task(_delivered(bot, stop))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if connecting.done():
                await connecting
            await bot.attended(seconds=FAREWELL)
            if bot.is_ready():
                await delivered
        finally:
            for task in (connecting, delivered, stopping):
                task.cancel()
            await asyncio.wait({connecting, delivered, stopping})


async def _connected(bot: Bot, token: str) -> None:
    try:
        with translated():
            await bot.start(token)
    except discord.LoginFailure as error:
        raise TokenRefused(platform="Discord", why=WRONG_TOKEN) from error
    except discord.PrivilegedIntentsRequired as error:
        raise TokenRefused(platform="Discord", why=WRONG_INTENT) from error
    except discord.ConnectionClosed as error:
        if error.code == REVOKED:
            raise TokenRefused(platform="Discord", why=WRONG_TOKEN) from error
        raise TryLater(AGAIN) from error
    except discord.GatewayNotFound as error:
        raise TryLater(AGAIN) from error


async def _delivered(bot: Bot, stop: asyncio.Event) -> None:
    await bot.wait_until_ready()
    messenger = DiscordMessenger(host=bot)
    await asyncio.gather(
        delivering(messenger, services=bot.services, dispatcher=bot.dispatcher, stop=stop, poll=DELIVER),
        finishing(bot, stop=stop),
    )
