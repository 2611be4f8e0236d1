"""People and groups, as a test plays them: they say, send, click and block."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.emulators.telegram.content import media_of
from tests.emulators.telegram.formatting import found
from tests.emulators.telegram.updates import Updates
from tests.emulators.telegram.world import BOT, Chat, File, Json, Message, World, in_topic

MOST_ALBUM = 10
PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
FROM_BOT = f"@{BOT['username']}"


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group that the bot is in."""

    world: World
    updates: Updates
    chat: Chat

    @property
    def id(self) -> int:
        """Its chat id."""
        return self.chat.id

    async def welcomes(self, person: "Person", *, status: str = "member") -> Json:
        """Let somebody join; the bot is told by a service message."""
        self.chat.statuses[person.id] = status
        body = self.world.written(self.chat, person.user, {"new_chat_members": [person.user]}).body
        return await self.updates.add("message", body)

    async def expels_bot(self) -> Json:
        """Throw the bot out."""
        self.chat.blocked, self.chat.statuses[BOT["id"]] = True, "left"
        return await self.updates.add("my_chat_member", _moved(self.chat, BOT, old="member", new="left"))


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a Telegram account. Where no group is named, it happens in the chat with the bot."""

    world: World
    updates: Updates
    user: Json
    chat: Chat

    @property
    def id(self) -> int:
        """The id of the person, and of the chat with the bot."""
        return self.chat.id

    async def says(
        self, text: str, *, chat: Group | None = None, topic: int | None = None, reply_to: Message | None = None
    ) -> Json:
        """Say something."""
        entities = found(text)
        content = {"text": text} | in_topic(topic) | ({"entities": entities} if entities else {})
        return await self._wrote(content, chat=chat, reply_to=reply_to)

    async def starts(self, payload: str = "") -> Json:
        """Open the bot for the first time, or by a deep link."""
        if payload and not PAYLOAD.fullmatch(payload):
            raise ValueError(f"no payload of a deep link: {payload}")
        return await self.says(f"/start {payload}".strip())

    async def sends(
        self,
        *files: File,
        caption: str = "",
        album: bool = True,
        chat: Group | None = None,
        reply_to: Message | None = None,
    ) -> list[Json]:
        """Send files: as albums of at most ten of one kind, or each by itself; the caption is on the first."""
        kinds = {"document" if file.kind == "document" else "seen" for file in files}
        if album and len(kinds) > 1:
            raise ValueError("an album holds documents, or photos and videos")
        sent = []
        for start in range(0, len(files), MOST_ALBUM if album else 1):
            group = files[start : start + (MOST_ALBUM if album else 1)]
            shared = {"media_group_id": str(self.world.number("albums"))} if len(group) > 1 else {}
            for number, file in enumerate(group):
                said = caption if start + number == 0 else ""
                content = media_of(self.world, file.kind, self.world.stored(file).id) | shared | _captioned(said)
                sent.append(await self._wrote(content, chat=chat, reply_to=reply_to))
        return sent

    async def edits(self, update: Json, text: str) -> Json:
        """Change what was said in an update."""
        said = update["message"]
        message = self.world.messages[said["chat"]["id"], said["message_id"]]
        return await self.updates.add("edited_message", {**message.body, "text": text, "edit_date": said["date"]})

    async def clicks(self, message: Message, label: str) -> Json:
        """Press a button of a message as it was seen, which may have changed since.

        Raises:
            ValueError: There is no such button, or it only opens a link.
        """
        data = {button["text"]: button.get("callback_data") for button in message.buttons}.get(label)
        if data is None:
            raise ValueError(f"no button {label!r} among {[button['text'] for button in message.buttons]}")
        now = self.world.messages[message.chat, message.id]
        gone = {"chat": now.body["chat"], "message_id": now.id, "date": 0}
        id_ = str(self.world.number("clicks"))
        self.world.answers[id_] = None
        return await self.updates.add(
            "callback_query",
            {
                "id": id_,
                "from": self.user,
                "chat_instance": str(message.chat),
                "message": gone if now.deleted else now.body,
                "data": data,
            },
        )

    async def blocks(self) -> Json:
        """Block the bot."""
        self.chat.blocked = True
        return await self.updates.add("my_chat_member", _moved(self.chat, self.user, old="member", new="kicked"))

    async def unblocks(self) -> Json:
        """Let the bot write again."""
        self.chat.blocked = False
        return await self.updates.add("my_chat_member", _moved(self.chat, self.user, old="kicked", new="member"))

    async def _wrote(self, content: Json, *, chat: Group | None, reply_to: Message | None) -> Json:
        """Put a message where it was written; the bot is told of it unless privacy mode hides it."""
        there = chat.chat if chat else self.chat
        if there.private:
            if there.blocked:
                await self.unblocks()
            there.started = True
        elif there.statuses.setdefault(self.id, "member") not in {"member", "administrator", "creator"}:
            raise ValueError(f"{self.user['first_name']} is not in this group")
        answered = {"reply_to_message": reply_to.body} if reply_to else {}
        message = self.world.written(there, self.user, {**answered, **content})
        if there.private or not self.world.privacy or _concerns_bot(message, reply_to):
            return await self.updates.add("message", message.body)
        await self.world.touched()
        return {"message": message.body}


def labels(message: Message) -> Sequence[str]:
    """What stands on the buttons of a message."""
    return [button["text"] for button in message.buttons]


def _captioned(text: str) -> Json:
    entities = found(text)
    return ({"caption": text} if text else {}) | ({"caption_entities": entities} if entities else {})


def _concerns_bot(message: Message, reply_to: Message | None) -> bool:
    """Whether a bot in privacy mode sees a message of a group: commands for it, mentions, replies to it."""
    command = re.match(r"/\w+(@\w+)?", str(message.body.get("text", "")))
    meant = bool(command and command[1] in {None, FROM_BOT})
    return meant or FROM_BOT in message.text or bool(reply_to and reply_to.ours)


def _moved(chat: Chat, by: Json, *, old: str, new: str) -> Json:
    """What the bot is told when its standing in a chat changes."""
    until = {"until_date": 0}
    was, is_ = ({"user": BOT, "status": status, **(until if status == "kicked" else {})} for status in (old, new))
    return {"chat": chat.facts, "from": by, "date": 0, "old_chat_member": was, "new_chat_member": is_}
