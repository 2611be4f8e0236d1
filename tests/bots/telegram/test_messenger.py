"""What delivery asks of Telegram, against the emulated one."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from PIL import Image
from telegram.error import RetryAfter

from bots.chat.reply import Button, Reply
from bots.delivery.messenger import MessageGone, TryLater, Undeliverable
from bots.telegram.filing import MIB, Limits
from bots.telegram.meeting import PLATFORM, private_place
from bots.telegram.messenger import TelegramMessenger, translated
from bots.telegram.serving import Parts, assembled, connected
from core.domain.account import Place
from core.domain.artifact import Artifact
from core.domain.job import Progress
from core.domain.rating import Rating
from loraguild.composition import House
from tests.builders.scenes import stored
from tests.emulators.telegram import Telegram, labels

HERE = private_place(42)
GROUP = Place(platform=PLATFORM, chat="-100", private=False, community="-100")
SAID = Reply(title="zorp · running", progress=Progress(step=5, total=10, eta=20.0, doing="training"))


@pytest.fixture
async def parts(house: House, telegram: Telegram) -> AsyncIterator[Parts]:
    """The parts of a bot that takes files of a megabyte."""
    telegram.person(42, started=True)
    telegram.group(-100)
    limits, stop = Limits(down=MIB, up=MIB), asyncio.Event()
    async with connected(telegram.token, api_url=telegram.base, stop=stop) as bot, aiohttp.ClientSession() as session:
        yield assembled(bot, session, services=house.services, blobs=house.blobs, limits=limits, counted=1)


@pytest.fixture
def messenger(parts: Parts) -> TelegramMessenger:
    return TelegramMessenger(posting=parts.posting)


async def a_picture(house: House, number: int = 0, *, width: int = 8) -> Artifact:
    content = io.BytesIO()
    Image.new("RGB", (width, 8), (number, 0, 0)).save(content, "png")
    return await stored(house, f"{number}.png", content.getvalue())


async def test_a_card_is_posted_and_edited(messenger: TelegramMessenger, telegram: Telegram) -> None:
    button = Button(label="Cancel", command="train cancel", token="t" * 16)

    message = await messenger.post(HERE, SAID.but(buttons=(button,)), key="k")
    await messenger.edit(HERE, message, SAID.but(title="zorp · done", progress=None))

    first, second = telegram.world.posts
    assert (first.text, labels(first)) == ("zorp · running\n▰▰▰▰▰▰▱▱▱▱▱▱ 5/10 · 20 s left · training", ["Cancel"])
    assert (second.text, labels(second)) == ("zorp · done", [])
    assert str(second.id) == message


async def test_edits_of_a_chat_keep_apart(messenger: TelegramMessenger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.telegram.messenger.PACE", 3600.0)
    message = await messenger.post(HERE, SAID, key="k")
    await messenger.edit(HERE, message, SAID)

    with pytest.raises(TryLater) as later:
        await messenger.edit(HERE, message, SAID)

    assert 0 < later.value.seconds <= 3600


async def test_a_text_gets_a_picture_and_keeps_it(house: House, parts: Parts, telegram: Telegram) -> None:
    posting, picture = parts.posting, await a_picture(house)
    message = await posting.post(HERE, SAID)

    await posting.edit(HERE, message, SAID.but(pictures=(picture,)))
    await posting.edit(HERE, message, SAID.but(title="zorp · done", pictures=(picture,)))
    await posting.edit(HERE, message, SAID.but(title="zorp · deleted", lines=("x" * 3000,)))

    kinds = [(one.kind, one.text.splitlines()[0]) for one in telegram.world.posts]
    assert kinds == [
        ("text", "zorp · running"),
        ("photo", "zorp · running"),
        ("photo", "zorp · done"),
        ("photo", "zorp · deleted"),
    ]
    assert len(telegram.world.files) == 1  # it was uploaded once


async def test_one_picture_carries_text_and_buttons_several_come_before(
    house: House, messenger: TelegramMessenger, telegram: Telegram
) -> None:
    pictures = tuple([await a_picture(house, number) for number in range(3)])
    button = Button(label="Again", command="imagine", token="t" * 16)

    await messenger.post(HERE, Reply(title="one", pictures=pictures[:1], buttons=(button,)), key="1")
    await messenger.post(HERE, Reply(title="three", pictures=pictures, buttons=(button,)), key="2")
    await messenger.post(HERE, Reply(title="long", lines=("x" * 2000,), pictures=pictures[:1]), key="3")

    assert [(one.kind, one.text[:5], labels(one)) for one in telegram.sent(42)] == [
        ("photo", "one", ["Again"]),
        ("photo", "", []),
        ("photo", "", []),
        ("photo", "", []),
        ("text", "three", ["Again"]),
        ("photo", "", []),
        ("text", "long\n", []),
    ]


async def test_a_picture_of_no_photos_shape_goes_as_a_file(
    house: House, messenger: TelegramMessenger, telegram: Telegram
) -> None:
    wide = await a_picture(house, width=400)

    await messenger.post(HERE, Reply(title="wide", pictures=(wide,)), key="1")
    await messenger.post(HERE, Reply(title="wide", pictures=(wide, await a_picture(house))), key="2")

    assert [one.kind for one in telegram.sent(42)] == ["document", "document", "photo", "text"]


async def test_pictures_for_adults_are_spoilers_or_left_out(
    house: House, messenger: TelegramMessenger, telegram: Telegram
) -> None:
    reply = Reply(title="zorp", pictures=(await a_picture(house),), rating=Rating.NSFW)

    await messenger.post(HERE, reply, key="1")
    await messenger.post(GROUP, reply, key="2")
    await messenger.post(GROUP.but(adult=True), reply, key="3")

    assert [(one.kind, one.body.get("has_media_spoiler", False)) for one in telegram.world.posts] == [
        ("photo", True),
        ("text", False),
        ("photo", True),
    ]
    assert "left out" in telegram.world.posts[1].text


async def test_files_are_sent_or_linked_in_private(
    house: House, messenger: TelegramMessenger, telegram: Telegram
) -> None:
    small, large = (
        await stored(house, "small.safetensors"),
        Artifact(name="large.safetensors", sha256="a" * 64, size=MIB + 1, media_type="application/octet-stream"),
    )
    reply = Reply(title="zorp · done", files=(small, large), link=f"{house.settings.address}/secret")

    await messenger.post(HERE, reply, key="1")
    await messenger.post(GROUP, reply, key="2", mention="42")

    document, text = telegram.sent(42)
    also, shared = telegram.sent(-100)
    assert [telegram.content(one) for one in (document, also)] == [b"small.safetensors"] * 2
    assert f"large.safetensors: {house.settings.address}/d/" in text.text
    assert f"{house.settings.address}/secret" in text.text
    assert "http" not in shared.text
    assert "large.safetensors is too large for Telegram" in shared.text
    assert [entity["user"]["id"] for entity in shared.body["entities"] if entity["type"] == "text_mention"] == [42]


async def test_refusals_in_the_words_of_delivery(messenger: TelegramMessenger, telegram: Telegram) -> None:
    message = await messenger.post(HERE, SAID, key="k")
    with pytest.raises(MessageGone):
        await messenger.edit(GROUP, "999", SAID)
    with pytest.raises(Undeliverable):
        await messenger.post(private_place(77), SAID, key="k")
    telegram.fails("sendMessage", code=502)
    with pytest.raises(TryLater) as broken:
        await messenger.post(HERE, SAID, key="k")
    telegram.world.chats[42].blocked = True
    with pytest.raises(Undeliverable):
        await messenger.edit(HERE, message, SAID)

    assert broken.value.seconds == 5


async def test_a_flood_that_does_not_end_is_a_pause() -> None:
    with pytest.raises(TryLater) as later, translated():
        raise RetryAfter(timedelta(seconds=7))

    assert later.value.seconds == 7
