"""The gateway: sessions of shards, events in order, heartbeats, resuming."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from aiohttp import WSMsgType, web

from tests.emulators.discord.records import Channel, Message
from tests.emulators.discord.wire import Json
from tests.emulators.discord.world import BOT, EVERYTHING, World

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, RESUME, RECONNECT, MEMBERS, INVALID, HELLO, ACK = (
    0,
    1,
    2,
    3,
    6,
    7,
    8,
    9,
    10,
    11,
)
NOT_AUTHENTICATED, AUTHENTICATION_FAILED, ALREADY_AUTHENTICATED, DISALLOWED_INTENTS = 4003, 4004, 4005, 4014
GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 9, 1 << 12, 1 << 15
PRIVILEGED = (1 << 1) | (1 << 8) | MESSAGE_CONTENT
HIDDEN: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


class Op(IntEnum):
    """What is said over the socket."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    RESUME = 6
    RECONNECT = 7
    MEMBERS = 8
    INVALID = 9
    HELLO = 10
    ACK = 11


@dataclass(eq=False, kw_only=True)
class Session:
    """One connection of a bot, with the events it may ask for again."""

    id: str
    shard: int
    count: int
    intents: int
    socket: web.WebSocketResponse | None
    sent: list[Json] = field(default_factory=list)

    async def send(self, name: str, data: Json) -> None:
        """Send an event, or keep it for a session that is away."""
        event = {"op": Op.DISPATCH, "t": name, "s": len(self.sent) + 1, "d": data}
        self.sent.append(event)
        await self.say(event)

    async def say(self, event: Json) -> None:
        """Write to the socket, if somebody is there."""
        if self.socket and not self.socket.closed:
            try:
                await self.socket.send_json(event)
            except ConnectionError:
                self.socket = None


class Gateway:
    """The socket of Discord. Its settings are public: a test changes them as it runs."""

    def __init__(self, world: World, *, token: str, shards: int) -> None:
        self.world, self.token, self.shards = world, token, shards
        self.sessions: dict[str, Session] = {}
        self.heartbeat_seconds = 41.25
        self.answers_heartbeats = True
        self.allowed_privileged = 0  # intents that were switched on in the portal
        self.identified = 0
        self.resumed = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.world.base.replace("http", "ws", 1) + "/gateway"

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Talk with one connection until it ends."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": Op.HELLO, "d": {"heartbeat_interval": int(self.heartbeat_seconds * 1000)}})
        session: Session | None = None
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                event = message.json()
                session = await self._heard(socket, session, event["op"], event.get("d"))
                self.world.touched()
        return socket

    async def _heard(
        self, socket: web.WebSocketResponse, session: Session | None, code: int, data: Any
    ) -> Session | None:
        match code:
            case Op.HEARTBEAT:
                if self.answers_heartbeats:
                    await socket.send_json({"op": Op.ACK})
            case Op.IDENTIFY | Op.RESUME if session:
                await socket.close(code=ALREADY_AUTHENTICATED)
            case Op.IDENTIFY:
                return await self._identify(socket, data)
            case Op.RESUME:
                return await self._resume(socket, data)
            case _ if not session:
                await socket.close(code=NOT_AUTHENTICATED)
            case Op.MEMBERS:
                found = [self.world.users[one].member() for one in data.get("user_ids", []) if one in self.world.users]
                chunk = {"guild_id": data["guild_id"], "members": found, "chunk_index": 0, "chunk_count": 1}
                await session.send("GUILD_MEMBERS_CHUNK", {**chunk, "nonce": data.get("nonce")})
        return session

    async def _identify(self, socket: web.WebSocketResponse, data: Json) -> Session | None:
        if data["token"] != self.token:
            await socket.close(code=AUTHENTICATION_FAILED)
            return None
        if data["intents"] & PRIVILEGED & ~self.allowed_privileged:
            await socket.close(code=DISALLOWED_INTENTS)
            return None
        shard, count = data.get("shard", (0, 1))
        name = self.world.snowflake()
        session = Session(id=name, shard=shard, count=count, intents=data["intents"], socket=socket)
        guilds = [guild for guild in self.world.guilds if _shard(guild, count) == shard]
        ready: Json = {"v": 10, "user": self.world.users[BOT].json(), "session_id": name, "shard": [shard, count]}
        ready |= {"resume_gateway_url": self.url, "application": {"id": BOT, "flags": 0}}
        await session.send("READY", ready | {"guilds": [{"id": guild, "unavailable": True} for guild in guilds]})
        for guild in guilds:
            await session.send("GUILD_CREATE", self._guild(guild))
        self.sessions[name] = session
        self.identified += 1
        return session

    async def _resume(self, socket: web.WebSocketResponse, data: Json) -> Session | None:
        session = self.sessions.get(data["session_id"])
        if not session or data["token"] != self.token:
            await socket.send_json({"op": Op.INVALID, "d": False})
            return None
        self.resumed += 1
        for event in session.sent[data["seq"] :]:
            await socket.send_json(event)
        session.socket = socket
        await session.send("RESUMED", {})
        return session

    def _guild(self, name: str) -> Json:
        channels = [one for one in self.world.channels.values() if one.guild == name]
        everyone: Json = {"id": name, "name": "@everyone", "permissions": EVERYTHING, "position": 0, "color": 0}
        everyone |= {"hoist": False, "managed": False, "mentionable": False, "flags": 0}
        lists: Json = {"emojis": [], "stickers": [], "features": [], "presences": [], "voice_states": []}
        lists |= {"stage_instances": [], "guild_scheduled_events": [], "roles": [everyone]}
        numbers = dict.fromkeys(("verification_level", "default_message_notifications", "explicit_content_filter"), 0)
        numbers |= {"mfa_level": 0, "premium_tier": 0, "nsfw_level": 0, "system_channel_flags": 0, "afk_timeout": 300}
        return {
            **lists,
            **numbers,
            "id": name,
            "name": f"guild-{name}",
            "owner_id": "9",
            "unavailable": False,
            "large": False,
            "member_count": 1,
            "preferred_locale": "en-US",
            "premium_progress_bar_enabled": False,
            "members": [self.world.users[BOT].member()],
            "channels": [one.json() for one in channels if not one.parent],
            "threads": [one.json() for one in channels if one.parent],
        }

    async def dispatch(self, name: str, data: Json, *, channel: Channel) -> None:
        """Send an event to every session of the shard that a channel belongs to."""
        for session in self._concerned(channel):
            await session.send(name, data)

    async def dispatch_message(self, name: str, message: Message) -> None:
        """Send an event about a message to whoever subscribed to such, without what they may not read."""
        needed = GUILD_MESSAGES if message.channel.guild else DIRECT_MESSAGES
        mentioned = any(one["id"] == BOT for one in message.data["mentions"])
        open_to_all = not message.channel.guild or mentioned or message.author == BOT
        author = self.world.users[message.author]
        data = message.data | ({"member": author.member(named=False)} if message.channel.guild else {})
        for session in self._concerned(message.channel):
            if session.intents & needed:
                readable = open_to_all or session.intents & MESSAGE_CONTENT
                await session.send(name, data if readable else data | HIDDEN)

    def _concerned(self, channel: Channel) -> Sequence[Session]:
        if channel.hidden:
            return ()
        found = list(self.sessions.values())
        return [one for one in found if one.shard == (_shard(channel.guild, one.count) if channel.guild else 0)]

    async def reconnect(self) -> None:
        """Ask every session to come back, as before a deployment."""
        await self._say({"op": Op.RECONNECT, "d": None})

    async def invalidate(self, *, resumable: bool = False) -> None:
        """Tell every session that it is not valid any more."""
        gone = list(self.sessions.values())
        if not resumable:
            self.sessions.clear()
        for session in gone:
            await session.say({"op": Op.INVALID, "d": resumable})

    async def drop(self, code: int = 4000, *, forget: bool = False) -> None:
        """Close every connection; forgotten sessions cannot be resumed."""
        sockets = [session.socket for session in self.sessions.values() if session.socket]
        if forget:
            self.sessions.clear()
        for socket in sockets:
            await socket.close(code=code)

    async def _say(self, event: Json) -> None:
        for session in list(self.sessions.values()):
            await session.say(event)


def _shard(guild: str, count: int) -> int:
    return (int(guild) >> 22) % count
