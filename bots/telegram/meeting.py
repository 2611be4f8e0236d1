"""Meeting: Telegram's people and chats in our words."""

import telegram

from bots.chat.parameter import Call
from core.domain.account import Place, Platform
from core.services import Services

PLATFORM = Platform.TELEGRAM


async def met(services: Services, update: telegram.Update) -> Call:
    """Who says something and where; the first contact makes an account.

    Raises:
        DatabaseUnavailable: It cannot be known now.
    """
    user, chat = update.effective_user, update.effective_chat
    if user is None or chat is None:
        raise ValueError("an update without a person or a chat")
    actor = await services.accounts.welcome(PLATFORM, str(user.id), name=user.full_name)
    private = private_place(user.id)
    place = private if chat.type == chat.PRIVATE else _shared(chat, update.effective_message)
    key = f"{PLATFORM}:{update.update_id}"
    return Call(actor=actor, place=await services.communities.rated(place), services=services, key=key, private=private)


def private_place(user: int | str) -> Place:
    """Somebody's own chat with the bot."""
    return Place(platform=PLATFORM, chat=str(user), private=True, adult=True)


def _shared(chat: telegram.Chat, message: telegram.Message | None) -> Place:
    topic = message.message_thread_id if message and message.is_topic_message else None
    thread = str(topic) if topic else None
    return Place(platform=PLATFORM, chat=str(chat.id), thread=thread, private=False, community=str(chat.id))
