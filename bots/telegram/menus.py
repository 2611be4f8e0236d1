"""Menus: the list of commands that Telegram offers while somebody types, for all and for those who may do more."""

from dataclasses import dataclass, field

import structlog
from telegram import Bot, BotCommand, BotCommandScopeChat
from telegram.error import TelegramError

from bots.chat.dispatcher import Dispatcher
from bots.chat.parameter import Call
from bots.telegram.doing import Doing
from bots.telegram.formatting import shortened
from bots.telegram.rendering import spelled
from core.domain.account import Role

MOST = 100
LINE = 256
CANCEL = "cancel"

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Menus:
    """Sets menus; `_shown` are the chats whose own one is set since this started."""

    bot: Bot
    dispatcher: Dispatcher
    _shown: dict[str, Role] = field(default_factory=dict)

    async def everybody(self) -> None:
        """Set what everybody sees; the bot works without it."""
        try:
            await self.bot.set_my_commands(self.listed(Role.USER))
        except TelegramError as error:
            log.warning("telegram.no_menu", why=str(error))

    def shown(self, call: Call, doing: Doing) -> None:
        """Give somebody who may do more their own menu, in private."""
        chat, role = call.place.chat, call.actor.role
        if not call.place.private or not role.covers(Role.MODERATOR) or self._shown.get(chat) is role:
            return
        self._shown[chat] = role

        async def menu() -> None:
            await self.bot.set_my_commands(self.listed(role), scope=BotCommandScopeChat(int(chat)))

        doing.later(call, menu)

    def listed(self, role: Role) -> list[BotCommand]:
        """The menu of a role: what its role adds, then as much of what everybody may do as there is room for.

        What is left out can be typed all the same, and stands in /help.
        """
        known = sorted(self.dispatcher.visible(role), key=lambda one: (Role.USER.covers(one.role), one.path))
        known = sorted(known[: MOST - 1], key=lambda one: one.path)
        listed = [BotCommand(spelled(one.path)[1:], shortened(one.help, LINE)) for one in known]
        return [*listed, BotCommand(CANCEL, "Let go of what I am asking")]
