"""The state of the emulated Discord: who is there, what was said, and what the bot may do with it."""

import asyncio
import hashlib
import hmac
import mimetypes
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from core.ports.clock import Clock
from tests.emulators.discord.checks import check_files, check_message
from tests.emulators.discord.records import EPHEMERAL, Channel, Interaction, Message
from tests.emulators.discord.refusals import Refusal, invalid, unknown
from tests.emulators.discord.wire import File, Json

EPOCH = 1420070400000  # the first second of 2015, where Discord's ids begin
BOT = str(1000 << 22)
GUILD = str(2000 << 22)
GENERAL = str(3000 << 22)
EVERYTHING = str((1 << 53) - 1)
SAME_NONCE = timedelta(minutes=5)
LINK_LIFE = timedelta(hours=24)
OLD = timedelta(hours=1)
ELSEWHERE = 0.05  # seconds after which a look may find what changed outside of this world
PATIENCE = 60.0  # seconds that a test waits for something before it fails
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class User:
    """Somebody on Discord."""

    id: str
    name: str
    permissions: str = EVERYTHING

    def json(self) -> Json:
        """The user as the API has it."""
        names = {"username": self.name, "global_name": self.name, "discriminator": "0"}
        return {"id": self.id, **names, "avatar": None, "bot": self.id == BOT}

    def member(self, *, named: bool = True) -> Json:
        """The same as a member of a guild."""
        life = {"roles": [], "joined_at": "2024-01-01T00:00:00+00:00", "deaf": False, "mute": False, "flags": 0}
        return {**life, "permissions": self.permissions, **({"user": self.json()} if named else {})}


class World:
    """Everything that is the case, and one way to wait for it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.base = ""
        self.users = {BOT: User(id=BOT, name="guild")}
        self.guilds = [GUILD]
        self.channels = {GENERAL: Channel(id=GENERAL, guild=GUILD)}
        self.messages: dict[str, Message] = {}
        self.interactions: dict[str, Interaction] = {}
        self.commands: dict[str | None, list[Json]] = {}
        self.closed: set[str] = set()  # people whose DMs are closed
        self._blobs: dict[str, tuple[bytes, str]] = {}
        self._nonces: dict[str, Message] = {}
        self._secret = secrets.token_bytes()
        self._last = 0
        self._changed = asyncio.Event()

    def touched(self) -> None:
        """Wake whoever waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, look: Callable[[], T | None], *, seconds: float = PATIENCE) -> T:
        """Wait until a look finds something; return it. It looks at every change here, and now and then besides.

        Raises:
            TimeoutError: It took too long.
        """
        async with asyncio.timeout(seconds):
            while not (found := look()):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), ELSEWHERE)
        return found

    def snowflake(self) -> str:
        """A new id, which tells its moment as all of Discord's do."""
        milliseconds = int(self.clock.now().timestamp() * 1000) - EPOCH
        self._last = max(self._last + 1, milliseconds << 22)
        return str(self._last)

    def channel(self, name: str) -> Channel:
        """A channel for the bot; refused where it is gone or hidden."""
        found = self.channels.get(name)
        if not found:
            raise unknown("Channel")
        if found.hidden:
            raise Refusal(403, 50001, "Missing Access")
        return found

    def writable(self, name: str) -> Channel:
        """A channel that the bot may write into."""
        found = self.channel(name)
        if found.muted:
            raise Refusal(403, 50013, "Missing Permissions")
        if found.person in self.closed:
            raise Refusal(403, 50007, "Cannot send messages to this user")
        return found

    def message(self, channel: str, name: str) -> Message:
        """A message of a channel for the bot; ephemeral ones are reached by their interaction only."""
        place = self.channel(channel)
        found = self.messages.get(name)
        if not found or found.deleted or found.seen_by or found.channel is not place:
            raise unknown("Message")
        return found

    def dm(self, person: str) -> Channel:
        """The chat of a person with the bot."""
        if person not in self.users or person == BOT:
            raise invalid("recipient_id", "No such user.")
        name = str((5 << 60) + int(person))
        return self.channels.setdefault(name, Channel(id=name, person=person))

    def channel_json(self, channel: Channel, *, permissions: str = "") -> Json:
        """A channel as the API has it, with the person of a DM."""
        people = {"recipients": [self.users[channel.person].json()]} if channel.person else {}
        return {**channel.json(permissions=permissions), **people}

    def attach(self, channel: Channel, file: File) -> Json:
        """Put a file on the CDN; return its attachment, whose URL is signed."""
        (name, content), kind = file, mimetypes.guess_type(file[0])[0]
        path = f"{channel.id}/{self.snowflake()}/{name}"
        self._blobs[path] = (content, kind or "application/octet-stream")
        until = f"{int((self.clock.now() + LINK_LIFE).timestamp()):x}"
        url = f"{self.base}/attachments/{path}?ex={until}&hm={self._signature(path, until)}"
        about = {"id": path.split("/")[1], "filename": name, "size": len(content), "url": url, "proxy_url": url}
        return {**about, **({"content_type": kind} if kind else {})}

    def fetched(self, path: str, query: Mapping[str, str]) -> tuple[bytes, str]:
        """A file of the CDN with its media type; refused where the link is forged or has run out."""
        until = query.get("ex", "0")
        right = hmac.compare_digest(query.get("hm", ""), self._signature(path, until))
        if not right or path not in self._blobs or int(until, 16) < self.clock.now().timestamp():
            raise Refusal(404, 0, "This content is no longer available.")
        return self._blobs[path]

    def _signature(self, path: str, until: str) -> str:
        return hmac.digest(self._secret, f"{path} {until}".encode(), hashlib.sha256).hex()

    def post(
        self, channel: Channel, body: Json, files: Sequence[File] = (), *, author: str = BOT, seen_by: str | None = None
    ) -> Message:
        """Add a message, or find the one that was sent under the same nonce."""
        check_files(files)
        nonce, now = body.get("nonce") if body.get("enforce_nonce") else None, self.clock.now()
        if nonce and (first := self._nonces.get(nonce)) and now - first.posted_at < SAME_NONCE:
            return first
        message = Message(data=self._blank(channel, author), channel=channel, posted_at=now, seen_by=seen_by)
        message.data["flags"] = int(body.get("flags") or 0) | (EPHEMERAL if seen_by else 0)
        self._write(message, body, files)
        message.pings = () if seen_by or author != BOT else self._pinged(body)
        self.messages[message.id] = message
        if nonce:
            self._nonces[nonce] = message
        return message

    def promise(self, channel: Channel, *, seen_by: str | None) -> Message:
        """Add the message that says that the bot is thinking."""
        message = Message(data=self._blank(channel, BOT), channel=channel, posted_at=self.clock.now(), seen_by=seen_by)
        message.data["flags"] = (1 << 7) | (EPHEMERAL if seen_by else 0)
        self.messages[message.id] = message
        return message

    def edit(self, message: Message, body: Json, files: Sequence[File] = ()) -> Message:
        """Change a message; what is not named stays."""
        check_files(files)
        before = dict(message.data)
        self._write(message, body, files)
        message.history.append(before)
        message.data["flags"] &= ~(1 << 7)
        message.data["edited_timestamp"] = self.clock.now().isoformat()
        return message

    def edit_posted(self, message: Message, body: Json, files: Sequence[File] = ()) -> Message:
        """Change a message by its channel: the bot's own, and not one older than an hour."""
        if message.author != BOT:
            raise Refusal(403, 50005, "Cannot edit a message authored by another user")
        if self.clock.now() - message.posted_at > OLD:
            raise OldMessage
        return self.edit(message, body, files)

    def _blank(self, channel: Channel, author: str) -> Json:
        moment = self.clock.now().isoformat()
        place = {"guild_id": channel.guild} if channel.guild else {}
        flags = {"tts": False, "mention_everyone": False, "pinned": False, "type": 0, "flags": 0}
        lists: Json = {"mentions": [], "mention_roles": [], "attachments": [], "embeds": [], "components": []}
        names: Json = {"id": self.snowflake(), "channel_id": channel.id, "author": self.users[author].json()}
        return {**names, **place, **flags, **lists, "content": "", "timestamp": moment, "edited_timestamp": None}

    def _write(self, message: Message, body: Json, files: Sequence[File]) -> None:
        kept, named = self._kept(message, body, files)
        check_message(body, names=[one["filename"] for one in kept] + [name for name, _ in named])
        new = [self.attach(message.channel, file) for file in named]
        after = {**message.data, "attachments": [*kept, *new]}
        after |= {name: body[name] or blank for name, blank in _PARTS.items() if name in body}
        if not any(after[name] for name in ("attachments", *_PARTS)):
            raise Refusal(400, 50006, "Cannot send an empty message")
        message.contents |= {one["id"]: content for one, (_, content) in zip(new, named, strict=True)}
        links = {f"attachment://{one['filename']}": one["url"] for one in after["attachments"]}
        after["embeds"] = [_linked(embed, links) for embed in after["embeds"]]
        mentioned = re.findall(r"<@!?(\d+)>", after["content"])
        message.data = after | {"mentions": [self.users[one].json() for one in mentioned if one in self.users]}

    def _kept(self, message: Message, body: Json, files: Sequence[File]) -> tuple[list[Json], list[File]]:
        """Attachments that stay, and new files under the names that the body gives them."""
        there = {one["id"]: one for one in message.data["attachments"]}
        listed = body.get("attachments")
        if listed is None:
            return list(there.values()), list(files)
        numbers = {str(number): file for number, file in enumerate(files)}
        if strange := [one["id"] for one in listed if str(one["id"]) not in there.keys() | numbers.keys()]:
            raise invalid("attachments", f"There is no attachment {strange}.")
        names = {str(one["id"]): one.get("filename") for one in listed}
        kept = [there[name] for name in names if name in there]
        return kept, [(names.get(number) or name, content) for number, (name, content) in numbers.items()]

    def _pinged(self, body: Json) -> tuple[str, ...]:
        """Whom a new message wakes: who is mentioned, as far as the bot allows it."""
        content, allowed = body.get("content") or "", body.get("allowed_mentions")
        allowed = {"parse": ["users", "roles", "everyone"], "replied_user": True} if allowed is None else allowed
        return tuple(dict.fromkeys([*_named(content, allowed), *self._replied(body, allowed)]))

    def _replied(self, body: Json, allowed: Json) -> list[str]:
        reference = body.get("message_reference")
        if not reference:
            return []
        found = self.messages.get(str(reference["message_id"]))
        if not found or found.deleted:
            raise invalid("message_reference", "Unknown message")
        return [found.author] if allowed.get("replied_user") else []


_PARTS: Mapping[str, object] = {"content": "", "embeds": [], "components": []}
_MENTIONS = {"users": r"<@!?(\d+)>", "roles": r"<@&(\d+)>"}


def _named(content: str, allowed: Json) -> Iterable[str]:
    for kind, pattern in _MENTIONS.items():
        for name in re.findall(pattern, content):
            if kind in allowed.get("parse", ()) or name in map(str, allowed.get(kind) or ()):
                yield name
    if "everyone" in allowed.get("parse", ()):
        yield from re.findall(r"@everyone|@here", content)


def _linked(embed: Json, links: Mapping[str, str]) -> Json:
    images = {name: embed[name] for name in ("image", "thumbnail") if embed.get(name)}
    return embed | {name: {**image, "url": links.get(image["url"], image["url"])} for name, image in images.items()}


class OldMessage(Refusal):
    """A message older than an hour was edited too often; a 429 that discord.py tries again before it gives up."""

    def __init__(self) -> None:
        super().__init__(429, 30046, "Maximum number of edits to messages older than 1 hour reached. Try again later.")
        self.headers = {"Via": "1.1 google"}
        self.body |= {"retry_after": 0.01, "global": False}
