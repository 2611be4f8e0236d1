import string
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto
from telegram import InputMediaDocument as Document
from telegram import Message as Answer
from telegram.constants import ParseMode
from telegram.error import BadRequest, InvalidToken, TelegramError

from tests.emulators.telegram import File, Person, Telegram
from tests.emulators.telegram.formatting import formatted, units
from tests.emulators.telegram.refusing import Refused
from tests.emulators.telegram_client import a_keyboard, a_picture

MIB = 2**20
GROUP = -1001

REFUSED: dict[str, tuple[str, Callable[[Bot, Answer, Answer], Awaitable[object]]]] = {
    "an empty text": ("empty", lambda bot, _, __: bot.send_message(7, " \n")),
    "nothing visible": ("empty", lambda bot, _, __: bot.send_message(7, "\u200b\u2060")),
    "only tags": ("empty", lambda bot, _, __: bot.send_message(7, "<b></b>", ParseMode.HTML)),
    "a long text": ("too long", lambda bot, _, __: bot.send_message(7, "😀" * 2049)),
    "an unknown chat": ("not found", lambda bot, _, __: bot.send_message(99, "x")),
    "an unknown tag": ("start tag", lambda bot, _, __: bot.send_message(7, "<br>", ParseMode.HTML)),
    "an open tag": ("end tag", lambda bot, _, __: bot.send_message(7, "<b>x", ParseMode.HTML)),
    "crossed tags": ("Unmatched", lambda bot, _, __: bot.send_message(7, "<b><i>x</b></i>", ParseMode.HTML)),
    "a bare <": ("Unescaped", lambda bot, _, __: bot.send_message(7, "1 < 2", ParseMode.HTML)),
    "a bare &": ("Unescaped", lambda bot, _, __: bot.send_message(7, "you & me", ParseMode.HTML)),
    "other HTML's entities": ("Unescaped", lambda bot, _, __: bot.send_message(7, "&nbsp;x", ParseMode.HTML)),
    "a span": ("must have class", lambda bot, _, __: bot.send_message(7, "<span>x</span>", ParseMode.HTML)),
    "a button without words": (
        "non-empty",
        lambda bot, _, __: bot.send_message(7, "x", reply_markup=a_keyboard(" ")),
    ),
    "a button with long data": (
        "Button_data_invalid",
        lambda bot, _, __: bot.send_message(7, "x", reply_markup=a_keyboard(data="é" * 33)),
    ),
    "a button that does nothing": (
        "exactly one",
        lambda bot, _, __: bot.send_message(7, "x", reply_markup=a_keyboard(data=None)),
    ),
    "a link to nowhere": (
        "Wrong HTTP URL",
        lambda bot, _, __: bot.send_message(7, "x", reply_markup=a_keyboard(data=None, url="http://localhost/x")),
    ),
    "too many buttons": (
        "too long",
        lambda bot, _, __: bot.send_message(
            7, "x", reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data="x")]] * 101)
        ),
    ),
    "an unchanged text": ("not modified", lambda _, text, __: text.edit_text("text", reply_markup=a_keyboard())),
    "an unchanged keyboard": ("not modified", lambda _, text, __: text.edit_reply_markup(a_keyboard())),
    "the text of a photo": ("no text in the message", lambda _, __, photo: photo.edit_text("x")),
    "the caption of a text": ("no caption in the message", lambda _, text, __: text.edit_caption("x")),
    "a long caption": ("caption is too long", lambda _, __, photo: photo.edit_caption("x" * 1025)),
    "an edit of what never was": ("not found", lambda bot, _, __: bot.edit_message_text("x", 7, 99)),
    "a reply to what never was": ("not found", lambda bot, _, __: bot.send_message(7, "x", reply_to_message_id=99)),
    "an album of one": ("2-10 items", lambda bot, _, __: bot.send_media_group(7, [InputMediaPhoto(a_picture())])),
    "an album of eleven": (
        "2-10 items",
        lambda bot, _, __: bot.send_media_group(7, [InputMediaPhoto(a_picture())] * 11),
    ),
    "a mixed album": (
        "mixed",
        lambda bot, _, __: bot.send_media_group(7, [InputMediaPhoto(a_picture()), Document(b"x")]),
    ),
    "a photo that is none": ("Image_process_failed", lambda bot, _, __: bot.send_photo(7, b"text")),
    "a narrow photo": ("Photo_invalid_dimensions", lambda bot, _, __: bot.send_photo(7, a_picture(1, 21))),
    "a wide photo": ("Photo_invalid_dimensions", lambda bot, _, __: bot.send_photo(7, a_picture(9530, 480))),
    "a large photo": ("too big", lambda bot, _, __: bot.send_photo(7, b"x" * (10 * MIB + 1))),
    "an empty document": ("non-empty", lambda bot, _, __: bot.send_document(7, b"")),
    "a large document": ("too large", lambda bot, _, __: bot.send_document(7, b"x" * (50 * MIB + 1))),
    "a photo as a document": ("can't use file", lambda bot, _, photo: bot.send_document(7, photo.photo[-1].file_id)),
    "a file that is not there": ("wrong file", lambda bot, _, __: bot.send_photo(7, "photo-99")),
    "a strange action": ("wrong parameter", lambda bot, _, __: bot.send_chat_action(7, "dancing")),
    "a click that never was": ("query is too old", lambda bot, _, __: bot.answer_callback_query("99")),
    "a command in capitals": ("command_invalid", lambda bot, _, __: bot.set_my_commands([("Help", "x")])),
    "a long command": ("command_invalid", lambda bot, _, __: bot.set_my_commands([("a" * 33, "x")])),
    "a command without help": ("description_invalid", lambda bot, _, __: bot.set_my_commands([("help", " ")])),
    "too many commands": ("too_much", lambda bot, _, __: bot.set_my_commands([("help", "x")] * 101)),
    "an unsafe webhook": ("HTTPS URL", lambda bot, _, __: bot.set_webhook("http://example.org/")),
    "an unsafe secret": (
        "unallowed",
        lambda bot, _, __: bot.set_webhook("https://example.org/", secret_token="ä"),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_refuses(telegram: Telegram, ann: Person, bot: Bot, what: str) -> None:
    text = await bot.send_message(ann.id, "text", reply_markup=a_keyboard())
    photo = await bot.send_photo(ann.id, a_picture())
    before = dict(telegram.world.messages)
    words, call = REFUSED[what]
    with pytest.raises(TelegramError, match=rf"(?i){words}"):
        await call(bot, text, photo)
    assert telegram.world.messages == before
    assert telegram.menu("default") == {}


async def test_gives_away_files_up_to_20_mib(telegram: Telegram, ann: Person, bot: Bot) -> None:
    await ann.sends(*[File(name="a.zip", content=b"x" * size) for size in (20 * MIB, 20 * MIB + 1)])
    fits, large = list(telegram.world.files)
    assert (await bot.get_file(fits)).file_size == 20 * MIB
    with pytest.raises(BadRequest, match="File is too big"):
        await bot.get_file(large)


async def test_takes_one_answer_to_a_click(telegram: Telegram, ann: Person, bot: Bot) -> None:
    await bot.send_message(ann.id, "x", reply_markup=a_keyboard())
    click = (await ann.clicks(telegram.sent(ann.id)[0], "Go"))["callback_query"]["id"]
    await bot.answer_callback_query(click)
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(click)


async def test_leaves_peoples_messages_to_them(telegram: Telegram, ann: Person, bot: Bot) -> None:
    group = telegram.group(GROUP)
    told = (await ann.says("/help", chat=group))["message"]["message_id"]
    with pytest.raises(BadRequest, match="can't be edited"):
        await bot.edit_message_text("x", group.id, told)
    with pytest.raises(BadRequest, match="can't be deleted"):
        await bot.delete_message(group.id, told)


async def test_knows_its_token(telegram: Telegram) -> None:
    with pytest.raises(InvalidToken):
        async with Bot("2:B", base_url=f"{telegram.base}/bot"):
            pass


async def test_knows_no_other_method(bot: Bot) -> None:
    with pytest.raises(TelegramError, match="method not found"):
        await bot.get_my_name()


class TestFormatting:
    def test_counts_utf16_units_from_the_trimmed_text(self) -> None:
        text, entities = formatted('\n 😀<b>b<i>i</i></b><a href="https://a.b/?c&amp;d">l</a>&#x27; ', "HTML")
        assert text == "😀bil'"
        assert entities == [
            {"type": "bold", "offset": 2, "length": 2},
            {"type": "italic", "offset": 3, "length": 1},
            {"type": "text_link", "offset": 4, "length": 1, "url": "https://a.b/?c&d"},
        ]

    def test_knows_all_tags(self) -> None:
        source = (
            "<strong>1</strong><em>2</em><u>3</u><ins>4</ins><s>5</s><strike>6</strike><del>7</del><code>8</code>"
            '<span class="tg-spoiler">9</span><tg-spoiler>a</tg-spoiler><pre>b</pre><blockquote>c</blockquote>'
            '<blockquote expandable>d</blockquote><tg-emoji emoji-id="5">e</tg-emoji><a href="http://x">f</a>'
        )
        text, entities = formatted(source, "HTML")
        assert text == "123456789abcdef"
        assert [one["type"] for one in entities] == [
            *("bold", "italic", "underline", "underline", "strikethrough", "strikethrough", "strikethrough", "code"),
            *("spoiler", "spoiler", "pre", "blockquote", "expandable_blockquote", "custom_emoji"),
        ]

    @given(st.text(alphabet=string.printable + "😀é\u200b"))
    def test_takes_whatever_is_escaped(self, text: str) -> None:
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        plain, _ = formatted(text, None)
        bold = [{"type": "bold", "offset": 0, "length": units(plain)}] if plain else []
        assert formatted(f"<b>{escaped}</b>", "HTML") == (plain, bold)

    @given(st.text(alphabet="<>&/;ba \"'=#x1"))
    def test_reads_or_refuses_anything(self, text: str) -> None:
        try:
            formatted(text, "HTML")
        except Refused as refused:
            assert "can't parse entities" in str(refused)  # noqa: PT017 - either is right
