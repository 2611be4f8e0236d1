"""A person at a client: they do what a client lets them do, and see what the bot answers."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.emulators.discord import commands as rules
from tests.emulators.discord.checks import (
    LARGEST_FILE,
    LINK,
    MOST_FILES,
    limit,
)
from tests.emulators.discord.forms import check_count, named, submitted
from tests.emulators.discord.gateway import Gateway
from tests.emulators.discord.records import Ask, Channel, Interaction, Message, Modal
from tests.emulators.discord.refusals import ImpossibleError
from tests.emulators.discord.wire import File, Json
from tests.emulators.discord.world import BOT, EVERYTHING, GENERAL, World


class Until(StrEnum):
    """How long a person waits before they do something else."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a Discord client."""

    id: str
    world: World
    gateway: Gateway

    @property
    def dm(self) -> Channel:
        """Their chat with the bot."""
        return self.world.dm(self.id)

    @property
    def mention(self) -> str:
        """What stands in a message to call them."""
        return f"<@{self.id}>"

    def closes_dms(self) -> None:
        """Take no direct messages any more."""
        self.world.closed.add(self.id)

    def opens_dms(self) -> None:
        """Take direct messages again."""
        self.world.closed.discard(self.id)

    async def slash(
        self, path: str, /, *, channel: Channel | None = None, until: Until = Until.ANSWERED, **given: Any
    ) -> Interaction:
        """Send a command. Files are `(name, content)`, users are persons.

        Raises:
            ImpossibleError: The client does not send it so.
            TimeoutError: The bot does not answer.
        """
        place, words = self._place(channel), path.split()
        command = self._command(words[0], rules.CHAT, place)
        leaf = rules.leaf(command, words[1:])
        rules.check_complete(leaf, given)
        data = self._filled(command, words[1:], leaf, given, place)
        return await self._asks(Ask.COMMAND, data, place, until=until)

    async def autocomplete(
        self, path: str, option: str, text: str = "", /, *, channel: Channel | None = None, **given: Any
    ) -> list[tuple[str, Any]]:
        """Type into an option; return the name and value of each choice that is offered."""
        place, words = self._place(channel), path.split()
        command = self._command(words[0], rules.CHAT, place)
        leaf = rules.leaf(command, words[1:])
        asked = next((one for one in leaf.get("options") or [] if one["name"] == option), None)
        if not asked or not asked.get("autocomplete"):
            raise ImpossibleError(f"«{path}» completes no «{option}»")
        focused = {"name": option, "type": asked["type"], "value": text, "focused": True}
        data = self._filled(command, words[1:], leaf, given, place, focused=focused)
        return (await self._asks(Ask.AUTOCOMPLETE, data, place, until=Until.ANSWERED)).choices

    async def uses_menu(self, message: Message, name: str, *, until: Until = Until.ANSWERED) -> Interaction:
        """Choose a command from the menu of a message."""
        self._sees(message)
        command = self._command(name, rules.MESSAGE, message.channel)
        data: Json = {"id": command["id"], "name": name, "type": rules.MESSAGE, "target_id": message.id}
        data["resolved"] = {"messages": {message.id: message.data}}
        return await self._asks(Ask.COMMAND, data, message.channel, until=until)

    async def presses(self, message: Message, label: str, *, until: Until = Until.ANSWERED) -> Interaction:
        """Press a button."""
        self._sees(message)
        button = message.buttons.get(label)
        if not button or button["style"] == LINK or button.get("disabled"):
            raise ImpossibleError(f"there is no button «{label}» to press, only {sorted(message.buttons)}")
        data = {"custom_id": button["custom_id"], "component_type": button["type"]}
        return await self._asks(Ask.COMPONENT, data, message.channel, source=message, until=until)

    async def selects(self, message: Message, *labels: str, until: Until = Until.ANSWERED) -> Interaction:
        """Choose from a select."""
        self._sees(message)
        for select in message.selects:
            values = {one["label"]: one["value"] for one in select.get("options") or []}
            if values.keys() >= set(labels) and not select.get("disabled"):
                check_count(select, len(labels), least=limit(select, "min_values"))
                data = {"custom_id": select["custom_id"], "component_type": select["type"]}
                chosen = {**data, "values": [values[label] for label in labels]}
                return await self._asks(Ask.COMPONENT, chosen, message.channel, source=message, until=until)
        raise ImpossibleError(f"there is nothing to select {labels} from")

    async def submits(
        self, modal: Modal | None, *, files: Sequence[File] = (), until: Until = Until.ANSWERED, **texts: str
    ) -> Interaction:
        """Fill in a form, naming inputs by their id or their label in small letters with `_`, and send it."""
        if modal is None:
            raise ImpossibleError("no form is open")
        said = named(modal, texts)
        attached = self._attached(files, modal.channel)
        parts = [submitted(part, said, list(attached)) for part in modal.data["components"]]
        data: Json = {"custom_id": modal.data["custom_id"], "components": parts, "resolved": {"attachments": attached}}
        return await self._asks(Ask.SUBMIT, data, modal.channel, source=modal.source, until=until)

    async def writes(self, content: str = "", *, files: Sequence[File] = (), channel: Channel | None = None) -> Message:
        """Write a message."""
        place = self._place(channel)
        self._attachable(files)
        message = self.world.post(place, {"content": content}, files, author=self.id)
        await self.gateway.dispatch_message("MESSAGE_CREATE", message)
        self.world.touched()
        return message

    def _place(self, channel: Channel | None) -> Channel:
        place = channel or self.world.channels[GENERAL]
        if place.person not in {None, self.id}:
            raise ImpossibleError("nobody can write in the chat of somebody else")
        return place

    def _sees(self, message: Message) -> None:
        if message.deleted or message.seen_by not in {None, self.id}:
            raise ImpossibleError("they do not see that message")

    def _command(self, name: str, kind: int, place: Channel) -> Json:
        known: list[Json] = [*self.world.commands.get(place.guild, ()), *self.world.commands.get(None, ())]
        named = [one for one in known if (one["name"], one["type"]) == (name, kind)]
        if not named:
            raise ImpossibleError(f"there is no command «{name}»")
        found = named[0]
        contexts = found.get("contexts")
        if (contexts is not None and (0 if place.guild else 1) not in contexts) or (
            not place.guild and found.get("dm_permission") is False
        ):
            raise ImpossibleError(f"«{name}» is not offered here")
        needed = int(found["default_member_permissions"] or 0)
        if place.guild and int(self.world.users[self.id].permissions) & needed != needed:
            raise ImpossibleError(f"«{name}» is not for them")
        if found.get("nsfw") and place.guild and not place.nsfw:
            raise ImpossibleError(f"«{name}» is only offered in age-restricted channels")
        return found

    def _filled(
        self,
        command: Json,
        path: Sequence[str],
        leaf: Json,
        given: Mapping[str, Any],
        place: Channel,
        *,
        focused: Json | None = None,
    ) -> Json:
        """The data of a command with its options, files and people resolved."""
        kinds = {one["name"]: one for one in leaf.get("options") or []}
        options, resolved = [], dict[str, Json]()
        for name, value in given.items():
            rules.check_value(kinds[name], value)
            kind = kinds[name]["type"]
            told, found = self._resolved(kind, value, place)
            options.append({"name": name, "type": kind, "value": told})
            for group, one in found.items():
                resolved.setdefault(group, {}).update(one)
        data: Json = {"id": command["id"], "name": command["name"], "type": rules.CHAT}
        data["options"] = rules.nested(path, command, [*options, *([focused] if focused else [])])
        return data | ({"resolved": resolved} if resolved else {})

    def _resolved(self, kind: int, value: Any, place: Channel) -> tuple[Any, dict[str, Json]]:
        match kind:
            case rules.ATTACHMENT:
                found = self._attached([value], place)
                return next(iter(found)), {"attachments": found}
            case rules.USER:
                user = self.world.users[value.id]
                return user.id, {"users": {user.id: user.json()}, "members": {user.id: user.member(named=False)}}
            case rules.CHANNEL:
                return value.id, {"channels": {value.id: value.json(permissions=EVERYTHING)}}
            case _:
                return value, {}

    def _attachable(self, files: Sequence[File]) -> None:
        if len(files) > MOST_FILES or any(len(content) > LARGEST_FILE for _, content in files):
            raise ImpossibleError("these files are too many or too large")

    def _attached(self, files: Sequence[File], place: Channel) -> Json:
        self._attachable(files)
        found = [self.world.attach(place, file) for file in files]
        return {one["id"]: one for one in found}

    async def _asks(
        self, kind: Ask, data: Json, place: Channel, *, source: Message | None = None, until: Until
    ) -> Interaction:
        name, user = self.world.snowflake(), self.world.users[self.id]
        asked = Interaction(
            id=name,
            token=secrets.token_urlsafe(24),
            kind=kind,
            person=self.id,
            channel=place,
            asked_at=self.world.clock.now(),
            source=source,
            seconds=time.perf_counter(),
        )
        here: Json = {"guild_id": place.guild, "member": user.member()} if place.guild else {"user": user.json()}
        asked.payload = {
            **here,
            **({"message": source.data} if source else {}),
            "id": name,
            "application_id": BOT,
            "type": kind,
            "token": asked.token,
            "version": 1,
            "data": data,
            "channel_id": place.id,
            "channel": self.world.channel_json(place, permissions=EVERYTHING),
            "locale": "en-US",
            "entitlements": [],
            "app_permissions": EVERYTHING,
            "authorizing_integration_owners": {"0": place.guild or "0"},
            "context": 0 if place.guild else 1,
            "attachment_size_limit": LARGEST_FILE,
        }
        self.world.interactions[name] = asked
        await self.gateway.dispatch("INTERACTION_CREATE", asked.payload, channel=place)
        if until is not Until.SENT:
            await self.world.until(lambda: asked.answered if until is Until.ANSWERED else asked.acknowledged)
        return asked
