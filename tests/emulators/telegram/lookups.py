"""The methods of the Bot API that tell something, and those that set the menu of commands."""

import re

from tests.emulators.telegram.refusing import Refused
from tests.emulators.telegram.request import Request
from tests.emulators.telegram.world import BOT, Json, World

MOST_DOWNLOAD = 20 * 2**20
MOST_COMMANDS, MOST_DESCRIPTION = 100, 256
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
SCOPES = {
    "default": (),
    "all_private_chats": (),
    "all_group_chats": (),
    "all_chat_administrators": (),
    "chat": ("chat_id",),
    "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}
RIGHTS = dict.fromkeys(
    (
        "can_be_edited",
        "is_anonymous",
        "can_manage_chat",
        "can_delete_messages",
        "can_manage_video_chats",
        "can_restrict_members",
        "can_promote_members",
        "can_change_info",
        "can_invite_users",
        "can_post_stories",
        "can_edit_stories",
        "can_delete_stories",
    ),
    False,
)


async def get_me(world: World, _: Request) -> Json:
    """Who the bot is."""
    return BOT | {"can_read_all_group_messages": not world.privacy}


async def get_file(world: World, request: Request) -> Json:
    """Where a file can be fetched."""
    file = world.files.get(request.text("file_id"))
    if file is None:
        raise Refused("invalid file_id")
    if len(file.content) > MOST_DOWNLOAD:
        raise Refused("file is too big")
    unique, size = f"unique-{file.id}", len(file.content)
    return {"file_id": file.id, "file_unique_id": unique, "file_size": size, "file_path": file.path}


async def get_chat(world: World, request: Request) -> Json:
    """What a chat is."""
    gifts = dict.fromkeys(
        ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
    )
    facts = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}
    return world.chat(request.chat).facts | facts


async def get_chat_member(world: World, request: Request) -> Json:
    """What somebody is in a chat."""
    chat, id_ = world.chat(request.chat), request.number("user_id")
    user = BOT if id_ == BOT["id"] else world.people.get(id_)
    if user is None:
        raise Refused("user not found")
    status = "member" if chat.private else chat.statuses.get(id_, "left")
    match status:
        case "creator":
            return {"status": status, "user": user, "is_anonymous": False}
        case "administrator":
            return {"status": status, "user": user, **RIGHTS, "can_manage_chat": True}
        case _:
            return {"status": status, "user": user}


async def get_chat_administrators(world: World, request: Request) -> list[Json]:
    """Who runs a group."""
    chat = world.chat(request.chat)
    if chat.private:
        raise Refused("there are no administrators in the private chat")
    ids = [str(id_) for id_, status in chat.statuses.items() if status in {"creator", "administrator"}]
    return [
        await get_chat_member(
            world, Request(method="getChatMember", fields={**request.fields, "user_id": id_}, uploads={})
        )
        for id_ in ids
    ]


async def set_my_commands(world: World, request: Request) -> bool:
    """Set the menu of a scope."""
    commands = request.structured("commands") or []
    if len(commands) > MOST_COMMANDS:
        raise Refused("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not COMMAND.fullmatch(command.get("command", "")):
            raise Refused("BOT_COMMAND_INVALID")
        if not 1 <= len(command.get("description", "").strip()) <= MOST_DESCRIPTION:
            raise Refused("BOT_COMMAND_DESCRIPTION_INVALID")
    world.menus[_scope(world, request)] = commands
    return True


async def get_my_commands(world: World, request: Request) -> list[Json]:
    """Tell the menu of a scope."""
    return world.menus.get(_scope(world, request), [])


async def delete_my_commands(world: World, request: Request) -> bool:
    """Take the menu of a scope away."""
    world.menus.pop(_scope(world, request), None)
    return True


def _scope(world: World, request: Request) -> tuple[str, ...]:
    """The key of a menu: kind of scope, whom it is for, language if one was named."""
    scope = request.structured("scope") or {"type": "default"}
    kind = scope.get("type")
    if kind not in SCOPES:
        raise Refused("can't parse BotCommandScope: unsupported type specified")
    if "chat_id" in SCOPES[kind]:
        world.chat(int(scope["chat_id"]))
    named = [str(scope[name]) for name in SCOPES[kind]]
    return (kind, *named, *([request.text("language_code")] if request.text("language_code") else []))
