"""Conversing: one conversation for whatever a command still needs. Its handlers move drafts, `doing` does the rest."""

import warnings
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any

import telegram
from telegram.ext import BaseHandler, CallbackQueryHandler, ConversationHandler, MessageHandler, filters
from telegram.warnings import PTBUserWarning

from bots.chat.asking import Asking, Question, Step
from bots.chat.dispatcher import Dispatcher
from bots.chat.parameter import Call
from bots.chat.parsing import Typed, found, split
from bots.chat.reply import Reply
from bots.telegram.answering import failed, spot
from bots.telegram.doing import Doing
from bots.telegram.filing import Filing, Sent
from bots.telegram.meeting import met
from bots.telegram.menus import CANCEL, Menus
from bots.telegram.rendering import ANSWER, PRESS
from core.domain.draft import Draft
from core.domain.errors import BadValue, NotFound, NotYours, Unavailable
from core.services import Services

ASKING, END = 0, ConversationHandler.END
NAME = "asking"
ADD = "dataset add"  # what files are for that come out of the blue
UNFIT = Reply(title="Not taken", lines=("I take pictures, documents and zips. `help` lists what I can do.",))

Hear = Callable[[Call, telegram.Update], Awaitable[int]]
Handlers = list[BaseHandler[telegram.Update, Any, Any]]


@dataclass(frozen=True, kw_only=True)
class Conversing:
    """Hears what people say. `names` are the paths of commands by what Telegram calls them."""

    services: Services
    dispatcher: Dispatcher
    asking: Asking
    doing: Doing
    filing: Filing
    menus: Menus
    names: Mapping[str, str]
    bot: telegram.Bot

    def handler(self) -> ConversationHandler[Any]:
        """The conversation. All that it hears may also begin one: an old keyboard, a text after a restart."""
        said = filters.UpdateType.MESSAGE
        handlers: Handlers = [
            CallbackQueryHandler(self._on(self.clicked), pattern=f"^{ANSWER}"),
            CallbackQueryHandler(self._on(self.pressed), pattern=f"^{PRESS}"),
            MessageHandler(said & (filters.Regex("^/") | filters.CaptionRegex("^/")), self._on(self.commanded)),
            MessageHandler(said & (filters.PHOTO | filters.Document.ALL), self._on(self.filed)),
            MessageHandler(said & filters.TEXT, self._on(self.typed)),
            MessageHandler(said & ~filters.StatusUpdate.ALL, self._on(self.unfit)),
        ]
        with warnings.catch_warnings():
            # Its advice is for clicks that end one message's conversation; ours belong to the person in the chat.
            warnings.filterwarnings("ignore", message=".*per_message=False", category=PTBUserWarning)
            return ConversationHandler(
                entry_points=handlers,
                states={ASKING: handlers},
                fallbacks=[],
                allow_reentry=True,
                name=NAME,
                persistent=True,
            )

    async def commanded(self, call: Call, update: telegram.Update) -> int:
        """A command, whole or in part, perhaps under a picture."""
        message = _message(update)
        first, *rest = _text(update).split(maxsplit=1)
        name, _, bot = first[1:].partition("@")
        if bot and bot.casefold() != self._me:
            return END
        if name.casefold() == CANCEL:
            return await self._cancelled(call)
        path = self.names.get(name.casefold(), name)
        try:
            typed = found([*path.split(), *split("".join(rest))], self.dispatcher.commands)
        except NotFound:
            if not (call.place.private or bot):
                return END  # for another bot
            raise
        return await self._begun(call, typed, message)

    async def typed(self, call: Call, update: telegram.Update) -> int:
        """An answer, where something was asked; else a command without its slash."""
        if not self._addressed(call, update):
            return END
        text = _text(update)
        if draft := await self._draft(call):
            back = await self._back(call, draft)
            return self._go(back, await self.asking.typed(back, draft, text), instead=False)
        said = text.replace(f"@{self.bot.username}", " ")
        return await self._begun(call, found(split(said), self.dispatcher.commands), _message(update))

    async def filed(self, call: Call, update: telegram.Update) -> int:
        """A file for what was asked; else one for a dataset that is asked for now."""
        if not self._addressed(call, update):
            return END
        message = _message(update)
        source, draft = self.filing.source(message), await self._draft(call, files=True)
        if source and draft:
            await self._taken(await self._back(call, draft), draft, source)
            return ASKING
        return await self._begun(call, Typed(definition=self.dispatcher.definition(ADD), words={}), message)

    async def unfit(self, call: Call, update: telegram.Update) -> int:
        """Something that no command takes."""
        if self._addressed(call, update):
            self.doing.later(call, lambda: self.doing.answering.answer(call, UNFIT))
        return END

    async def clicked(self, call: Call, update: telegram.Update) -> int:
        """An answer by keyboard; one on an old keyboard brings the question as it is now."""
        token, stamp, what = _data(update, ANSWER).rsplit(":", 2)
        draft = await self.services.drafts.find(call.actor, token)
        call = await self._back(call, draft)
        if what == "done":
            self.doing.done(call, draft)
            return END
        if what == CANCEL:
            self.doing.cancel(call, draft)
            return END
        if stamp != draft.stamp:
            return self._go(call, await self.asking.onward(call, draft), instead=draft.message == _under(update))
        # The draft may not know yet in which message this was asked: it does when it comes to answering.
        return self._go(call, await self._moved(call, draft, what), instead=True)

    async def pressed(self, call: Call, update: telegram.Update) -> int:
        """A button under a reply; where its command needs more, that is asked for."""
        token = _data(update, PRESS)
        action = await self.services.conversations.pressed(call.actor, token)
        definition = self.dispatcher.definition(action.command)
        if set(definition.needed) <= action.arguments.keys():
            self.doing.press(call, token, definition, message=_under(update))
            return END
        known = await self._draft(call)
        if known and known.command == action.command and action.arguments.items() <= known.given.items():
            back = await self._back(call, known)
            return self._go(back, await self.asking.onward(back, known), instead=True)  # clicked twice
        return await self._begun(call, Typed(definition=definition, words=action.arguments), None)

    async def _moved(self, call: Call, draft: Draft, what: str) -> Step:
        match what:
            case "more":
                return await self.asking.more(call, draft)
            case "fewer":
                return await self.asking.fewer(call, draft)
            case "back":
                return await self.asking.back(call, draft)
            case "skip":
                return await self.asking.skipped(call, draft)
            case _:
                return await self.asking.chosen(call, draft, int(what))

    async def _begun(self, call: Call, typed: Typed, message: telegram.Message | None) -> int:
        """Begin with a command; a file that came with it is for it."""
        definition = typed.definition
        source = self.filing.source(message) if message else None
        if source and not definition.files:
            raise BadValue(what="file", value=source.name, why=f"`{definition.path}` takes no files")
        place = spot(call, definition)
        step = await self.asking.begin(definition, call, typed.words, token=call.key, place=place)
        state = self._go(call, step, instead=False)
        if source:
            await self._taken(call, step.draft, source)
        return state

    async def _taken(self, call: Call, draft: Draft, source: Sent) -> None:
        """Let a file come; its draft is told before, so that no other question takes its place meanwhile."""
        if not draft.awaited:
            await self.services.drafts.change(draft, lambda now: now.but(awaited=True))
        self.doing.receive(call, draft, source)

    async def _cancelled(self, call: Call) -> int:
        if draft := await self._draft(call):
            self.doing.cancel(call, draft)
        else:
            self.doing.later(call, lambda: self.doing.answering.answer(call, Reply(title="There is nothing to cancel")))
        return END

    def _go(self, call: Call, step: Step, *, instead: bool) -> int:
        self.doing.step(call, step, instead=instead)
        return ASKING if isinstance(step, Question) else END

    async def _draft(self, call: Call, *, files: bool = False) -> Draft | None:
        """What this person was last asked here, or from here in private; with `files` for a command that takes some."""
        for place in dict.fromkeys((call.place, call.private or call.place)):
            for draft in await self.services.drafts.of(call.actor, place):
                if draft.asked and (not files or self.dispatcher.definition(draft.command).files):
                    return draft
        return None

    async def _back(self, call: Call, draft: Draft) -> Call:
        """The call where the command was said, wherever it is answered."""
        return replace(call, place=await self.services.communities.rated(draft.said or draft.place))

    def _addressed(self, call: Call, update: telegram.Update) -> bool:
        """Whether the bot is meant: in private always, among others by a reply or its name."""
        answered = _message(update).reply_to_message
        replied = answered is not None and answered.from_user is not None and answered.from_user.id == self.bot.id
        return call.place.private or replied or f"@{self._me}" in _text(update).casefold()

    @property
    def _me(self) -> str:
        return self.bot.username.casefold()

    def _on(self, hear: Hear) -> Callable[[telegram.Update, Any], Coroutine[Any, Any, int]]:
        async def heard(update: telegram.Update, context: Any) -> int:
            if update.effective_user is None or update.effective_user.is_bot:
                return END
            call = await met(self.services, update)
            self.menus.shown(call, self.doing)
            try:
                return await hear(call, update)
            except Unavailable:
                raise  # it is heard again when the database is back
            except Exception as error:  # noqa: BLE001 - the edge of this chat: whatever it is, somebody waits
                if isinstance(error, NotYours) and not call.place.private:
                    return END  # a stranger's click is no news to a group
                reply = failed(error)
                self.doing.later(call, lambda: self.doing.answering.answer(call, reply))
                return END

        return heard


def _message(update: telegram.Update) -> telegram.Message:
    if update.message is None:
        raise ValueError("a message handler without a message")
    return update.message


def _text(update: telegram.Update) -> str:
    message = _message(update)
    return (message.text or message.caption or "").strip()


def _data(update: telegram.Update, start: str) -> str:
    query = update.callback_query
    return (query.data or "").removeprefix(start) if query else ""


def _under(update: telegram.Update) -> str:
    """The message that a clicked button sits on."""
    query = update.callback_query
    return str(query.message.message_id) if query and query.message else ""
