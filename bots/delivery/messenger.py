"""What delivery asks of a chat: to post, to edit, and to say plainly what is wrong with a place."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True)
class Said:
    """A message as it stands in a chat."""

    place: Place
    reply: Reply
    mention: str | None = None
    edits: int = 0


class HandMessenger:
    """A chat that fails as it is told, for tests.

    `messages` are those that stand, oldest first, by id; taking one out deletes it. `failures` are raised one by one
    instead of posting or editing, `lost` one by one after a post that stands: its answer never came. A chat in
    `blocked` takes nothing; one in `held` answers when its event is set; `most` is how much was asked of it at a time.
    Keys are known again unless it is `forgetful`.
    """

    def __init__(self, platform: Platform = Platform.DISCORD, *, forgetful: bool = False) -> None:
        self.messages: dict[str, Said] = {}
        self.failures: list[Exception] = []
        self.lost: list[Exception] = []
        self.blocked: set[str] = set()
        self.held: dict[str, asyncio.Event] = {}
        self.most: Counter[str] = Counter()
        self._platform = platform
        self._forgetful = forgetful
        self._posted = 0
        self._keys: dict[str, str] = {}
        self._asked: Counter[str] = Counter()

    @property
    def platform(self) -> Platform:
        """The platform that it plays."""
        return self._platform

    async def post(self, place: Place, reply: Reply, *, key: str, mention: str | None = None) -> str:
        """Keep a message, unless there is one of this key.

        Raises:
            Undeliverable: The chat is blocked.
            Exception: What it was told to fail with.
        """
        await self._reached(place)
        if key not in self._keys or self._forgetful:
            self._posted += 1
            self._keys[key] = f"m{self._posted}"
            self.messages[self._keys[key]] = Said(place=place, reply=reply, mention=mention)
        if self.lost:
            raise self.lost.pop(0)
        return self._keys[key]

    async def edit(self, place: Place, message: str, reply: Reply) -> None:
        """Change a message that stands.

        Raises:
            MessageGone: It does not.
            Undeliverable: The chat is blocked.
            Exception: What it was told to fail with.
        """
        await self._reached(place)
        if message not in self.messages:
            raise MessageGone
        before = self.messages[message]
        self.messages[message] = Said(place=place, reply=reply, mention=before.mention, edits=before.edits + 1)

    def seen(self, place: Place) -> Sequence[Said]:
        """What stands in a chat, oldest first."""
        return [said for said in self.messages.values() if said.place == place]

    async def _reached(self, place: Place) -> None:
        self._asked[place.chat] += 1
        self.most[place.chat] = max(self.most[place.chat], self._asked[place.chat])
        if place.chat in self.held:
            await self.held[place.chat].wait()
        self._asked[place.chat] -= 1
        if place.chat in self.blocked:
            raise Undeliverable
        if self.failures:
            raise self.failures.pop(0)
