"""The methods of the Bot API that send, edit and delete messages."""

from dataclasses import replace
from typing import Any

from tests.emulators.telegram.content import input_media, markup_of, media_of, request_caption, text_of
from tests.emulators.telegram.refusing import Refused
from tests.emulators.telegram.request import Request
from tests.emulators.telegram.world import BOT, Json, Message, World, in_topic

LEAST_ALBUM, MOST_ALBUM = 2, 10
MOST_ANSWER = 200  # characters of a toast
ACTIONS = {"typing", "upload_photo", "upload_document", "upload_video", "choose_sticker", "find_location"}
PARTS = {  # of what a message shows, by the fields they are in
    "text": ("text", "entities"),
    "caption": ("caption", "caption_entities"),
    "media": ("photo", "document", "video", "has_media_spoiler"),
}
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)


async def send_message(world: World, request: Request) -> Json:
    """Send a text."""
    return _sent(world, request, text_of(request) | markup_of(request))


async def send_photo(world: World, request: Request) -> Json:
    """Send a picture that people see."""
    return _sent_file(world, request, "photo")


async def send_document(world: World, request: Request) -> Json:
    """Send a file."""
    return _sent_file(world, request, "document")


async def send_video(world: World, request: Request) -> Json:
    """Send a film."""
    return _sent_file(world, request, "video")


async def send_media_group(world: World, request: Request) -> list[Json]:
    """Send an album; it has no keyboard."""
    chat, media = world.open_chat(request.chat), request.structured("media") or []
    if not LEAST_ALBUM <= len(media) <= MOST_ALBUM:
        raise Refused("media group must include 2-10 items")
    if request.has("reply_markup"):
        raise Refused("media groups have no reply markup")
    kinds = {one.get("type") for one in media}
    if "document" in kinds and len(kinds) > 1:
        raise Refused("document can't be mixed with other media types")
    album, context = str(world.number("albums")), _context(world, request)
    contents = [input_media(world, one, request) for one in media]
    return [world.written(chat, BOT, {"media_group_id": album, **context, **one}).body for one in contents]


async def send_chat_action(world: World, request: Request) -> bool:
    """Show that the bot is about to do something."""
    world.open_chat(request.chat)
    if request.text("action") not in ACTIONS:
        raise Refused("wrong parameter action in request")
    return True


async def edit_message_text(world: World, request: Request) -> Json:
    """Change the text of a message that has one."""
    message = _editable(world, request)
    if message.kind != "text":
        raise Refused("there is no text in the message to edit")
    return _edited(world, message, {**_keeping(message, "text"), **text_of(request), **markup_of(request)})


async def edit_message_caption(world: World, request: Request) -> Json:
    """Change the caption of a message that carries a file."""
    message = _editable(world, request)
    if message.kind == "text":
        raise Refused("there is no caption in the message to edit")
    return _edited(world, message, {**_keeping(message, "caption"), **request_caption(request), **markup_of(request)})


async def edit_message_media(world: World, request: Request) -> Json:
    """Put another file into a message, or one where there was a text."""
    message, media = _editable(world, request), request.structured("media") or {}
    if "media_group_id" in message.body and media.get("type") != message.kind:
        raise Refused("message can't be edited: albums keep their kind")
    content = input_media(world, media, request)
    return _edited(world, message, {**_keeping(message, "text", "caption", "media"), **content, **markup_of(request)})


async def edit_message_reply_markup(world: World, request: Request) -> Json:
    """Change nothing but the keyboard."""
    message = _editable(world, request)
    return _edited(world, message, {**_keeping(message), **markup_of(request)})


async def delete_message(world: World, request: Request) -> bool:
    """Delete a message of the bot, or anybody's in a private chat."""
    chat = world.open_chat(request.chat)
    message = world.message(chat.id, request.number("message_id"), verb="delete")
    if not (message.ours or chat.private or chat.statuses.get(BOT["id"]) == "administrator"):
        raise Refused("message can't be deleted")
    world.kept(replace(message, deleted=True))
    return True


async def answer_callback_query(world: World, request: Request) -> bool:
    """Answer a click, once."""
    id_ = request.text("callback_query_id")
    if id_ not in world.answers or world.answers[id_] is not None:
        raise Refused("query is too old and response timeout expired or query ID is invalid")
    if len(request.text("text")) > MOST_ANSWER:
        raise Refused("MESSAGE_TOO_LONG")
    world.answers[id_] = {"text": request.text("text"), "show_alert": request.flag("show_alert")}
    return True


def _sent(world: World, request: Request, content: Json) -> Json:
    context = _context(world, request)
    return world.written(world.open_chat(request.chat), BOT, {**context, **content}).body


def _sent_file(world: World, request: Request, kind: str) -> Json:
    world.open_chat(request.chat)
    source: Any = request.uploads.get(kind) or request.text(kind)
    if isinstance(source, str) and source.startswith("attach://"):
        source = request.uploads.get(source.removeprefix("attach://"), "")
    file = media_of(world, kind, source, spoiler=request.flag("has_spoiler"))
    return _sent(world, request, file | request_caption(request) | markup_of(request))


def _context(world: World, request: Request) -> Json:
    """The topic that a message is in, and the message that it answers."""
    topic = request.number("message_thread_id", 0)
    if topic and topic not in world.open_chat(request.chat).topics:
        raise Refused("message thread not found")
    wished, inside = request.structured("reply_parameters"), in_topic(topic)
    if not wished:
        return inside
    try:
        answered = world.message(request.chat, int(wished["message_id"]), verb="be replied")
    except Refused:
        if wished.get("allow_sending_without_reply"):
            return inside
        raise
    return inside | {
        "reply_to_message": {name: value for name, value in answered.body.items() if name != "reply_to_message"}
    }


def _editable(world: World, request: Request) -> Message:
    chat = world.open_chat(request.chat)
    message = world.message(chat.id, request.number("message_id"), verb="edit")
    if not message.ours:
        raise Refused("message can't be edited")
    return message


def _keeping(message: Message, *changed: str) -> Json:
    """The facts of a message that an edit of this leaves: a keyboard that is not given again goes."""
    gone = {"reply_markup", "edit_date", *(name for part in changed for name in PARTS[part])}
    return {name: value for name, value in message.body.items() if name not in gone}


def _edited(world: World, message: Message, body: Json) -> Json:
    if body == {name: value for name, value in message.body.items() if name != "edit_date"}:
        raise Refused(NOT_MODIFIED)
    return world.kept(replace(message, body={**body, "edit_date": body["date"]})).body
