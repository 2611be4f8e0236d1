import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession, web
from telegram import Bot, BotCommand, BotCommandScopeChat, InputMediaPhoto
from telegram.constants import ParseMode
from telegram.error import BadRequest, Conflict, Forbidden, NetworkError, RetryAfter
from telegram.ext import CallbackQueryHandler, MessageHandler, filters

from tests.emulators.telegram import File, Person, Telegram, labels
from tests.emulators.telegram_client import a_keyboard, a_picture, an_application

MIB = 2**20
GROUP = -1001


async def waiting(bot: Bot) -> list[Any]:
    """What a poll brings; all of it is confirmed."""
    updates = await bot.get_updates()
    if updates:
        await bot.get_updates(offset=updates[-1].update_id + 1)
    return list(updates)


class TestTheRealClient:
    async def test_converses_by_polling(self, telegram: Telegram) -> None:
        ann, application = telegram.person(7, "Ann"), an_application(telegram)

        async def greet(update: Any, _: Any) -> None:
            name = update.effective_user.first_name
            await update.message.reply_html(f"Hello <b>{name}</b>", reply_markup=a_keyboard())

        async def go(update: Any, _: Any) -> None:
            await update.callback_query.answer("gone")
            await update.callback_query.edit_message_text("Gone.")

        application.add_handlers([MessageHandler(filters.TEXT, greet), CallbackQueryHandler(go)])
        async with application:
            await application.start()
            assert application.updater
            await application.updater.start_polling()
            await ann.starts()
            hello = await telegram.heard(ann.id, containing="Hello")
            assert hello.body["entities"] == [{"type": "bold", "offset": 6, "length": 3}]
            assert labels(hello) == ["Go"]
            click = await ann.clicks(hello, "Go")
            gone = await telegram.heard(ann.id, containing="Gone.")
            assert (gone.id, labels(gone)) == (hello.id, [])
            assert telegram.world.answers[click["callback_query"]["id"]] == {"text": "gone", "show_alert": False}
            assert [one.text for one in telegram.sent(ann.id)] == ["Gone."]
            await application.updater.stop()
            await application.stop()

    async def test_receives_an_album_and_fetches_it(self, ann: Person, bot: Bot) -> None:
        pictures = [a_picture(colour=colour) for colour in ("red", "green")]
        await ann.sends(*[File(name="p.png", content=one, kind="photo") for one in pictures], caption="two /words")
        messages = [update.message for update in await waiting(bot)]
        assert [message.caption for message in messages] == ["two /words", None]
        assert len({message.media_group_id for message in messages}) == 1
        files = [await bot.get_file(message.photo[-1].file_id) for message in messages]
        assert [bytes(await file.download_as_bytearray()) for file in files] == pictures

    async def test_sends_files(self, telegram: Telegram, ann: Person, bot: Bot) -> None:
        photo = await bot.send_photo(ann.id, a_picture(), caption="<i>a</i> &amp; b", parse_mode=ParseMode.HTML)
        await bot.send_document(ann.id, b"weights", filename="a.safetensors")
        album = [InputMediaPhoto(a_picture(), has_spoiler=True), InputMediaPhoto(photo.photo[-1].file_id)]
        await bot.send_media_group(ann.id, album)
        sent = telegram.sent(ann.id)
        assert [(one.kind, one.text) for one in sent] == [
            ("photo", "a & b"),
            ("document", ""),
            ("photo", ""),
            ("photo", ""),
        ]
        assert [one.body.get("has_media_spoiler") for one in sent] == [None, None, True, None]
        assert telegram.content(sent[1]) == b"weights"
        assert telegram.content(sent[3]) == a_picture()

    async def test_edits(self, telegram: Telegram, ann: Person, bot: Bot) -> None:
        text = await bot.send_message(ann.id, "one", reply_markup=a_keyboard())
        await bot.edit_message_reply_markup(ann.id, text.message_id, reply_markup=a_keyboard("Stay"))
        assert [labels(one) for one in telegram.sent(ann.id)] == [["Stay"]]
        await bot.edit_message_media(InputMediaPhoto(a_picture(), caption="two"), ann.id, text.message_id)
        await bot.edit_message_caption(ann.id, text.message_id, caption="three")
        assert [(one.kind, one.text, labels(one)) for one in telegram.sent(ann.id)] == [("photo", "three", [])]
        assert [one.text for one in telegram.world.posts] == ["one", "one", "two", "three"]
        await bot.delete_message(ann.id, text.message_id)
        assert telegram.sent(ann.id) == []

    async def test_keeps_a_menu_by_scope(self, telegram: Telegram, ann: Person, bot: Bot) -> None:
        await bot.set_my_commands([BotCommand("help", "Help.")])
        await bot.set_my_commands([BotCommand("admin", "Run it.")], scope=BotCommandScopeChat(ann.id))
        assert telegram.menu("default") == {"help": "Help."}
        assert telegram.menu("chat", "7") == {"admin": "Run it."}
        assert await bot.get_my_commands() == (BotCommand("help", "Help."),)

    async def test_asks_who_is_who(self, telegram: Telegram, bot: Bot) -> None:
        group = telegram.group(GROUP, "Makers", statuses={7: "creator"})
        telegram.person(7, "Ann")
        telegram.person(8, "Ben")
        assert (await bot.get_me()).username == "fake_bot"
        assert (await bot.get_chat(group.id)).title == "Makers"
        statuses = [(await bot.get_chat_member(group.id, who)).status for who in (1, 7, 8)]
        assert statuses == ["member", "creator", "left"]
        assert [one.user.id for one in await bot.get_chat_administrators(group.id)] == [7]


class TestUpdates:
    async def test_come_again_until_they_are_confirmed(self, ann: Person, bot: Bot) -> None:
        await ann.says("one")
        await ann.says("two")
        first, second = await bot.get_updates()
        assert [one.update_id for one in await bot.get_updates()] == [first.update_id, second.update_id]
        assert await bot.get_updates(offset=second.update_id) == (second,)

    async def test_come_twice_when_repeated(self, telegram: Telegram, ann: Person, bot: Bot) -> None:
        update = await ann.says("one")
        assert [one.update_id for one in await waiting(bot)] == [update["update_id"]]
        await telegram.repeats(update)
        assert [one.update_id for one in await waiting(bot)] == [update["update_id"]]

    async def test_go_to_one_poller(self, telegram: Telegram, bot: Bot) -> None:
        older = asyncio.create_task(bot.get_updates(timeout=50))
        await telegram.until(lambda: telegram.calls[1:])
        async with an_application(telegram).bot as newer:
            assert await newer.get_updates() == ()
        with pytest.raises(Conflict, match="terminated by other getUpdates"):
            await older

    async def test_go_to_no_poller_beside_a_webhook(self, bot: Bot) -> None:
        await bot.set_webhook("https://example.org/")
        with pytest.raises(Conflict, match="webhook is active"):
            await bot.get_updates()
        await bot.delete_webhook(drop_pending_updates=True)
        assert await bot.get_updates() == ()

    async def test_are_of_the_allowed_kinds(self, ann: Person, bot: Bot) -> None:
        await bot.get_updates(allowed_updates=["message"])
        await ann.blocks()
        await ann.says("I am back")
        assert [one.message.text for one in await waiting(bot)] == ["I am back"]

    async def test_are_pushed_until_the_webhook_says_thanks(self, telegram: Telegram, ann: Person, bot: Bot) -> None:
        got, answers = list[tuple[int, str]](), iter([500, 200, 200])

        async def hear(request: web.Request) -> web.Response:
            secret = request.headers["X-Telegram-Bot-Api-Secret-Token"]
            got.append(((await request.json())["update_id"], secret))
            return web.Response(status=next(answers))

        app = web.Application()
        app.router.add_post("/hook", hear)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await bot.set_webhook(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", secret_token="s-1")
        first = (await ann.says("one"))["update_id"]
        second = (await ann.says("two"))["update_id"]
        await telegram.until(lambda: not telegram.updates.waiting)
        await runner.cleanup()
        assert got == [(first, "s-1"), (first, "s-1"), (second, "s-1")]
        assert telegram.updates.statuses == [500, 200, 200]

    async def test_are_hidden_by_privacy(self, telegram: Telegram, ann: Person, bot: Bot) -> None:
        group = telegram.group(GROUP)
        ours = await bot.send_message(group.id, "Hello.")
        kept = telegram.world.messages[group.id, ours.message_id]
        for text in ("hello", "/help", "/help@fake_bot", "/help@other_bot", "hi @fake_bot", "not /a command"):
            await ann.says(text, chat=group)
        await ann.says("an answer", chat=group, reply_to=kept)
        photo = File(name="a.png", content=a_picture(), kind="photo")
        await ann.sends(photo, caption="for @fake_bot", chat=group)
        await ann.sends(photo, chat=group)
        said = [update.message.text or update.message.caption for update in await waiting(bot)]
        assert said == ["/help", "/help@fake_bot", "hi @fake_bot", "an answer", "for @fake_bot"]
        telegram.world.privacy = False
        await ann.says("hello", chat=group)
        assert [update.message.text for update in await waiting(bot)] == ["hello"]

    async def test_tell_of_service_messages_and_edits(self, telegram: Telegram, ann: Person, bot: Bot) -> None:
        group = telegram.group(GROUP)
        await group.welcomes(ann)
        await ann.edits(await ann.says("one"), "two")
        joined, said, edited = await waiting(bot)
        assert [user.id for user in joined.message.new_chat_members] == [7]
        assert (said.message.text, edited.edited_message.text) == ("one", "two")


class TestPeople:
    async def test_are_not_written_to_before_they_start(self, telegram: Telegram, bot: Bot) -> None:
        ben = telegram.person(8, "Ben")
        with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
            await bot.send_message(ben.id, "Hello.")
        await ben.starts("link_CODE")
        await bot.send_message(ben.id, "Hello.")

    async def test_may_block(self, ann: Person, bot: Bot) -> None:
        said = await bot.send_message(ann.id, "Hello.")
        await ann.blocks()
        with pytest.raises(Forbidden, match="bot was blocked by the user"):
            await bot.send_message(ann.id, "Hello?")
        with pytest.raises(Forbidden, match="bot was blocked by the user"):
            await bot.edit_message_text("Hello?", ann.id, said.message_id)
        await ann.says("I am back")
        await bot.send_message(ann.id, "Hello!")
        moved = [one.my_chat_member.new_chat_member.status for one in await waiting(bot) if one.my_chat_member]
        assert moved == ["kicked", "member"]

    async def test_may_expel_the_bot_and_lose_a_group(self, telegram: Telegram, bot: Bot) -> None:
        group = telegram.group(GROUP)
        await group.expels_bot()
        with pytest.raises(Forbidden, match="bot was kicked from the supergroup chat"):
            await bot.send_message(group.id, "Hello?")
        telegram.loses(group.id)
        with pytest.raises(BadRequest, match="Chat not found"):
            await bot.send_message(group.id, "Hello?")

    async def test_press_what_they_saw(self, telegram: Telegram, ann: Person, bot: Bot) -> None:
        await bot.send_message(ann.id, "one", reply_markup=a_keyboard())
        seen = telegram.sent(ann.id)[0]
        with pytest.raises(ValueError, match="no button 'Stay' among"):
            await ann.clicks(seen, "Stay")
        await bot.edit_message_text("two", ann.id, seen.id)
        await ann.clicks(seen, "Go")
        await bot.delete_message(ann.id, seen.id)
        await ann.clicks(seen, "Go")
        stale, gone = [update.callback_query for update in await waiting(bot)]
        assert (stale.data, stale.message.text) == ("go", "two")
        assert (gone.data, gone.message.is_accessible) == ("go", False)

    async def test_send_at_most_ten_in_an_album(self, ann: Person, bot: Bot) -> None:
        await ann.sends(*[File(name=f"{number}.txt", content=b"x") for number in range(12)], caption="all")
        albums = [update.message.media_group_id for update in await waiting(bot)]
        assert [albums.count(one) for one in sorted(set(albums))] == [10, 2]


async def test_takes_json_and_keeps_text_that_looks_like_it(telegram: Telegram, ann: Person) -> None:
    url = f"{telegram.base}/bot{telegram.token}/sendMessage"
    async with ClientSession() as client, client.post(url, json={"chat_id": 7, "text": "[1]"}) as response:
        assert (await response.json())["ok"]
    assert [one.text for one in telegram.sent(ann.id)] == ["[1]"]


@pytest.mark.filterwarnings("ignore:.*retry_after:telegram.warnings.PTBDeprecationWarning")  # the client's own news
async def test_fails_as_told(telegram: Telegram, ann: Person, bot: Bot) -> None:
    telegram.fails("send*", code=429, retry_after=3)
    with pytest.raises(RetryAfter, match="Retry in 3 seconds"):
        await bot.send_message(ann.id, "one")
    telegram.fails("sendMessage", code=502)
    with pytest.raises(NetworkError, match="Bad Gateway"):
        await bot.send_message(ann.id, "two")
    telegram.fails("sendMessage", code=502, after=True)
    with pytest.raises(NetworkError, match="Bad Gateway"):
        await bot.send_message(ann.id, "three")
    await bot.send_message(ann.id, "four")
    assert [one.text for one in telegram.sent(ann.id)] == ["three", "four"]


async def test_downloads_fail_as_told(telegram: Telegram, ann: Person, bot: Bot) -> None:
    await ann.sends(File(name="a.txt", content=b"words"))
    [update] = await waiting(bot)
    file = await bot.get_file(update.message.document.file_id)
    telegram.fails("download", code=500)
    with pytest.raises(NetworkError):
        await file.download_as_bytearray()
    assert bytes(await file.download_as_bytearray()) == b"words"


async def test_says_what_was_heard_instead(telegram: Telegram, ann: Person, bot: Bot) -> None:
    await bot.send_message(ann.id, "one")
    assert (await telegram.heard(ann.id, containing="one")).text == "one"
    with pytest.raises(TimeoutError, match=r"nobody said 'one', but \['one'\]"):
        await telegram.heard(ann.id, containing="one", patience=0.05)


async def test_has_topics_in_forums(telegram: Telegram, ann: Person, bot: Bot) -> None:
    forum = telegram.group(GROUP, topics=[5])
    await ann.says("/help", chat=forum, topic=5)
    [update] = await waiting(bot)
    assert (update.message.message_thread_id, update.message.is_topic_message) == (5, True)
    await bot.send_message(forum.id, "Hello.", message_thread_id=5)
    assert [one.body["message_thread_id"] for one in telegram.sent(forum.id)] == [5]
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(forum.id, "Hello.", message_thread_id=6)
