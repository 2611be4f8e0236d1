"""Messages with files, in private or with a mention: they go into the dataset that is open, or it is asked for."""

import asyncio
from contextlib import suppress
from weakref import WeakValueDictionary

import discord
import structlog
from discord.utils import DEFAULT_FILE_SIZE_LIMIT_BYTES

from bots.chat.asking import Question
from bots.delivery.messenger import TryLater, Undeliverable
from bots.discord.carrying import Frame
from bots.discord.collecting import attached, gone_on, taken_in
from bots.discord.host import Answer, Host, place_of, posted
from bots.discord.messenger import translated
from core.domain.account import Place, Platform
from core.domain.errors import ActionGone

log = structlog.get_logger()


class Hearing:
    """Takes messages one after another for each person, so that only the first of several asks."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def concerns(self, message: discord.Message) -> bool:
        """Whether a message brings files for us: Discord shows us no others, unless we are mentioned."""
        me = self._host.user
        addressed = message.guild is None or (me is not None and me in message.mentions)
        return bool(message.attachments) and addressed and not message.author.bot

    async def heard(self, message: discord.Message) -> None:
        """Take a message's files in, unless another replica does, and say what has come so far."""
        if not await self._host.services.inboxes.claim(Platform.DISCORD, message.id):
            return
        turn = self._turns.setdefault(message.author.id, asyncio.Lock())
        async with turn:
            place = place_of(message.author, message.channel, message.guild.id if message.guild else None)
            answer = await self._host.worded(self._answer(message, place))
            try:
                with translated():
                    await self._say(message, place, answer)
            except (Undeliverable, TryLater, ActionGone) as error:  # what came is kept; the next message asks again
                log.info("discord.unanswered", why=str(error))

    async def _answer(self, message: discord.Message, place: Place) -> Answer:
        call = await self._host.call(place, message.author, number=message.id)
        step = await taken_in(self._host, call, attached(self._host, message.attachments))
        return await gone_on(self._host, call, step, whole=False)

    async def _say(self, message: discord.Message, place: Place, answer: Answer) -> None:
        """Edit the question that stands there, or post one."""
        frame = Frame(place=place, private=place.private, limit=DEFAULT_FILE_SIZE_LIMIT_BYTES)
        drawn = await self._host.drawn(answer, frame)
        if isinstance(answer, Question) and answer.draft.message:
            channel = self._host.get_partial_messageable(message.channel.id)
            with suppress(discord.NotFound):
                await channel.get_partial_message(int(answer.draft.message)).edit(**drawn)
                return
        asked = await message.reply(**posted(drawn), mention_author=False)
        if isinstance(answer, Question):
            await self._host.services.drafts.change(answer.draft, lambda now: now.but(message=str(asked.id)))
