"""What the emulator keeps: channels, messages, interactions and the modals they open."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from tests.emulators.discord.checks import LINK, SELECTS, Kind, inputs
from tests.emulators.discord.wire import Json

EPHEMERAL = 1 << 6


class Ask(IntEnum):
    """What kind of interaction somebody has with the bot."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    SUBMIT = 5


class Answer(IntEnum):
    """How an interaction was answered at first."""

    MESSAGE = 4
    THINKING = 5
    LATER = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


@dataclass(eq=False, kw_only=True)
class Channel:
    """A channel of a guild, a thread under one, or the chat of a person with the bot."""

    id: str
    guild: str | None = None
    person: str | None = None
    parent: str | None = None
    nsfw: bool = False
    hidden: bool = False
    muted: bool = False

    def json(self, *, permissions: str = "") -> Json:
        """The channel as the API has it; `permissions` are told inside interactions."""
        if self.person:
            return {"id": self.id, "type": 1, "last_message_id": None, "flags": 0}
        shared: Json = {"id": self.id, "guild_id": self.guild, "name": f"channel-{self.id}", "parent_id": self.parent}
        shared |= {"flags": 0, "rate_limit_per_user": 0, "last_message_id": None}
        shared |= {"permissions": permissions} if permissions else {}
        if self.parent:
            moment = "2026-01-01T00:00:00+00:00"
            life = {"archived": False, "locked": False, "auto_archive_duration": 1440, "archive_timestamp": moment}
            counts = {"message_count": 0, "member_count": 1, "total_message_sent": 0}
            return {**shared, **counts, "type": 11, "owner_id": "0", "thread_metadata": life}
        return {**shared, "type": 0, "position": 0, "permission_overwrites": [], "nsfw": self.nsfw, "topic": None}


@dataclass(eq=False, kw_only=True)
class Message:
    """A message, as the API has it and as people see it."""

    data: Json
    channel: Channel
    posted_at: datetime
    contents: dict[str, bytes] = field(default_factory=dict)
    history: list[Json] = field(default_factory=list)
    pings: tuple[str, ...] = ()
    seen_by: str | None = None
    deleted: bool = False

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.data["id"])

    @property
    def author(self) -> str:
        """Who wrote it."""
        return str(self.data["author"]["id"])

    @property
    def content(self) -> str:
        """Its text outside of embeds."""
        return str(self.data["content"])

    @property
    def embeds(self) -> list[Json]:
        """Its embeds."""
        return list(self.data["embeds"])

    @property
    def title(self) -> str:
        """The title of its first embed."""
        return str(self.embeds[0].get("title", "")) if self.embeds else ""

    @property
    def text(self) -> str:
        """Every word that people read in it, buttons aside."""
        said = [self.content]
        for embed in self.embeds:
            said += [embed.get("title", ""), embed.get("description", "")]
            said += [part for one in embed.get("fields", []) for part in (one["name"], one["value"])]
            said.append((embed.get("footer") or {}).get("text", ""))
        return "\n".join(filter(None, said))

    @property
    def components(self) -> list[Json]:
        """Its buttons and selects, in order."""
        return [one for row in self.data["components"] for one in row["components"]]

    @property
    def buttons(self) -> dict[str, Json]:
        """Its buttons by label (or by emoji where a button has no label)."""
        found = [one for one in self.components if one["type"] == Kind.BUTTON]
        return {one.get("label") or one["emoji"]["name"]: one for one in found}

    @property
    def links(self) -> dict[str, str]:
        """Where its link buttons lead, by label."""
        return {label: one["url"] for label, one in self.buttons.items() if one["style"] == LINK}

    @property
    def selects(self) -> list[Json]:
        """Its selects."""
        return [one for one in self.components if one["type"] in SELECTS]

    @property
    def files(self) -> dict[str, bytes]:
        """Its attachments by name."""
        return {one["filename"]: self.contents[one["id"]] for one in self.data["attachments"]}


@dataclass(frozen=True, eq=False, kw_only=True)
class Modal:
    """A form in front of somebody."""

    data: Json
    channel: Channel
    source: Message | None

    @property
    def title(self) -> str:
        """Its title."""
        return str(self.data["title"])

    @property
    def inputs(self) -> dict[str, Json]:
        """What it asks for, by label."""
        return {one["label"]: one for one in inputs(self.data)}


@dataclass(eq=False, kw_only=True)
class Interaction:
    """Something that a person does with the bot, and all that the bot answers."""

    id: str
    token: str
    kind: Ask
    person: str
    channel: Channel
    asked_at: datetime
    source: Message | None = None
    payload: Json = field(default_factory=dict)
    answer: Answer | None = None
    seconds: float = 0.0  # real time until the first answer
    response: Message | None = None
    filled: bool = False  # whether a message that was promised has come, or one to be changed later has changed
    followups: list[Message] = field(default_factory=list)
    modal: Modal | None = None
    choices: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def ephemeral(self) -> bool:
        """Whether only the person who asked sees the answer."""
        return bool(self.response and self.response.seen_by)

    @property
    def acknowledged(self) -> bool:
        """Whether the bot has reacted at all."""
        return self.answer is not None

    @property
    def answered(self) -> bool:
        """Whether the person has something new before their eyes."""
        promised = self.answer in {Answer.THINKING, Answer.LATER}
        return self.acknowledged and (not promised or self.filled or bool(self.followups))

    @property
    def last(self) -> Message:
        """The newest message that came of it."""
        found = self.followups[-1] if self.followups else self.response
        assert found, "no message came of it"
        return found
