"""What delivery asks of a chat: to post, to edit, and to say plainly what is wrong with a place."""

from typing import Protocol

from bots.chat.reply import Reply
from core.domain.account import Place, Platform


class Undeliverable(Exception):  # noqa: N818 - says what a place is
    """Nobody can be told there: the bot was blocked or removed, or the chat is gone."""


class MessageGone(Exception):  # noqa: N818 - the same of a message
    """The message cannot be edited any more: deleted, or too old."""


class TryLater(Exception):  # noqa: N818 - the same of a moment
    """The platform wants a pause, or does not answer."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds} s")
        self.seconds = seconds


class Messenger(Protocol):
    """One chat platform, for whoever delivers."""

    @property
    def platform(self) -> Platform:
        """Which one."""
        ...

    async def post(self, place: Place, reply: Reply, *, key: str, mention: str | None = None) -> str:
        """Post a message and return the platform's id of it; the same key again posts nothing where that can be known.

        `mention` is the external id of the person who is called. Pictures and files that a place does not take are
        left out with words, and files that are too large become a link.

        Raises:
            Undeliverable: Nobody can be told there.
            TryLater: Not now.
        """
        ...

    async def edit(self, place: Place, message: str, reply: Reply) -> None:
        """Let a message say something else; nothing to change is no error.

        Raises:
            MessageGone: A new one has to be posted.
            Undeliverable: Nobody can be told there.
            TryLater: Not now.
        """
        ...
