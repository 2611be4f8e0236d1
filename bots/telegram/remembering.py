"""Remembering: the library's conversations are what the store has open drafts of, so nothing of them is kept."""

from typing import Any

from telegram.ext import BasePersistence, PersistenceInput

from bots.telegram.meeting import PLATFORM
from core.services import Services

NOTHING = PersistenceInput(bot_data=False, chat_data=False, user_data=False, callback_data=False)


class Remembering(BasePersistence[dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """Knows who is being asked in private; in groups, where drafts name no user, whatever is heard begins anew."""

    def __init__(self, services: Services, *, state: int) -> None:
        super().__init__(store_data=NOTHING)
        self._services = services
        self._state = state

    async def get_conversations(self, name: str) -> dict[Any, Any]:
        """The conversations by chat and user, which are one in private."""
        places = [draft.place for draft in await self._services.drafts.on(PLATFORM)]
        return {(int(place.chat), int(place.chat)): self._state for place in places if place.private}

    async def get_user_data(self) -> dict[int, dict[Any, Any]]:
        """Nothing."""
        return {}

    async def get_chat_data(self) -> dict[int, dict[Any, Any]]:
        """Nothing."""
        return {}

    async def get_bot_data(self) -> dict[Any, Any]:
        """Nothing."""
        return {}

    async def get_callback_data(self) -> None:
        """Nothing."""

    async def _kept(self, *args: Any, **named: Any) -> None:
        """Keep nothing: the store has it."""

    update_conversation = update_user_data = update_chat_data = update_bot_data = update_callback_data = _kept
    refresh_user_data = refresh_chat_data = refresh_bot_data = drop_user_data = drop_chat_data = flush = _kept
