"""Discord on a loopback port: REST v10, gateway and CDN for the real discord.py, and people who use it.

It is never more lenient than Discord's documentation: what Discord refuses is refused here, and what a client does not
let people do, they cannot do here.
"""

import fnmatch
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Self, TypeVar

from aiohttp import web
from yarl import URL

import discord.gateway
import discord.http
from core.ports.clock import Clock, SystemClock
from tests.emulators.discord.gateway import Gateway
from tests.emulators.discord.people import Person, Until
from tests.emulators.discord.records import Answer, Channel, Interaction, Message, Modal
from tests.emulators.discord.refusals import ImpossibleError, Refusal, limited, unauthorized
from tests.emulators.discord.rest import Handler, Rest
from tests.emulators.discord.webhooks import Webhooks
from tests.emulators.discord.wire import BODY, FILES, File, Json, answered, body, read
from tests.emulators.discord.world import BOT, GENERAL, GUILD, PATIENCE, User, World

API = "/api/v10"
OPEN = ("/interactions/", "/webhooks/")  # what the token in the path opens
T = TypeVar("T")

__all__ = [
    "BOT",
    "GUILD",
    "Answer",
    "Channel",
    "Discord",
    "File",
    "ImpossibleError",
    "Interaction",
    "Message",
    "Modal",
    "Person",
    "Until",
]


@dataclass(kw_only=True)
class Trouble:
    """Requests that will not go through, so many times."""

    pattern: str
    times: int
    response: Callable[[], web.Response]


class Discord:
    """An emulated Discord with one bot in it."""

    token = "MTAwMA.good.token"

    def __init__(self, *, clock: Clock, shards: int = 1) -> None:
        self.world = World(clock)
        self.gateway = Gateway(self.world, token=self.token, shards=shards)
        self.requests: list[tuple[str, Json]] = []  # method with path, and body, of every request that came
        self._troubles: list[Trouble] = []

    @classmethod
    @asynccontextmanager
    async def running(cls, *, clock: Clock | None = None, shards: int = 1) -> AsyncIterator[Self]:
        """Run on a free port, with discord.py in this process pointed at it."""
        emulator = cls(clock=clock or SystemClock(), shards=shards)
        runner = web.AppRunner(emulator._application(), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        emulator.world.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            with emulator.pointed():
                yield emulator
        finally:
            await emulator.gateway.drop(1001, forget=True)
            await runner.cleanup()

    @property
    def base(self) -> str:
        """Where it listens: a URL without a path."""
        return self.world.base

    @contextmanager
    def pointed(self) -> Iterator[None]:
        """Have discord.py in this process talk to this Discord."""
        route, socket = discord.http.Route, discord.gateway.DiscordWebSocket
        before = route.BASE, socket.DEFAULT_GATEWAY
        route.BASE, socket.DEFAULT_GATEWAY = self.base + API, URL(self.gateway.url)
        try:
            yield
        finally:
            route.BASE, socket.DEFAULT_GATEWAY = before

    @property
    def general(self) -> Channel:
        """The channel where people are unless they say otherwise."""
        return self.world.channels[GENERAL]

    @property
    def general_id(self) -> int:
        """Its number."""
        return int(GENERAL)

    def person(self, number: int, name: str = "", *, permissions: int | None = None) -> Person:
        """Somebody who is in every guild."""
        known = {} if permissions is None else {"permissions": str(permissions)}
        self.world.users[str(number)] = User(id=str(number), name=name or f"user{number}", **known)
        return Person(id=str(number), world=self.world, gateway=self.gateway)

    def guild(self, number: int) -> str:
        """A further guild; the bot finds it when it starts. Its shard is `number % shards`."""
        name = str(number << 22)
        self.world.guilds.append(name)
        return name

    def channel(
        self, number: int, *, guild: str = GUILD, nsfw: bool = False, thread_of: Channel | None = None
    ) -> Channel:
        """A further channel or thread; the bot finds it when it starts, or meets it in an interaction."""
        parent = thread_of.id if thread_of else None
        made = Channel(id=str(number), guild=guild, nsfw=nsfw, parent=parent)
        self.world.channels[made.id] = made
        return made

    async def delete_channel(self, channel: Channel) -> None:
        """Take a channel away, with all that was said in it."""
        del self.world.channels[channel.id]
        for message in self.world.messages.values():
            message.deleted = message.deleted or message.channel is channel
        await self.gateway.dispatch("CHANNEL_DELETE", channel.json(), channel=channel)

    def posted(self, channel: Channel) -> list[Message]:
        """What the bot has said in a channel for all to see, oldest first."""
        found = [one for one in self.world.messages.values() if one.channel is channel and one.author == BOT]
        return [one for one in found if not one.deleted and not one.seen_by]

    def dm(self, person: Person) -> list[Message]:
        """What the bot has written to a person."""
        return self.posted(person.dm)

    async def until(self, look: Callable[[], T | None], *, seconds: float = PATIENCE) -> T:
        """Wait until a look finds something; return it.

        Raises:
            TimeoutError: It took too long.
        """
        return await self.world.until(look, seconds=seconds)

    def limits(self, pattern: str, *, after: float = 0.05, times: int = 1, everywhere: bool = False) -> None:
        """Answer requests such as `POST /channels/*/messages` with a rate limit, so many times."""
        response = lambda: limited(after, everywhere=everywhere)  # noqa: E731 - a response is spent once it is sent
        self._troubles.append(Trouble(pattern=pattern, times=times, response=response))

    def fails(self, pattern: str, *, status: int = 500, code: int = 0, times: int = 1) -> None:
        """Answer requests with an error, so many times."""
        refusal = Refusal(status, code, "Something went wrong.")
        self._troubles.append(Trouble(pattern=pattern, times=times, response=refusal.response))

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._guarded], client_max_size=2**29)
        routes = [*Rest(self.world, self.gateway).routes(), *Webhooks(self.world, self.gateway).routes()]
        for method, path, handler in routes:
            application.router.add_route(method, API + path, handler)
        application.router.add_get("/gateway", self.gateway.serve)
        application.router.add_get("/attachments/{path:.+}", self._file)
        return application

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What every request goes through: token, body, troubles, refusals."""
        if not request.path.startswith(API):
            return await self._answered(request, handler)
        path = request.path.removeprefix(API)
        if not path.startswith(OPEN) and request.headers.get("Authorization") != f"Bot {self.token}":
            return unauthorized().response()
        request[BODY], request[FILES] = await read(request)
        self.requests.append((f"{request.method} {path}", body(request)))
        for trouble in self._troubles:
            if trouble.times and fnmatch.fnmatch(f"{request.method} {path}", trouble.pattern):
                trouble.times -= 1
                return trouble.response()
        return await self._answered(request, handler)

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return refusal.response()
        except web.HTTPException as error:
            return answered({"code": 0, "message": f"{error.status}: {error.reason}"}, status=error.status)
        finally:
            self.world.touched()

    async def _file(self, request: web.Request) -> web.Response:
        content, kind = self.world.fetched(request.match_info["path"], request.query)
        return web.Response(body=content, content_type=kind)
