"""Answering: replies and questions go where they belong, in private or among others, with patience."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots.chat.asking import Question
from bots.chat.definition import Definition
from bots.chat.parameter import Call
from bots.chat.placing import told
from bots.chat.reply import Reply
from bots.delivery.announcing import announced
from bots.delivery.messenger import MessageGone, TryLater, Undeliverable
from bots.telegram.formatting import TEXT, joined, worded
from bots.telegram.messenger import translated
from bots.telegram.posting import Posting
from bots.telegram.rendering import choices, question_text
from core.domain.account import Place
from core.domain.errors import DomainError

TRIES = 4

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True)
class Spoken:
    """A message of the bot, where it stands."""

    place: Place
    message: str


@dataclass(frozen=True, kw_only=True)
class Answering:
    """What the bot says when it is spoken to."""

    posting: Posting

    async def answer(
        self, call: Call, reply: Reply, definition: Definition | None = None, *, instead: Spoken | None = None
    ) -> None:
        """Say a reply, in place of a message of the bot where it can be; of a command that is known as it wants."""
        if definition:
            reply = await announced(definition, call, reply)
        place = (call.private or call.place) if reply.personal else spot(call, definition)
        try:
            if instead is None or instead.place.chat != place.chat or reply.files or len(reply.pictures) > 1:
                await self._patiently(lambda: self.posting.post(place, reply))
                return
            message = instead.message
            try:
                await self._patiently(lambda: self.posting.edit(place, message, reply))
            except MessageGone:
                await self._patiently(lambda: self.posting.post(place, reply))
        except Undeliverable:
            await self._invite(call, payload=f"job_{reply.job}" if reply.job else "")

    async def ask(self, call: Call, question: Question, *, instead: str | None = None) -> str | None:
        """Ask, in place of a message of the bot where there is one, and return the message; None where nobody hears."""
        place = question.draft.place
        text, buttons = question_text(question, self.posting.commands, most=TEXT), choices(question)
        try:
            if instead:
                try:
                    await self._patiently(lambda: self.posting.say_instead(place, instead, text, buttons))
                except MessageGone:
                    pass
                else:
                    return instead
            return str((await self._patiently(lambda: self.posting.say(place, text, buttons))).message_id)
        except Undeliverable:
            await self._invite(call, payload="")
        return None

    async def _invite(self, call: Call, *, payload: str) -> None:
        """Where somebody never started the bot, a group gets a button to it; whoever blocked it is left alone."""
        if call.place.private:
            log.info("telegram.unwelcome", chat=call.place.chat)
            return
        text = joined(worded(f"{call.actor.name}, I answer this in private. Press the button, then Start."), most=TEXT)
        link = f"https://t.me/{self.posting.bot.username}?start={payload}"
        buttons = InlineKeyboardMarkup([[InlineKeyboardButton("Talk to me", url=link)]])
        try:
            await self._patiently(lambda: self.posting.say(call.place, text, buttons))
        except Undeliverable:
            log.info("telegram.unwelcome", chat=call.place.chat)

    async def _patiently(self, say: Callable[[], Awaitable[T]]) -> T:
        for _ in range(TRIES - 1):
            try:
                with translated():
                    return await say()
            except TryLater as pause:
                await asyncio.sleep(pause.seconds)
        with translated():
            return await say()


def failed(error: Exception) -> Reply:
    """The words of an error that the domain knows; of any other a reference under which the log tells more."""
    if isinstance(error, DomainError):
        return Reply.refused(error)
    reference = secrets.token_hex(4)
    log.error("telegram.broke", reference=reference, exc_info=error)
    return Reply(title="Not done", lines=(f"Something broke; reference {reference}.",), code="broke", unavailable=True)


def spot(call: Call, definition: Definition | None) -> Place:
    """Where an answer goes: where the cards of its command go; without a command where it was said."""
    return told(definition, call.actor, call) if definition else call.place
