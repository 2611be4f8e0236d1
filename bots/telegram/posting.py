"""Posting: replies become messages, pictures first, with the file ids that Telegram has given to pictures before."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from telegram import Bot, InlineKeyboardMarkup, InputFile, InputMediaPhoto, LinkPreviewOptions, Message
from telegram.constants import ParseMode
from telegram.error import BadRequest

from bots.chat.definition import Definition
from bots.chat.reply import Reply
from bots.telegram.filing import PHOTO, Limits
from bots.telegram.formatting import CAPTION, TEXT, plain, units
from bots.telegram.rendering import keyboard, shown, text_of
from core.domain.account import Place
from core.domain.artifact import Artifact
from core.domain.rating import Rating
from core.ports.blobs import Blobs
from core.services.downloads import Downloads

ALBUM = 10
KNOWN = 500  # pictures whose ids are remembered
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
SLOW: Mapping[str, Any] = {"write_timeout": 300.0, "read_timeout": 60.0}  # seconds for an upload, and its digestion


@dataclass(frozen=True, kw_only=True)
class Posting:
    """Says replies through a bot; whatever Telegram refuses is raised as the library words it."""

    bot: Bot
    blobs: Blobs
    downloads: Downloads
    commands: Mapping[str, Definition]
    limits: Limits
    _ids: dict[str, str] = field(default_factory=dict)

    async def post(self, place: Place, reply: Reply, *, mention: str | None = None) -> str:
        """Post a reply and return the id of the message with its text and buttons, which is the last."""
        pictures, words = shown(reply, place)
        links, left_out = self._links(reply, place)
        text = self._text(reply, place, (*words, *left_out), links=links, mention=mention, most=TEXT)
        buttons, spoiler = keyboard(reply.buttons), reply.rating is Rating.NSFW
        for artifact in reply.files:
            if artifact.size <= self.limits.up:
                await self._document(place, artifact)
        if len(pictures) == 1 and units(text) <= CAPTION:
            message = await self._picture(place, pictures[0], spoiler=spoiler, caption=text, buttons=buttons)
        else:
            await self._pictures(place, pictures, spoiler=spoiler)
            message = await self.say(place, text, buttons)
        return str(message.message_id)

    async def say(self, place: Place, text: str, buttons: InlineKeyboardMarkup | None) -> Message:
        """Post HTML under a keyboard."""
        return await self.bot.send_message(
            **_where(place),
            text=text,
            parse_mode=ParseMode.HTML,
            reply_markup=buttons,
            link_preview_options=NO_PREVIEW,
        )

    async def edit(self, place: Place, message: str, reply: Reply) -> None:
        """Let a message say a reply; of its pictures the first, and no files."""
        pictures, words = shown(reply, place)
        links, left_out = self._links(reply, place)
        further, buttons = (*words, *left_out), keyboard(reply.buttons)
        if not pictures:
            text, caption = (self._text(reply, place, further, links=links, most=most) for most in (TEXT, CAPTION))
            await self.say_instead(place, message, text, buttons, caption=caption)
            return
        caption = self._text(reply, place, further, links=links, most=CAPTION)
        async with self._opened(pictures[0], attach=True) as file:
            media = InputMediaPhoto(
                file, caption=caption, parse_mode=ParseMode.HTML, has_spoiler=reply.rating is Rating.NSFW
            )
            with _unchanged():
                edited = await self.bot.edit_message_media(
                    media, **_which(place, message), reply_markup=buttons, **SLOW
                )
                self._learn(pictures[0], edited)

    async def say_instead(
        self, place: Place, message: str, text: str, buttons: InlineKeyboardMarkup | None, *, caption: str = ""
    ) -> None:
        """Let a message say other HTML; `caption` where it stands under a picture."""
        one: dict[str, Any] = {**_which(place, message), "parse_mode": ParseMode.HTML, "reply_markup": buttons}
        with _unchanged():
            try:
                await self.bot.edit_message_text(text, **one, link_preview_options=NO_PREVIEW)
            except BadRequest as error:
                if "no text in the message" not in str(error):
                    raise
                await self.bot.edit_message_caption(caption=caption or text, **one)

    def _text(
        self,
        reply: Reply,
        place: Place,
        further: Sequence[str],
        *,
        links: Mapping[str, str],
        most: int,
        mention: str | None = None,
    ) -> str:
        return text_of(reply, place, self.commands, most=most, further=further, links=links, mention=mention)

    def _links(self, reply: Reply, place: Place) -> tuple[Mapping[str, str], Sequence[str]]:
        """Links to the files that are too large to be sent, or words where a link is not to be seen."""
        large = [artifact for artifact in reply.files if artifact.size > self.limits.up]
        if place.private:
            return {artifact.name: self.downloads.link(artifact) for artifact in large}, ()
        return {}, [f"{artifact.name} is too large for Telegram. Ask me in our private chat." for artifact in large]

    async def _picture(
        self,
        place: Place,
        picture: Artifact,
        *,
        spoiler: bool,
        caption: str | None = None,
        buttons: InlineKeyboardMarkup | None = None,
    ) -> Message:
        rest: dict[str, Any] = {"caption": caption, "parse_mode": ParseMode.HTML, "reply_markup": buttons}
        if picture.size <= PHOTO:
            with suppress(BadRequest):  # Telegram does not take every size and shape for a photo
                async with self._opened(picture) as file:
                    message = await self.bot.send_photo(
                        **_where(place), photo=file, has_spoiler=spoiler, **SLOW, **rest
                    )
                self._learn(picture, message)
                return message
        return await self._document(place, picture, **rest)

    async def _pictures(self, place: Place, pictures: Sequence[Artifact], *, spoiler: bool) -> None:
        for start in range(0, len(pictures), ALBUM):
            album = pictures[start : start + ALBUM]
            if len(album) > 1 and all(picture.size <= PHOTO for picture in album):
                with suppress(BadRequest):
                    await self._album(place, album, spoiler=spoiler)
                    continue
            for picture in album:
                await self._picture(place, picture, spoiler=spoiler)

    async def _album(self, place: Place, album: Sequence[Artifact], *, spoiler: bool) -> None:
        async with AsyncExitStack() as stack:
            files = [await stack.enter_async_context(self._opened(picture, attach=True)) for picture in album]
            media = [InputMediaPhoto(file, has_spoiler=spoiler) for file in files]
            messages = await self.bot.send_media_group(**_where(place), media=media, **SLOW)
        for picture, message in zip(album, messages, strict=True):
            self._learn(picture, message)

    async def _document(self, place: Place, artifact: Artifact, **rest: Any) -> Message:
        async with self._opened(artifact, remembered=False) as file:
            return await self.bot.send_document(**_where(place), document=file, **SLOW, **rest)

    @asynccontextmanager
    async def _opened(
        self, artifact: Artifact, *, attach: bool = False, remembered: bool = True
    ) -> AsyncIterator[InputFile | str]:
        """What is uploaded: the id that Telegram gave to this picture before, else its bytes from a temporary file."""
        if remembered and artifact.sha256 in self._ids:
            yield self._ids[artifact.sha256]
            return
        with await asyncio.to_thread(tempfile.TemporaryFile) as file:
            async for chunk in self.blobs.open(artifact.sha256):
                await asyncio.to_thread(file.write, chunk)
            file.seek(0)
            yield InputFile(file, filename=plain(artifact.name), attach=attach, read_file_handle=False)

    def _learn(self, picture: Artifact, message: Message | bool) -> None:  # noqa: FBT001 - what the library returns
        if isinstance(message, Message) and message.photo:
            if len(self._ids) >= KNOWN:
                self._ids.clear()
            self._ids[picture.sha256] = message.photo[-1].file_id


@contextmanager
def _unchanged() -> Iterator[None]:
    """Take it that a message which says so already is no error."""
    try:
        yield
    except BadRequest as error:
        if "not modified" not in str(error):
            raise


def _where(place: Place) -> dict[str, Any]:
    thread = int(place.thread) if place.thread else None
    return {"chat_id": int(place.chat), "message_thread_id": thread}


def _which(place: Place, message: str) -> dict[str, Any]:
    return {"chat_id": int(place.chat), "message_id": int(message)}
