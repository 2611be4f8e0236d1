"""The connection: tokens, intents, reconnects, replicas, crowds, and goodbye."""

import asyncio

import pytest

from bots.discord.client import serve
from core.domain.errors import TokenRefused
from loraguild.composition import House
from tests.bots.discord.scene import a_dataset, files_of, serving
from tests.emulators.discord import Discord, Until


async def served(house: House, discord: Discord, *, token: str = "") -> None:
    """Serve until something is wrong."""
    await serve(
        services=house.services,
        blobs=house.blobs,
        token=token or discord.token,
        api_url=discord.base,
        stop=asyncio.Event(),
    )


async def at_once(*_: object, **__: object) -> None:
    """Identify without the five seconds that Discord wants between two."""


async def test_a_wrong_token_is_one_sentence(house: House, discord: Discord) -> None:
    with pytest.raises(TokenRefused) as refused:
        await served(house, discord, token="MTAwMA.bad.token")
    assert str(refused.value) == (
        "Discord does not let the bot in: the token is wrong. "
        "Copy it again (developer portal → Bot → Reset Token) into DISCORD_TOKEN."
    )


@pytest.mark.parametrize(("code", "words"), [(4004, "the token is wrong"), (4014, "an intent is switched off")])
async def test_discord_may_throw_the_bot_out_later(house: House, discord: Discord, code: int, words: str) -> None:
    bot = asyncio.create_task(served(house, discord))
    await discord.until(lambda: discord.gateway.identified)
    await discord.gateway.drop(code)
    with pytest.raises(TokenRefused, match=words):
        await bot


async def test_a_start_waits_for_a_discord_that_is_away(
    house: House, discord: Discord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord.messenger.PAUSE", 0.01)
    discord.fails("GET /users/@me", status=503, times=2)
    async with serving(house, discord):
        assert (await discord.person(7).slash("me")).last.title == "user7"


@pytest.mark.usefixtures("bot")
async def test_it_comes_back_after_every_kind_of_loss(discord: Discord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discord.Client.before_identify_hook", at_once)
    ann = discord.person(7, "ann")
    for lose in (discord.gateway.reconnect, discord.gateway.drop):
        await lose()
        said = await ann.slash("me")
        assert said.last.title == "ann"
    assert (discord.gateway.identified, discord.gateway.resumed) == (1, 2)
    await discord.gateway.invalidate()
    await discord.until(lambda: discord.gateway.identified == 2)
    assert (await ann.slash("me")).last.title == "ann"


async def test_two_replicas_answer_once(house: House, discord: Discord) -> None:
    ann = discord.person(7, "ann")
    await a_dataset(house, ann)
    async with serving(house, discord), serving(house, discord):
        said = await ann.slash("start")
        form = await ann.slash("dataset add", dataset="zorp")
        taken = await ann.submits(form.modal, files=[("a.png", b"a")])
        assert await ann.autocomplete("dataset view", "dataset")
        pressed = await ann.presses(said.last, "My datasets")
    assert [len(one.followups) for one in (said, taken, pressed)] == [0, 0, 1]
    assert await files_of(house, ann) == [["a.png"]]
    assert discord.gateway.identified == 2


@pytest.mark.usefixtures("bot")
async def test_errors_and_limits_on_the_way_to_an_answer_are_survived(discord: Discord) -> None:
    ann = discord.person(7, "ann")
    discord.limits("PATCH /webhooks/*", after=0.05, times=2)
    assert (await ann.slash("me")).last.title == "ann"
    discord.fails("PATCH /webhooks/*", status=400, code=50035)
    assert (await ann.slash("me")).last.text.startswith("Not done\nSomething broke; reference ")


@pytest.mark.usefixtures("bot")
async def test_fifty_people_are_acknowledged_before_the_first_slow_one_is_answered(discord: Discord) -> None:
    discord.limits("PATCH /webhooks/*", after=0.2)
    people = [discord.person(100 + number) for number in range(50)]
    first = await people[0].slash("me", until=Until.ACKNOWLEDGED)
    others = await asyncio.gather(*(one.slash("me") for one in people[1:]))
    assert [one.last.title for one in others] == [f"user{100 + number}" for number in range(1, 50)]
    await discord.until(lambda: first.answered)


async def test_the_end_waits_for_what_is_being_answered(house: House, discord: Discord) -> None:
    ann = discord.person(7, "ann")
    async with serving(house, discord):
        discord.limits("PATCH /webhooks/*", after=0.2)
        said = await ann.slash("me", until=Until.ACKNOWLEDGED)
    assert said.last.title == "ann"
