"""REST v10: the application, its commands, channels and messages."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.emulators.discord.commands import CHAT, check_commands
from tests.emulators.discord.gateway import Gateway
from tests.emulators.discord.records import Channel
from tests.emulators.discord.refusals import Refusal, invalid, unknown
from tests.emulators.discord.wire import Json, answered, body, files
from tests.emulators.discord.world import BOT, World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Rest:
    """The requests of a bot that need its token."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self.world, self.gateway = world, gateway

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of each."""
        commands, messages = "/applications/{application}", "/channels/{channel}/messages"
        return [
            ("GET", "/users/@me", self.me),
            ("GET", "/users/{user}", self.user),
            ("POST", "/users/@me/channels", self.open_dm),
            ("GET", "/oauth2/applications/@me", self.application),
            ("GET", "/applications/@me", self.application),
            ("GET", "/gateway", self.gateway_url),
            ("GET", "/gateway/bot", self.gateway_url),
            ("GET", "/guilds/{guild}/members/{user}", self.member),
            ("GET", commands + "/commands", self.commands),
            ("PUT", commands + "/commands", self.register),
            ("GET", commands + "/guilds/{guild}/commands", self.commands),
            ("PUT", commands + "/guilds/{guild}/commands", self.register),
            ("GET", "/channels/{channel}", self.channel),
            ("POST", "/channels/{channel}/typing", self.typing),
            ("POST", "/channels/{channel}/threads", self.thread),
            ("GET", messages, self.history),
            ("POST", messages, self.post),
            ("POST", messages + "/{message}/threads", self.thread),
            ("GET", messages + "/{message}", self.message),
            ("PATCH", messages + "/{message}", self.edit),
            ("DELETE", messages + "/{message}", self.delete),
        ]

    async def me(self, _: web.Request) -> web.Response:
        """The bot itself."""
        return answered(self.world.users[BOT].json())

    async def user(self, request: web.Request) -> web.Response:
        """Somebody."""
        found = self.world.users.get(request.match_info["user"])
        if not found:
            raise unknown("User")
        return answered(found.json())

    async def member(self, request: web.Request) -> web.Response:
        """Somebody as a member of a guild."""
        if request.match_info["guild"] not in self.world.guilds:
            raise unknown("Guild")
        found = self.world.users.get(request.match_info["user"])
        if not found:
            raise unknown("Member")
        return answered(found.member())

    async def application(self, _: web.Request) -> web.Response:
        """The application of the bot."""
        about: Json = {"id": BOT, "name": "guild", "icon": None, "description": "", "verify_key": "", "flags": 0}
        owner = {"id": "9", "username": "owner", "discriminator": "0", "avatar": None}
        return answered({**about, "bot_public": True, "bot_require_code_grant": False, "owner": owner, "team": None})

    async def gateway_url(self, _: web.Request) -> web.Response:
        """Where the gateway is and with how many shards."""
        limit = {"total": 1000, "remaining": 999, "reset_after": 1, "max_concurrency": 1}
        return answered({"url": self.gateway.url, "shards": self.gateway.shards, "session_start_limit": limit})

    async def commands(self, request: web.Request) -> web.Response:
        """The commands that are registered."""
        return answered(self.world.commands.get(request.match_info.get("guild"), []))

    async def register(self, request: web.Request) -> web.Response:
        """Register all commands anew."""
        guild = request.match_info.get("guild")
        check_commands(body(request))
        blank: Json = {"type": CHAT, "description": "", "default_member_permissions": None, "application_id": BOT}
        place: Json = {"guild_id": guild} if guild else {}
        own = [{"id": self.world.snowflake(), "version": self.world.snowflake()} for _ in body(request)]
        done = [{**blank, **one, **place, **ids} for one, ids in zip(body(request), own, strict=True)]
        self.world.commands[guild] = done
        return answered(done)

    async def channel(self, request: web.Request) -> web.Response:
        """A channel."""
        return answered(self.world.channel_json(self.world.channel(request.match_info["channel"])))

    async def typing(self, request: web.Request) -> web.Response:
        """Show that the bot is writing."""
        self.world.writable(request.match_info["channel"])
        return web.Response(status=204)

    async def thread(self, request: web.Request) -> web.Response:
        """Open a thread in a channel, at a message if one is named."""
        parent = self.world.writable(request.match_info["channel"])
        if not 1 <= len(body(request).get("name") or "") <= 100:
            raise invalid("name", "Must be between 1 and 100 in length.")
        if not parent.guild or parent.parent:
            raise Refusal(400, 50024, "Cannot execute action on this channel type")
        if start := request.match_info.get("message"):
            self.world.message(parent.id, start)
        name = start or self.world.snowflake()
        if name in self.world.channels:
            raise Refusal(400, 160004, "A thread has already been created for this message")
        made = Channel(id=name, guild=parent.guild, parent=parent.id, nsfw=parent.nsfw)
        self.world.channels[name] = made
        await self.gateway.dispatch("THREAD_CREATE", made.json(), channel=made)
        return answered(made.json(), status=201)

    async def open_dm(self, request: web.Request) -> web.Response:
        """The chat with somebody: it opens even where they take no messages."""
        return answered(self.world.channel_json(self.world.dm(str(body(request)["recipient_id"]))))

    async def history(self, request: web.Request) -> web.Response:
        """The newest messages of a channel."""
        place = self.world.channel(request.match_info["channel"])
        found = [one for one in self.world.messages.values() if one.channel is place]
        shown = [one.data for one in found if not one.deleted and not one.seen_by]
        return answered(shown[::-1][: int(request.query.get("limit", 50))])

    async def post(self, request: web.Request) -> web.Response:
        """Say something."""
        place, count = self.world.writable(request.match_info["channel"]), len(self.world.messages)
        message = self.world.post(place, body(request), files(request))
        if len(self.world.messages) > count:
            await self.gateway.dispatch_message("MESSAGE_CREATE", message)
        return answered(message.data)

    async def message(self, request: web.Request) -> web.Response:
        """A message."""
        return answered(self.world.message(request.match_info["channel"], request.match_info["message"]).data)

    async def edit(self, request: web.Request) -> web.Response:
        """Change a message of the bot."""
        message = self.world.message(request.match_info["channel"], request.match_info["message"])
        self.world.writable(message.channel.id)
        self.world.edit_posted(message, body(request), files(request))
        await self.gateway.dispatch_message("MESSAGE_UPDATE", message)
        return answered(message.data)

    async def delete(self, request: web.Request) -> web.Response:
        """Take a message away: its own, or in a guild anybody's."""
        message = self.world.message(request.match_info["channel"], request.match_info["message"])
        if message.author != BOT and not message.channel.guild:
            raise Refusal(403, 50003, "Cannot execute action on a DM channel")
        message.deleted = True
        gone = {"id": message.id, "channel_id": message.channel.id}
        place = {"guild_id": message.channel.guild} if message.channel.guild else {}
        await self.gateway.dispatch("MESSAGE_DELETE", gone | place, channel=message.channel)
        return web.Response(status=204)
