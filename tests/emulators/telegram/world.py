"""What the emulated Telegram knows: chats, messages, files, and all that happened."""

import asyncio
import io
import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from PIL import Image

from tests.emulators.telegram.refusing import Refused

Json = dict[str, Any]
BOT: Json = {
    "id": 1,
    "is_bot": True,
    "first_name": "Bot",
    "username": "fake_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
}
PATIENCE = 60.0  # seconds that a test waits for something before it fails


@dataclass(frozen=True, kw_only=True)
class File:
    """A file as people pick it and as Telegram keeps it."""

    name: str
    content: bytes
    kind: str = "document"
    media_type: str = "application/octet-stream"
    id: str = ""
    path: str = ""


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message at one moment; `body` is what the Bot API shows of it."""

    chat: int
    id: int
    body: Json
    deleted: bool = False

    @property
    def ours(self) -> bool:
        """Whether the bot wrote it."""
        return bool(self.body["from"]["id"] == BOT["id"])

    @property
    def text(self) -> str:
        """Its text or caption."""
        return str(self.body.get("text") or self.body.get("caption") or "")

    @property
    def kind(self) -> str:
        """What it carries: text, photo, document or video."""
        return next((kind for kind in ("photo", "document", "video") if kind in self.body), "text")

    @property
    def buttons(self) -> list[Json]:
        """Its inline buttons, row after row."""
        rows = self.body.get("reply_markup", {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]

    @property
    def file_id(self) -> str:
        """The id of the file that it carries."""
        carried = self.body[self.kind]
        return str((carried[-1] if self.kind == "photo" else carried)["file_id"])


@dataclass(kw_only=True)
class Chat:
    """A chat; in a private one `id` is the person's."""

    id: int
    facts: Json
    started: bool = True
    blocked: bool = False
    statuses: dict[int, str] = field(default_factory=dict)  # of the members of a group, by user
    topics: frozenset[int] = frozenset()  # of a forum

    @property
    def private(self) -> bool:
        """Whether it is a person's own chat with the bot."""
        return self.id > 0


@dataclass(kw_only=True)
class World:
    """Everything there is. Whoever changes it calls `touched`, and whoever waits is woken."""

    chats: dict[int, Chat] = field(default_factory=dict)
    people: dict[int, Json] = field(default_factory=dict)
    messages: dict[tuple[int, int], Message] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    posts: list[Message] = field(default_factory=list)  # what the bot sent or edited, one entry each time
    answers: dict[str, Json | None] = field(default_factory=dict)  # clicks by id; None until answered
    menus: dict[tuple[str, ...], list[Json]] = field(default_factory=dict)  # commands by scope and language
    privacy: bool = True
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _counters: dict[str, Iterator[int]] = field(default_factory=lambda: defaultdict(lambda: itertools.count(1)))

    def number(self, of: str) -> int:
        """The next number of a sequence."""
        return next(self._counters[of])

    async def touched(self) -> None:
        """Wake everyone who waits for something."""
        async with self.changed:
            self.changed.notify_all()

    async def until(self, found: Callable[[], Any], *, patience: float = PATIENCE) -> Any:
        """What `found` returns once that is true.

        Raises:
            TimeoutError: It did not become true in so many seconds.
        """
        async with asyncio.timeout(patience), self.changed:
            while not (result := found()):
                await self.changed.wait()
            return result

    def chat(self, id_: int) -> Chat:
        """A chat that the bot may look at.

        Raises:
            Refused: The bot never met it.
        """
        if id_ not in self.chats:
            raise Refused("chat not found")
        return self.chats[id_]

    def open_chat(self, id_: int) -> Chat:
        """A chat that the bot may write to.

        Raises:
            Refused: The bot never met it, or is not welcome there.
        """
        chat = self.chat(id_)
        if not chat.private and chat.blocked:
            raise Refused("bot was kicked from the supergroup chat", code=403)
        if chat.blocked:
            raise Refused("bot was blocked by the user", code=403)
        if not chat.started:
            raise Refused("bot can't initiate conversation with a user", code=403)
        return chat

    def message(self, chat: int, id_: int, *, verb: str) -> Message:
        """A message that is there.

        Raises:
            Refused: It never was, or is deleted.
        """
        message = self.messages.get((chat, id_))
        if message is None or message.deleted:
            raise Refused(f"message to {verb} not found")
        return message

    def written(self, chat: Chat, author: Json, facts: Mapping[str, Any]) -> Message:
        """A new message with these facts about it; numbers of different groups are the same numbers."""
        id_ = self.number("private messages" if chat.private else f"messages {chat.id}")
        given = {name: value for name, value in facts.items() if value is not None}
        body = {"message_id": id_, "date": int(time.time()), "chat": chat.facts, "from": author, **given}
        return self.kept(Message(chat=chat.id, id=id_, body=body))

    def kept(self, message: Message) -> Message:
        """Keep a message as it is now."""
        self.messages[message.chat, message.id] = message
        if message.ours and not message.deleted:
            self.posts.append(message)
        return message

    def stored(self, file: File) -> File:
        """Keep a file; the name of a photo is lost."""
        number = self.number("files")
        suffix = ".jpg" if file.kind == "photo" else PurePath(file.name).suffix
        path = f"{file.kind}s/file_{number}{suffix}"
        stored = replace(file, id=f"{file.kind}-{number}", path=path)
        self.files[stored.id] = stored
        return stored


def carried(file: File) -> Json:
    """What a message says of a file that it carries."""
    facts = {"file_id": file.id, "file_unique_id": f"unique-{file.id}", "file_size": len(file.content)}
    match file.kind:
        case "photo":
            width, height = size_of(file) or (800, 600)
            small = {**facts, "file_unique_id": f"small-{file.id}", "width": 90, "height": 90}
            return {"photo": [small, {**facts, "width": width, "height": height}]}
        case "video":
            return {"video": {**facts, "width": 640, "height": 480, "duration": 1, "mime_type": file.media_type}}
        case _:
            return {"document": {**facts, "file_name": file.name, "mime_type": file.media_type}}


def in_topic(topic: int | None) -> Json:
    """What a message says of the topic that it is in."""
    return {"message_thread_id": topic, "is_topic_message": True} if topic else {}


def size_of(file: File) -> tuple[int, int] | None:
    """Width and height of a picture; None for what is none."""
    try:
        with Image.open(io.BytesIO(file.content)) as picture:
            return picture.size
    except OSError:
        return None
