"""What a message may hold: texts, captions, keyboards and files, checked as the documentation of the Bot API says."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.emulators.telegram.formatting import Entity, blank, formatted, linkable, units
from tests.emulators.telegram.refusing import Refused
from tests.emulators.telegram.request import Request
from tests.emulators.telegram.world import File, Json, World, carried, size_of

MIB = 2**20
MOST_TEXT, MOST_CAPTION = 4096, 1024
MOST_PHOTO, MOST_UPLOAD = 10 * MIB, 50 * MIB
MOST_SIDES, MOST_RATIO = 10_000, 20
MOST_BUTTONS = 100
MOST_DATA = 64  # bytes
ACTIONS = {"callback_data", "url", "web_app", "switch_inline_query", "switch_inline_query_current_chat", "copy_text"}
MEDIA = ("photo", "document", "video")


def text_of(request: Request) -> Json:
    """The text of a message.

    Raises:
        Refused: It is empty, too long or wrongly marked up.
    """
    text, entities = _formatted(request.text("text"), request.text("parse_mode"), request.structured("entities"))
    if blank(text):
        raise Refused("message text is empty")
    if units(text) > MOST_TEXT:
        raise Refused("message is too long")
    return {"text": text} | ({"entities": entities} if entities else {})


def caption_of(get: Callable[[str], Any]) -> Json:
    """The caption of a message, of whatever holds its fields.

    Raises:
        Refused: It is too long or wrongly marked up.
    """
    caption, entities = _formatted(get("caption") or "", get("parse_mode"), get("caption_entities"))
    if units(caption) > MOST_CAPTION:
        raise Refused("message caption is too long")
    return ({"caption": caption} if not blank(caption) else {}) | ({"caption_entities": entities} if entities else {})


def request_caption(request: Request) -> Json:
    """The caption that a request gives.

    Raises:
        Refused: It is too long or wrongly marked up.
    """
    return caption_of({**request.fields, "caption_entities": request.structured("caption_entities")}.get)


def markup_of(request: Request) -> Json:
    """The inline keyboard of a message; nothing when there is none.

    Raises:
        Refused: A button cannot be.
    """
    markup = request.structured("reply_markup")
    if markup is None:
        return {}
    if "inline_keyboard" not in markup:  # one that replaces people's own keyboard is no part of the message
        return {}
    rows = [row for row in markup["inline_keyboard"] if row]
    buttons = [button for row in rows for button in row]
    if len(buttons) > MOST_BUTTONS:
        raise Refused("reply markup is too long")
    for button in buttons:
        _check(button)
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}


def media_of(world: World, kind: str, source: str | File, *, spoiler: bool = False) -> Json:
    """A file in a message: one that comes along, or one that Telegram has.

    Raises:
        Refused: It is too large, not what it should be, or not there.
    """
    if isinstance(source, File):
        file = world.stored(_fitting(replace(source, kind=kind)))
    elif source in world.files:
        file = world.files[source]
    else:
        raise Refused("wrong file identifier/HTTP URL specified")
    if file.kind != kind:
        raise Refused(f"can't use file of type {file.kind.title()} as {kind.title()}")
    return carried(file) | ({"has_media_spoiler": True} if spoiler and kind != "document" else {})


def input_media(world: World, given: Json, request: Request) -> Json:
    """The file and the caption of one InputMedia.

    Raises:
        Refused: It is none that Telegram takes.
    """
    kind, source = given.get("type"), given.get("media", "")
    if kind not in MEDIA:
        raise Refused(f"type {kind} of the media is unsupported")
    if source.startswith("attach://"):
        source = request.uploads.get(source.removeprefix("attach://"), "")
    return media_of(world, kind, source, spoiler=bool(given.get("has_spoiler"))) | caption_of(given.get)


def _formatted(text: str, mode: str | None, entities: list[Entity] | None) -> tuple[str, list[Entity]]:
    plain, found = formatted(text, mode or None)
    return plain, found if mode else entities or []


def _check(button: Json) -> None:
    if blank(button.get("text", "")):
        raise Refused("inline keyboard button text must be non-empty")
    actions = ACTIONS & button.keys()
    if len(actions) != 1:
        raise Refused("exactly one action must be specified in an inline keyboard button")
    if "callback_data" in actions and not 1 <= len(button["callback_data"].encode()) <= MOST_DATA:
        raise Refused("BUTTON_DATA_INVALID")
    if "url" in actions and not linkable(button["url"]):
        raise Refused(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")


def _fitting(file: File) -> File:
    """A file that Telegram takes from a bot."""
    if not file.content:
        raise Refused("file must be non-empty")
    if len(file.content) > MOST_UPLOAD:
        raise Refused(code=413)
    if file.kind == "photo":
        if len(file.content) > MOST_PHOTO:
            raise Refused(f"file is too big: photos have at most {MOST_PHOTO} bytes")
        size = size_of(file)
        if size is None:
            raise Refused("IMAGE_PROCESS_FAILED")
        if sum(size) > MOST_SIDES or max(size) > MOST_RATIO * min(size):
            raise Refused("PHOTO_INVALID_DIMENSIONS")
    return file
