"""The server: the Bot API and its files on a free port of loopback, and what a test does and sees there."""

import asyncio
import fnmatch
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from aiohttp import web

from tests.emulators.telegram import lookups, methods
from tests.emulators.telegram.people import Group, Person
from tests.emulators.telegram.refusing import Refused
from tests.emulators.telegram.request import Request, read
from tests.emulators.telegram.updates import Updates
from tests.emulators.telegram.world import BOT, PATIENCE, Chat, Json, Message, World

T = TypeVar("T")
Method = Callable[[World, Request], Awaitable[Any]]
MOST_BODY = 64 * 2**20
METHODS: Mapping[str, Method] = {
    "answerCallbackQuery": methods.answer_callback_query,
    "deleteMessage": methods.delete_message,
    "deleteMyCommands": lookups.delete_my_commands,
    "editMessageCaption": methods.edit_message_caption,
    "editMessageMedia": methods.edit_message_media,
    "editMessageReplyMarkup": methods.edit_message_reply_markup,
    "editMessageText": methods.edit_message_text,
    "getChat": lookups.get_chat,
    "getChatAdministrators": lookups.get_chat_administrators,
    "getChatMember": lookups.get_chat_member,
    "getFile": lookups.get_file,
    "getMe": lookups.get_me,
    "getMyCommands": lookups.get_my_commands,
    "sendChatAction": methods.send_chat_action,
    "sendDocument": methods.send_document,
    "sendMediaGroup": methods.send_media_group,
    "sendMessage": methods.send_message,
    "sendPhoto": methods.send_photo,
    "sendVideo": methods.send_video,
    "setMyCommands": lookups.set_my_commands,
}


@dataclass(kw_only=True)
class Fault:
    """What goes wrong with methods of a pattern, so many times more."""

    pattern: str
    refused: Refused
    times: int
    after: bool


class Telegram:
    """A Telegram with one bot. Nothing in a test sleeps: it waits for what it expects by `until` and `heard`."""

    token = "1:A"

    def __init__(self) -> None:
        self.base = ""
        self.gate = asyncio.Event()  # files come while it is open
        self.gate.set()
        self.world = World()
        self.updates = Updates(world=self.world)
        self.calls: list[Request] = []
        self._faults: list[Fault] = []
        self._heard: set[int] = set()  # which of the posts

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[Self]:
        """Have it at `base` for as long."""
        telegram = cls()
        app = web.Application(client_max_size=MOST_BODY)
        app.router.add_route("*", "/bot{token}/{method}", telegram._answer)
        app.router.add_get("/file/bot{token}/{path:.+}", telegram._download)
        runner = web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        telegram.base = f"http://{host}:{port}"
        pushing = asyncio.create_task(telegram.updates.push())
        try:
            yield telegram
        finally:
            pushing.cancel()
            with suppress(asyncio.CancelledError):
                await pushing
            telegram.updates.closed = True
            await telegram.world.touched()
            await runner.cleanup()

    # what a test sets up

    def person(self, id_: int, name: str = "Ann", *, language: str = "en", started: bool = False) -> Person:
        """Somebody; until a person says something to the bot or `started` it, it may not write."""
        user = {"id": id_, "is_bot": False, "first_name": name, "username": name.lower(), "language_code": language}
        facts = {"id": id_, "type": "private", "first_name": name, "username": name.lower()}
        self.world.people[id_] = user
        chat = self.world.chats[id_] = Chat(id=id_, facts=facts, started=started)
        return Person(world=self.world, updates=self.updates, user=user, chat=chat)

    def group(
        self, id_: int, title: str = "Group", *, statuses: Mapping[int, str] | None = None, topics: Collection[int] = ()
    ) -> Group:
        """A group with the bot as a member; others by their id with their status, or when they first say something."""
        facts = {"id": id_, "type": "supergroup", "title": title} | ({"is_forum": True} if topics else {})
        everybody = {BOT["id"]: "member", **(statuses or {})}
        chat = Chat(id=id_, facts=facts, statuses=everybody, topics=frozenset(topics))
        self.world.chats[id_] = chat
        return Group(world=self.world, updates=self.updates, chat=chat)

    def loses(self, chat: int) -> None:
        """Let a chat be gone for good."""
        del self.world.chats[chat]

    def fails(
        self, pattern: str, *, code: int = 500, retry_after: int | None = None, times: int = 1, after: bool = False
    ) -> None:
        """Let calls of methods like `send*` fail; `after` they did their work, as when the answer gets lost."""
        words = f"retry after {retry_after}" if retry_after is not None else ""
        parameters = {"retry_after": retry_after} if retry_after is not None else {}
        refused = Refused(words, code=code, **parameters)
        self._faults.append(Fault(pattern=pattern, refused=refused, times=times, after=after))

    async def repeats(self, update: Json) -> None:
        """Send an update to the bot once more."""
        await self.updates.repeat(update)

    # what a test sees

    def sent(self, chat: int) -> Sequence[Message]:
        """The messages of the bot that stand in a chat now, as they are now."""
        return [one for one in self.world.messages.values() if one.chat == chat and one.ours and not one.deleted]

    async def until(self, found: Callable[[], T | None], *, patience: float = PATIENCE) -> T:
        """What `found` returns once that is true; it is asked again whenever something happens.

        Raises:
            TimeoutError: It did not become true in so many seconds.
        """
        result: T = await self.world.until(found, patience=patience)
        return result

    async def heard(self, chat: int, *, containing: str, patience: float = PATIENCE) -> Message:
        """The first message or edit of the bot with such a text that was not heard before, as it was then.

        Raises:
            TimeoutError: There was none in so many seconds.
        """

        def unheard() -> tuple[int, Message] | None:
            news = ((number, one) for number, one in enumerate(self.world.posts) if number not in self._heard)
            return next(((number, one) for number, one in news if one.chat == chat and containing in one.text), None)

        try:
            number, message = await self.until(unheard, patience=patience)
        except TimeoutError:
            said = [one.text for one in self.world.posts if one.chat == chat]
            raise TimeoutError(f"nobody said {containing!r}, but {said}") from None
        self._heard.add(number)
        return message

    def content(self, message: Message) -> bytes:
        """The bytes of the file that a message carries."""
        return self.world.files[message.file_id].content

    def menu(self, *scope: str) -> Mapping[str, str]:
        """The commands of a scope: `default`, or `chat` and an id; then the language if it has one."""
        return {one["command"]: one["description"] for one in self.world.menus.get(scope, [])}

    # what the bot gets

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            body, code = {"ok": True, "result": await self._done(request)}, 200
        except Refused as refused:
            body, code = refused.body, refused.code
        await self.world.touched()
        return web.json_response(body, status=code)

    async def _done(self, wire: web.Request) -> Any:
        if wire.match_info["token"] != self.token:
            raise Refused(code=401)
        request = await read(wire)
        self.calls.append(request)
        method = self._method(request.method)
        fault = self._fault(request.method)
        if fault and not fault.after:
            raise fault.refused
        result = await method(request)
        if fault:
            raise fault.refused
        return result

    def _method(self, name: str) -> Callable[[Request], Awaitable[Any]]:
        updates = {
            "getUpdates": self.updates.poll,
            "setWebhook": self.updates.set_webhook,
            "deleteWebhook": self.updates.delete_webhook,
            "getWebhookInfo": self.updates.webhook_info,
        }
        if name in updates:
            return updates[name]
        if name not in METHODS:
            raise Refused("method not found", code=404)
        return lambda request: METHODS[name](self.world, request)

    def _fault(self, name: str) -> Fault | None:
        for fault in self._faults:
            if fault.times and fnmatch.fnmatch(name, fault.pattern):
                fault.times -= 1
                return fault
        return None

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """Let a file come; faults of `download` concern it too."""
        await self.gate.wait()
        fault = self._fault("download")
        if fault:
            return web.Response(status=fault.refused.code)
        file = next((one for one in self.world.files.values() if one.path == request.match_info["path"]), None)
        if file is None or request.match_info["token"] != self.token:
            return web.Response(status=404)
        return web.Response(body=file.content, content_type="application/octet-stream")
